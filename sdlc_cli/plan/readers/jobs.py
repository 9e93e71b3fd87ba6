"""The numbered jobs of the benchmark formats -> a Project without dates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sdlc_cli.core.errors import NothingToDo
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.scalars import shown
from sdlc_cli.plan.model import Consumable, Link, Mode, Need, Project, Resource, Task
from sdlc_cli.plan.readers.cycles import cycle
from sdlc_cli.plan.readers.mistakes import Mistakes

NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)
MOST = 10**9  # no number of such a file is larger


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job: its line, its modes as (duration, demands), the numbers of its successors."""

    line: int
    modes: tuple[tuple[int, tuple[int, ...]], ...]
    successors: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number, and the line that it stands in."""

    value: int
    line: int


def numbers(line: int, text: str, mistakes: Mistakes) -> list[Number]:
    """The whole numbers in a line of the file; none of them where a word is no such number."""
    found: list[Number] = []
    told = len(mistakes.found)
    for word in text.split():
        if not (word.isascii() and word.isdecimal() and len(word) < 20):
            mistakes.add(line, msg("wants a whole number from 0 on, found '{found}'",
                                   found=shown(word, 40)))  # fmt: skip
        elif int(word) > MOST:
            mistakes.add(line, msg("{n} is too large", n=shown(word, 40)))
        else:
            found.append(Number(int(word), line))
    return found if len(mistakes.found) == told else []


def project(
    jobs: Sequence[Job],
    renewable: Sequence[int],
    consumable: Sequence[int],
    mistakes: Mistakes,
) -> Project:
    """The Project of job 1 to job n. The first and the last are left out where they are empty.

    Demands are of the renewable resources, then of the consumable ones. Raises ConfigError, and
    NothingToDo where no job is left.
    """
    for number, job in enumerate(jobs, 1):
        for other in job.successors:
            if not 1 <= other <= len(jobs):
                mistakes.add(job.line, msg("job {job} is followed by job {other}, which there is"
                                           " not", job=number, other=other))  # fmt: skip
        _capacity(number, job, renewable, mistakes)
    mistakes.settle()
    _acyclic(jobs, mistakes)
    kept = [
        n for n in range(1, len(jobs) + 1) if n not in (1, len(jobs)) or not _empty(jobs[n - 1])
    ]
    if not kept:
        raise NothingToDo(msg("{file} holds no task", file=mistakes.name))
    before: dict[int, list[int]] = {number: [] for number in range(1, len(jobs) + 1)}
    for number in kept:
        for other in dict.fromkeys(jobs[number - 1].successors):
            before[other].append(number)
    return Project(
        start=NO_DATE,
        tasks=tuple(
            _task(number, jobs[number - 1], before[number], len(renewable)) for number in kept
        ),
        resources=tuple(
            Resource(id=f"R{i}", capacity=capacity) for i, capacity in enumerate(renewable, 1)
        ),
        consumables=tuple(
            Consumable(id=f"N{i}", capacity=capacity) for i, capacity in enumerate(consumable, 1)
        ),
        source=mistakes.name,
    )


def _empty(job: Job) -> bool:
    return all(not duration and not any(demands) for duration, demands in job.modes)


def _capacity(number: int, job: Job, renewable: Sequence[int], mistakes: Mistakes) -> None:
    """A job that no mode of fits below the capacities can never be done."""
    over = [
        next((i for i, there in enumerate(renewable) if duration and demands[i] > there), None)
        for duration, demands in job.modes
    ]
    if over and all(i is not None for i in over):
        i = over[0]
        assert i is not None
        mistakes.add(
            job.line,
            msg("job {job} needs {n} of R{resource}, and there are {capacity}", job=number,
                n=job.modes[0][1][i], resource=i + 1, capacity=renewable[i]),
        )  # fmt: skip


def _acyclic(jobs: Sequence[Job], mistakes: Mistakes) -> None:
    found = cycle([[other - 1 for other in job.successors] for job in jobs])
    if found:
        path = " -> ".join(f"{n + 1} (line {jobs[n].line})" for n in [*found, found[0]])
        mistakes.add(jobs[found[0]].line, msg("the jobs wait for each other: {path}", path=path))
    mistakes.settle()


def _task(number: int, job: Job, before: Sequence[int], renewable: int) -> Task:
    return Task(
        id=str(number),
        modes=tuple(
            Mode(
                id=str(i) if len(job.modes) > 1 else "",
                duration=duration,
                needs=tuple(
                    Need(kind="resource", id=f"R{r}", amount=amount)
                    for r, amount in enumerate(demands[:renewable], 1)
                    if amount
                ),
                uses=tuple(
                    (f"N{r}", amount) for r, amount in enumerate(demands[renewable:], 1) if amount
                ),
            )
            for i, (duration, demands) in enumerate(job.modes, 1)
        ),
        after=tuple(Link(task=str(other)) for other in before),
        line=job.line,
    )
