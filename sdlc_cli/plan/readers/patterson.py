"""Patterson's `.rcp`, as RanGen writes it (Demeulemeester, Vanhoucke & Herroelen 2003).

Numbers alone: how many jobs and resources, the capacities, then for each job its duration, its
demands, how many jobs follow and which.
"""

from sdlc_cli.core.i18n import msg
from sdlc_cli.plan.model import Project
from sdlc_cli.plan.readers.jobs import Job, Number, numbers, project
from sdlc_cli.plan.readers.mistakes import Enough, Mistakes

_MOST_JOBS = 100_000
_MOST_RESOURCES = 1000


def fits(head: str) -> bool:
    """Whether a file that begins so is of this format: nothing but whole numbers, several rows."""
    rows = [row.split() for row in head.splitlines() if row.strip()]
    return (
        len(rows) >= 2
        and len(rows[0]) == 2
        and all(word.isascii() and word.isdecimal() for row in rows[:2] for word in row)
    )


def read(text: str, name: str) -> Project:
    """The project in `text`. Raises ConfigError with every mistake."""
    mistakes = Mistakes(name)
    try:
        stream = [
            number
            for line, row in enumerate(text.splitlines(), 1)
            for number in numbers(line, row, mistakes)
        ]
        mistakes.settle()
        return _project(_Stream(stream), mistakes)
    except Enough:
        mistakes.settle()
        raise


class _Stream:
    """The numbers one after another, whatever lines they stand in."""

    def __init__(self, found: list[Number]) -> None:
        self.found = found
        self.at = 0

    @property
    def line(self) -> int:
        """Where the next number stands, or where the last one did."""
        if not self.found:
            return 1
        return self.found[min(self.at, len(self.found) - 1)].line

    def take(self, count: int) -> tuple[int, ...]:
        """The next `count` numbers, fewer at the end of the file."""
        taken = self.found[self.at : self.at + count]
        self.at += len(taken)
        return tuple(number.value for number in taken)


def _project(stream: _Stream, mistakes: Mistakes) -> Project:
    head = stream.take(2)
    if len(head) < 2 or head[0] > _MOST_JOBS or head[1] > _MOST_RESOURCES:
        message = msg("wants how many jobs there are, at most {jobs}, and how many resources, at"
                      " most {resources}", jobs=_MOST_JOBS, resources=_MOST_RESOURCES)  # fmt: skip
        mistakes.add(1, message)
        mistakes.settle()
    count, wide = head
    capacities = stream.take(wide)
    if len(capacities) < wide:
        mistakes.add(stream.line, msg("wants {n} capacities", n=wide))
        mistakes.settle()
    jobs: list[Job] = []
    for number in range(1, count + 1):
        line = stream.line
        row = stream.take(wide + 2)
        after = stream.take(row[-1]) if len(row) == wide + 2 else ()
        if len(row) < wide + 2 or len(after) < row[-1]:
            mistakes.add(line, msg("the file ends within job {job} of {n}", job=number, n=count))
            mistakes.settle()
        mode = (row[0], row[1 : wide + 1])
        jobs.append(Job(line=line, modes=(mode,), successors=after))
    if stream.at < len(stream.found):
        mistakes.add(stream.line, msg("numbers follow after the last of {n} jobs", n=count))
    return project(jobs, capacities, (), mistakes)
