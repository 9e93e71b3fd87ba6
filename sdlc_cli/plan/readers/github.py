"""GitHub issues as JSON: of `gh issue list --json ...`, or of the REST API.

An issue waits for those of its repository that its text names: `Blocked by #12`, `Depends on #7`.
Labels tell the rest: `estimate: 3d`, `priority: high`, `in progress`. A milestone's due date is
that of its issues.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from sdlc_cli.core.errors import NothingToDo
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.scalars import shown
from sdlc_cli.plan.model import Project
from sdlc_cli.plan.readers import issues, nodes
from sdlc_cli.plan.readers.mistakes import Enough, Mistakes

_BLOCKED = re.compile(
    r"\b(?:blocked by|depends on)\s*:?\s*((?:#[0-9]+(?:\s*(?:,|and|&)\s*)?)+)", re.I
)
_NUMBER = re.compile(r"#([0-9]{1,9})")
_AMOUNT = r"([0-9]{1,6}(?:\.[0-9]{1,3})?\s*[mhdw])"
_LABEL = re.compile(rf"(?:estimate|size|effort|duration)\s*[:/=]\s*{_AMOUNT}", re.I)
_BODY = re.compile(rf"^\s*(?:\*\*)?estimate(?:\*\*)?\s*:\s*{_AMOUNT}\s*$", re.I | re.M)
_PRIORITY = re.compile(r"(?:priority|prio)\s*[:/=-]?\s*(\S+)|(p[0-4])", re.I)
_RUNNING = re.compile(r"(?:status\s*[:/=]\s*)?in[ -]progress", re.I)
_MOST_NAMED = 5
_CLOSED = frozenset(("closed",))


def fits(head: str) -> bool:
    """Whether a file that begins so is an export of issues."""
    return bool(re.match(r"\s*\[\s*(\{|\])", head))


def read(text: str, name: str, today: date) -> Project:
    """The project of the open issues in `text`. Raises ConfigError with every mistake."""
    mistakes = Mistakes(name)
    made: list[issues.Issue] = []
    held: set[int] = set()  # closed ones and pull requests as well
    seen: dict[str, int] = {}
    try:
        for line, record in _records(text, mistakes):
            held |= _number(record)
            for issue in _issue(line, record, mistakes):
                if issue.id in seen:
                    mistakes.add(line, msg("{issue} is there twice, first in line {line}",
                                           issue=issue.id, line=seen[issue.id]))  # fmt: skip
                seen.setdefault(issue.id, line)
                made.append(issue)
    except Enough:
        pass
    mistakes.settle()
    if not held:
        raise NothingToDo(msg("{file} is an empty list: no task, and no issue", file=name))
    return replace(issues.project(name, made, today), notes=tuple(_unknown(made, held)))


def _number(record: object) -> set[int]:
    number = record.get("number") if isinstance(record, Mapping) else None
    return {number} if isinstance(number, int) else set()


def _unknown(made: Sequence[issues.Issue], held: set[int]) -> Iterator[Message]:
    """What waits for issues that the export does not hold, as that of closed ones."""
    gone = [
        f"{issue.id} -> {other}"
        for issue in made
        for other in issue.after
        if int(other[1:]) not in held
    ]
    if gone:
        shown_ = ", ".join(gone[:_MOST_NAMED]) + (", …" if len(gone) > _MOST_NAMED else "")
        yield msg("issues wait for others that the export does not hold, which are taken as"
                  " closed: {names}", names=shown_)  # fmt: skip


def _records(text: str, mistakes: Mistakes) -> Iterator[tuple[int, object]]:
    """The items of the array, each with the line that it begins in."""
    decoder = json.JSONDecoder()
    space = re.compile(r"\s*")
    line, counted = 1, 0
    at = space.match(text).end()  # type: ignore[union-attr]
    if not text.startswith("[", at):
        mistakes.add(1, msg("wants a list of issues, as gh issue list --json gives it"))
        return
    at = space.match(text, at + 1).end()  # type: ignore[union-attr]
    first = True
    while not text.startswith("]", at):
        if not first:
            if not text.startswith(",", at):
                mistakes.add(_line(text, at), msg("is not JSON: {reason}", reason="no ',' or ']'"))
                return
            at = space.match(text, at + 1).end()  # type: ignore[union-attr]
        first = False
        line, counted = line + text.count("\n", counted, at), at
        try:
            record, at = decoder.raw_decode(text, at)
        except ValueError as error:
            place = getattr(error, "pos", at)
            reason = getattr(error, "msg", str(error))
            mistakes.add(_line(text, place), msg("is not JSON: {reason}", reason=reason))
            return
        except RecursionError:
            mistakes.add(line, msg("is nested too deep"))
            return
        yield line, record
        at = space.match(text, at).end()  # type: ignore[union-attr]


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _issue(line: int, record: object, mistakes: Mistakes) -> Iterator[issues.Issue]:
    """The issue that is open; a pull request is none."""
    number = record.get("number") if isinstance(record, Mapping) else None
    if not isinstance(record, Mapping) or isinstance(number, bool) or not isinstance(number, int):
        mistakes.add(line, msg("an issue needs 'number', 'title' and 'state'"))
        return
    if "pull_request" in record or _text(record, "state").lower() in _CLOSED:
        return
    body = _text(record, "body")
    labels = tuple(_names(record.get("labels"), "name"))
    yield issues.Issue(
        id=f"#{number}",
        line=line,
        name=_text(record, "title"),
        duration=_duration(labels, body),
        people=tuple(dict.fromkeys(_names(record.get("assignees"), "login"))),
        after=tuple(_blockers(body, number)),
        due=_due(line, record.get("milestone"), mistakes),
        priority=_priority(labels),
        running=any(_RUNNING.fullmatch(label) for label in labels),
    )


def _text(record: Mapping[str, object], key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""


def _names(listed: object, key: str) -> Iterator[str]:
    for one in listed if isinstance(listed, list) else ():
        name = one.get(key) if isinstance(one, Mapping) else one
        if isinstance(name, str) and name:
            yield name


def _duration(labels: tuple[str, ...], body: str) -> str:
    for label in labels:
        if found := _LABEL.fullmatch(label.strip()):
            return found[1].lower()
    found = _BODY.search(body)
    return found[1].lower() if found else nodes.A_DAY


def _blockers(body: str, number: int) -> Iterator[str]:
    for listed in _BLOCKED.finditer(body):
        for other in _NUMBER.findall(listed[1]):
            if int(other) != number:
                yield f"#{int(other)}"


def _priority(labels: tuple[str, ...]) -> int:
    for label in labels:
        if found := _PRIORITY.fullmatch(label.strip()):
            word = (found[1] or found[2]).lower()
            if word in issues.PRIORITIES:
                return issues.PRIORITIES[word]
        elif label.lower() in ("critical", "urgent", "blocker"):
            return issues.PRIORITIES[label.lower()]
    return 1


def _due(line: int, milestone: object, mistakes: Mistakes) -> date | None:
    if not isinstance(milestone, Mapping):
        return None
    written = _text(milestone, "dueOn") or _text(milestone, "due_on")
    if not written:
        return None
    try:
        return date.fromisoformat(written[:10])
    except ValueError:
        mistakes.add(line, msg("the milestone's due date '{found}' is no day",
                               found=shown(written, 40)))  # fmt: skip
        return None
