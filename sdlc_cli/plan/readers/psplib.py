"""PSPLIB and MMLIB: `.sm` and `.mm`, the project generator's own format (Kolisch & Sprecher 1997).

Lines of stars part the sections; the first lines of a section are its title and its columns.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.plan.model import Project
from sdlc_cli.plan.readers.jobs import Job, Number, numbers, project
from sdlc_cli.plan.readers.mistakes import Enough, Mistakes

_COUNT = re.compile(r"\s*-?\s*(jobs|renewable|nonrenewable|doubly constrained)\b[^:]*:\s*(\S+)")
_TITLE = re.compile(r"\s*(PRECEDENCE|REQUESTS|RESOURCE ?AVAILABILITIES)\b", re.I)
_COLUMNS = re.compile(r"\s*(jobnr\b|-{5,}\s*$|([RND]\s*[0-9]+\s*)+$)", re.I)
_MOST_JOBS = 100_000
_MOST_RESOURCES = 1000


@dataclass(slots=True)
class _Parts:
    """What the file says, section by section."""

    counts: dict[str, int] = field(default_factory=dict)
    rows: dict[str, list[list[Number]]] = field(default_factory=dict)


def fits(head: str) -> bool:
    """Whether a file that begins so is of this format."""
    return bool(re.search(r"^\s*jobs\b[^:\n]*supersource/sink[^:\n]*:", head, re.M))


def read(text: str, name: str) -> Project:
    """The project in `text`. Raises ConfigError with every mistake."""
    mistakes = Mistakes(name)
    try:
        parts = _parts(text, mistakes)
        mistakes.settle()
        jobs, capacities = _jobs(parts, mistakes)
        mistakes.settle()
        renewable = parts.counts["renewable"]
        return project(jobs, capacities[:renewable], capacities[renewable:], mistakes)
    except Enough:
        mistakes.settle()
        raise


def _parts(text: str, mistakes: Mistakes) -> _Parts:
    parts = _Parts()
    section = ""
    for line, row in enumerate(text.splitlines(), 1):
        if title := _TITLE.match(row):
            section = title[1].upper().replace(" ", "")
            parts.rows[section] = []
        elif row.startswith("***") or not row.strip():
            continue
        elif section:
            if not _COLUMNS.match(row):
                parts.rows[section].append(numbers(line, row, mistakes))
        elif found := _COUNT.match(row):
            _count(parts, line, found[1], found[2], mistakes)
    _complete(parts, mistakes)
    return parts


def _count(parts: _Parts, line: int, what: str, text: str, mistakes: Mistakes) -> None:
    for number in numbers(line, text, mistakes):
        most = _MOST_JOBS if what == "jobs" else _MOST_RESOURCES
        if number.value > most:
            mistakes.add(line, msg("{n} {what} are more than {most}",
                                   n=number.value, what=what, most=most))  # fmt: skip
        if what == "doubly constrained" and number.value:
            mistakes.add(line, msg("doubly constrained resources are not read"))
        parts.counts[what] = number.value


def _complete(parts: _Parts, mistakes: Mistakes) -> None:
    for what in ("jobs", "renewable"):
        if what not in parts.counts and not mistakes.found:
            mistakes.add(0, msg("the file does not say how many {what} there are", what=what))
    parts.counts.setdefault("nonrenewable", 0)
    for title in ("PRECEDENCE", "REQUESTS", "RESOURCEAVAILABILITIES"):
        if title not in parts.rows:
            mistakes.add(0, msg("the section {title} is missing", title=title))


def _jobs(parts: _Parts, mistakes: Mistakes) -> tuple[list[Job], list[int]]:
    wide = parts.counts["renewable"] + parts.counts["nonrenewable"]
    followers = _followers(parts, mistakes)
    modes: dict[int, list[tuple[int, tuple[int, ...]]]] = {}
    job = 0
    for row in parts.rows["REQUESTS"]:
        if len(row) == wide + 3:
            job, *row = row[0].value, *row[1:]
        if len(row) != wide + 2 or not job:
            _complain(row, msg("wants a job, a mode, a duration and {n} demands", n=wide), mistakes)
            continue
        mine = modes.setdefault(job, [])
        if row[0].value != len(mine) + 1:
            _complain(row, msg("mode {n} of job {job} is not here", n=len(mine) + 1, job=job),
                      mistakes)  # fmt: skip
        mine.append((row[1].value, tuple(number.value for number in row[2:])))
    mistakes.settle()  # what is missing because its line is wrong is not told too
    jobs: list[Job] = []
    for number in range(1, parts.counts["jobs"] + 1):
        line, count, after = followers.get(number, (0, 0, ()))
        mine = modes.get(number, [])
        if not line:
            mistakes.add(0, msg("job {job} has no line of successors", job=number))
        elif len(mine) != count or not mine:
            mistakes.add(line, msg("job {job} has {n} modes, and should have {wanted}",
                                   job=number, n=len(mine), wanted=count))  # fmt: skip
        jobs.append(Job(line=line, modes=tuple(mine), successors=after))
    for number in sorted({*followers, *modes} - set(range(1, len(jobs) + 1))):
        line = followers.get(number, (0, 0, ()))[0]
        mistakes.add(line, msg("there is no job {job} among {n}", job=number, n=len(jobs)))
    return jobs, _capacities(parts, wide, mistakes)


def _followers(parts: _Parts, mistakes: Mistakes) -> dict[int, tuple[int, int, tuple[int, ...]]]:
    """By job: its line, how many modes it has, what follows."""
    found: dict[int, tuple[int, int, tuple[int, ...]]] = {}
    for row in parts.rows["PRECEDENCE"]:
        if len(row) < 3 or len(row) != row[2].value + 3:
            _complain(row, msg("wants a job, its modes, how many jobs follow, and these"), mistakes)
            continue
        job = row[0]
        if job.value in found:
            mistakes.add(job.line, msg("job {job} is written twice, first in line {line}",
                                       job=job.value, line=found[job.value][0]))  # fmt: skip
        after = tuple(number.value for number in row[3:])
        found[job.value] = (job.line, row[1].value, after)
    return found


def _capacities(parts: _Parts, wide: int, mistakes: Mistakes) -> list[int]:
    rows = [row for row in parts.rows["RESOURCEAVAILABILITIES"] if row]
    if len(rows) != 1 or len(rows[0]) != wide:
        line = rows[0][0].line if rows else 0
        mistakes.add(line, msg("wants one line with the {n} capacities", n=wide))
        return [0] * wide
    return [number.value for number in rows[0]]


def _complain(row: Sequence[Number], message: Message, mistakes: Mistakes) -> None:
    mistakes.add(row[0].line, message)
