"""CSV: the rows of a file with a header, and a table of tasks with our own columns.

A column is a key of tasks.yaml: `id`, `name`, `duration`, `needs`, `after`, `people`, ... Lists
are parted by semicolons: `needs` as `gpu=2; runner`, `after` as `design; build SS+2h`.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sdlc_cli.core.i18n import msg
from sdlc_cli.core.nearest import nearest
from sdlc_cli.core.scalars import shown
from sdlc_cli.core.yaml_tree import Node, Section
from sdlc_cli.plan.model import Project
from sdlc_cli.plan.readers import nodes, tasks_yaml
from sdlc_cli.plan.readers.mistakes import Enough, Mistakes

TEXTS = ("name", "provider", "model", "tier", "calendar", "status", "earliest_start", "deadline",
         "started", "finished")  # fmt: skip
NUMBERS = ("priority", "cost_usd", "quality", "calls", "input_tokens", "output_tokens")
COLUMNS = ("id", "duration", "p10", "p50", "p90", "needs", "people", "after", *TEXTS, *NUMBERS)

_AFTER = re.compile(
    r"(?P<task>.+?)(?:\s+(?P<type>FS|SS|FF|SF)\s*(?P<lag>[+-]\s*[0-9].*)?|\s+(?P<plain>[+-]\s*[0-9].*))"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One record: the line that it begins in, and what stands in each column, by its place."""

    line: int
    cells: Sequence[str]


def rows(text: str, mistakes: Mistakes) -> list[Row]:
    """The records of a CSV file, empty ones left out. The separator is what the header has most."""
    found: list[Row] = []
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    source = csv.reader(text.splitlines(keepends=True), delimiter=separator, strict=True)
    begun = 1
    try:
        for cells in source:
            if any(cell.strip() for cell in cells):
                found.append(Row(begun, cells))
            begun = source.line_num + 1
    except csv.Error as error:
        mistakes.add(begun, msg("is not CSV: {reason}", reason=str(error)))
    return found


def heading(title: str) -> str:
    """A column's title as a key: `Earliest start` is `earliest_start`."""
    return re.sub(r"[\s_-]+", "_", title.strip().lower())


def fits(head: str) -> bool:
    """Whether a file that begins so is a table of tasks with our columns, also without an id."""
    found = rows(head.partition("\n")[0], Mistakes(""))
    titles = {heading(cell) for cell in found[0].cells} if found else set()
    return len(titles & set(COLUMNS)) >= 2


def read(text: str, name: str, today: date) -> Project:
    """The project in `text`. Raises ConfigError with every mistake.

    Whoever is named is there from nine to five; of each resource there is as much as the most that
    one task asks for.
    """
    mistakes = Mistakes(name)
    reader = _Reader(mistakes)
    try:
        head, *rest = rows(text, mistakes) or [Row(1, ())]
        mistakes.settle()
        reader.places(head)
        tasks = [task for row in rest for task in reader.task(row)]
    except Enough:
        tasks = []
    mistakes.settle()
    parts: dict[str, Node] = {
        "people": nodes.section(1, {one: nodes.section(1, {}) for one in reader.people}),
        "resources": nodes.section(
            1, {one: nodes.plain(1, str(n)) for one, n in reader.resources.items()}
        ),
    }
    return tasks_yaml.read_tree(nodes.project(today, parts, tasks), name)


class _Reader:
    """Rows -> tasks, with everybody and everything that they name."""

    def __init__(self, mistakes: Mistakes) -> None:
        self.mistakes = mistakes
        self.width = 0
        self.columns: dict[str, int] = {}
        self.people: dict[str, None] = {}
        self.resources: dict[str, int] = {}

    def places(self, head: Row) -> None:
        """Find where each of our columns stands. Raises ConfigError."""
        add = self.mistakes.add
        self.width = len(head.cells)
        for i, title in enumerate(head.cells):
            key = heading(title)
            if key in self.columns:
                add(head.line, msg("the column '{title}' is there twice", title=shown(title)))
            elif key in COLUMNS:
                self.columns[key] = i
            elif near := nearest(key, COLUMNS, cutoff=0.75):
                message = msg("unknown column '{title}' (nearest: '{nearest}')",
                              title=shown(title), nearest=near)  # fmt: skip
                add(head.line, message)
        for needed in ("id", "p50" if "p50" in self.columns else "duration"):
            if needed not in self.columns and not self.mistakes.found:
                add(head.line, msg("the column '{title}' is missing", title=needed))
        self.mistakes.settle()

    def task(self, row: Row) -> Iterator[tuple[str, Section]]:
        """The task of a row, if it has one."""
        if any(cell.strip() for cell in row.cells[self.width :]):
            self.mistakes.add(row.line, msg("has more cells than the header"))
            return
        said = {
            key: row.cells[i].strip()
            for key, i in self.columns.items()
            if i < len(row.cells) and row.cells[i].strip()
        }
        if "id" not in said:
            self.mistakes.add(row.line, msg("the task has no id"))
            return
        line = row.line
        made: dict[str, Node] = {key: nodes.text(line, said[key]) for key in TEXTS if key in said}
        made |= {key: nodes.plain(line, said[key]) for key in NUMBERS if key in said}
        made |= self._duration(line, said)
        needs = [self._need(line, item) for item in _items(said.get("needs", ""))]
        people = [nodes.text(line, one) for one in _items(said.get("people", ""))]
        self.people |= dict.fromkeys(one.text for one in people)
        if people and ("started" in said or said.get("status", "todo") != "todo"):
            made["people"] = nodes.listing(line, people)
        needs += [nodes.section(line, {"person": one}) for one in people]
        made["needs"] = nodes.listing(line, needs)
        after = [_after(line, item) for item in _items(said.get("after", ""))]
        made["after"] = nodes.listing(line, after)
        yield said["id"], nodes.section(line, made)

    def _duration(self, line: int, said: Mapping[str, str]) -> dict[str, Node]:
        spread = {key: nodes.text(line, said[key]) for key in ("p10", "p50", "p90") if key in said}
        if "duration" in said and "p50" in said:
            self.mistakes.add(line, msg("has a duration and a p50: write one of them"))
        if "p50" not in said and "duration" in said:
            spread["p50"] = nodes.text(line, said["duration"])
        if len(spread) == 1 and "p50" in spread:
            return {"duration": spread["p50"]}
        return {"duration": nodes.section(line, spread)} if spread else {}

    def _need(self, line: int, item: str) -> Node:
        """`gpu=2`, or `gpu` for one of it."""
        name, _, amount = (part.strip() for part in item.partition("="))
        amount = amount or "1"
        if amount.isascii() and amount.isdecimal() and len(amount) < 10:
            self.resources[name] = max(self.resources.get(name, 1), int(amount))
        else:
            self.resources.setdefault(name, 1)  # what is no amount is told with its line later
        return nodes.section(
            line, {"resource": nodes.text(line, name), "amount": nodes.plain(line, amount)}
        )


def _items(cell: str) -> list[str]:
    return [item.strip() for item in cell.split(";") if item.strip()]


def _after(line: int, item: str) -> Node:
    """`build SS+2h`: a task, the kind of its link, the lag."""
    found = _AFTER.fullmatch(item)
    if found is None:
        return nodes.text(line, item)
    made: dict[str, Node] = {"task": nodes.text(line, found["task"])}
    if found["type"]:
        made["type"] = nodes.text(line, found["type"])
    if lag := found["lag"] or found["plain"]:
        made["lag"] = nodes.text(line, lag.replace(" ", "").removeprefix("+"))
    return nodes.section(line, made)
