"""The CSV that Jira exports: its columns, by their English titles.

Columns may be there several times, as `Inward issue link (Blocks)` is for each blocker.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from sdlc_cli.core.i18n import msg
from sdlc_cli.core.scalars import shown
from sdlc_cli.plan.model import Project
from sdlc_cli.plan.readers import issues, nodes
from sdlc_cli.plan.readers.mistakes import Enough, Mistakes
from sdlc_cli.plan.readers.table import Row, rows

_DONE = frozenset(("done", "closed", "resolved", "cancelled", "canceled", "rejected", "won't do",
                   "wont do", "complete", "completed"))  # fmt: skip
_RUNNING = frozenset(("in progress", "in review", "in development", "in testing", "in qa",
                      "code review", "review", "testing"))  # fmt: skip
_DATES = ("%d/%b/%y", "%d/%b/%Y", "%b %d, %Y", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y")
_POINTS = ("story points", "story point estimate", "custom field (story points)",
           "custom field (story point estimate)")  # fmt: skip


def fits(head: str) -> bool:
    """Whether a file that begins so is a Jira export."""
    found = rows(head.partition("\n")[0], Mistakes(""))
    titles = {_title(cell) for cell in found[0].cells} if found else set()
    return {"summary", "issue key"} <= titles


def read(text: str, name: str, today: date) -> Project:
    """The project of the open issues in `text`. Raises ConfigError with every mistake."""
    mistakes = Mistakes(name)
    try:
        found = rows(text, mistakes)
        mistakes.settle()
        read_issue = _Export(found[0] if found else Row(1, ()), mistakes)
        keys = {read_issue.first(row, "issue id"): read_issue.first(row, "issue key")
                for row in found[1:]}  # fmt: skip
        read_issue.keys = {number: key for number, key in keys.items() if number and key}
        made = [issue for row in found[1:] for issue in read_issue(row)]
        made = read_issue.with_outward(made)
    except Enough:
        made = []
    mistakes.settle()
    return issues.project(name, made, today)


class _Export:
    """Rows of one export -> issues."""

    def __init__(self, head: Row, mistakes: Mistakes) -> None:
        self.mistakes = mistakes
        self.columns: dict[str, list[int]] = {}
        self.keys: dict[str, str] = {}  # of issues, by their numbers
        self.blocked: dict[str, list[str]] = {}  # by each other, as the blocker says
        self.seen: dict[str, int] = {}
        for i, title in enumerate(head.cells):
            self.columns.setdefault(_title(title), []).append(i)
        for title in ("issue key", "summary"):
            if title not in self.columns:
                mistakes.add(head.line, msg("the column '{title}' is missing", title=title))
        mistakes.settle()

    def all(self, row: Row, *titles: str) -> list[str]:
        """What stands in all columns of these titles."""
        places = (i for title in titles for i in self.columns.get(title, ()))
        cells = (row.cells[i].strip() for i in places if i < len(row.cells))
        return [cell for cell in cells if cell]

    def first(self, row: Row, *titles: str) -> str:
        """The first of them, or ""."""
        return next(iter(self.all(row, *titles)), "")

    def __call__(self, row: Row) -> Iterator[issues.Issue]:
        key = self.first(row, "issue key")
        if not key:
            self.mistakes.add(row.line, msg("the issue has no key"))
            return
        if key in self.seen:
            self.mistakes.add(row.line, msg("{issue} is there twice, first in line {line}",
                                            issue=shown(key, 40), line=self.seen[key]))  # fmt: skip
            return
        self.seen[key] = row.line
        for other in self.all(row, "outward issue link (blocks)"):
            self.blocked.setdefault(other, []).append(key)
        status = self.first(row, "status").lower()
        category = self.first(row, "status category").lower()
        if category == "done" or (not category and status in _DONE):
            return
        parent = self.first(row, "parent key", "parent", "parent id", "custom field (epic link)")
        yield issues.Issue(
            id=key,
            line=row.line,
            name=self.first(row, "summary"),
            duration=self._duration(row),
            people=tuple(dict.fromkeys(self.all(row, "assignee"))),
            after=tuple(self.all(row, "inward issue link (blocks)")),
            due=self._due(row),
            priority=issues.PRIORITIES.get(self.first(row, "priority").lower(), 1),
            running=category == "in progress" or (not category and status in _RUNNING),
            parent=self.keys.get(parent, parent),
            container=self.first(row, "issue type").lower() == "epic",
        )

    def with_outward(self, made: Sequence[issues.Issue]) -> list[issues.Issue]:
        """The issues with what others say to block them."""
        from dataclasses import replace

        return [
            replace(one, after=tuple(dict.fromkeys((*one.after, *self.blocked.get(one.id, ())))))
            for one in made
        ]

    def _duration(self, row: Row) -> str:
        """What remains, else what was estimated, in seconds; a story point is a day."""
        for title in ("remaining estimate", "original estimate"):
            if written := self.first(row, title):
                if re.fullmatch(r"[0-9]{1,9}(\.0+)?", written, re.ASCII):
                    return f"{int(float(written))}s"
                self.mistakes.add(row.line, msg("'{title}' wants seconds, found '{found}'",
                                                title=title, found=shown(written, 40)))  # fmt: skip
                return nodes.A_DAY
        points = self.first(row, *_POINTS)
        if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4})?", points, re.ASCII):
            return f"{points}d"
        if points:
            self.mistakes.add(row.line, msg("'{title}' wants a number, found '{found}'",
                                            title="story points",
                                            found=shown(points, 40)))  # fmt: skip
        return nodes.A_DAY

    def _due(self, row: Row) -> date | None:
        written = self.first(row, "due date", "due")
        if not written:
            return None
        found = _day(written)
        if found is None:
            self.mistakes.add(row.line, msg("'{title}' wants a day such as 2026-01-31, found"
                                            " '{found}'", title="due date",
                                            found=shown(written, 40)))  # fmt: skip
        return found


def _title(cell: str) -> str:
    return " ".join(cell.lower().split())


def _day(written: str) -> date | None:
    """A day as Jira writes it; what follows it, its midnight, is of no use."""
    try:
        return datetime.fromisoformat(written).date()
    except ValueError:
        pass
    for form in _DATES:
        words = form.count(" ") + 1
        try:
            return datetime.strptime(" ".join(written.split()[:words]), form).date()
        except ValueError:
            continue
    return None
