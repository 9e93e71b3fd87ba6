"""What flows through `sdlc plan`: a Project in, a Schedule out, a Front where several count.

A Project is the resource-constrained project scheduling problem with modes, generalised
precedence and calendars (MRCPSP/max without maximal lags; Brucker et al. 1999, 112(1) EJOR for
the notation). Time is counted in slots of `Project.unit_seconds` from `Project.start`, nights and
holidays included, so that a finish is a moment on the wall whatever calendars say.

What a schedule has to keep, and `plan.check` checks:

* A task is worked on in the open slots of its calendar only, from an open slot on, without a
  break but for closed slots, until its mode's duration is done. While it is worked on it holds
  what its mode needs; in closed slots it holds nothing.
* A person works for one task at a time. A person at 50 percent takes twice as long.
* A link holds between the moments it names, with its lag in slots of elapsed time.
* What is done or running began when it says, whatever the plan would have wished.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from sdlc_cli.core.i18n import Message

LinkKind = Literal["FS", "SS", "FF", "SF"]
NeedKind = Literal["resource", "skill", "person"]
Status = Literal["todo", "running", "done"]
Objective = Literal["makespan", "tardiness", "cost", "quality", "balanced"]
OBJECTIVES: tuple[Objective, ...] = ("makespan", "tardiness", "cost", "quality", "balanced")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Open hours of one weekday (0 is Monday), in minutes after local midnight."""

    weekday: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When there is work: weekly hours, less days off. A slot is open when all of it is.

    `always` has no closed slot, whatever else is written.
    """

    hours: tuple[Hours, ...] = ()
    days_off: frozenset[date] = frozenset()
    always: bool = False


ALWAYS = Calendar(always=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A renewable resource: a person, a runner, a GPU, tokens a minute.

    `capacity` holds in each open slot of `calendar`. A person has capacity 1, skills, and takes
    `100 / percent` times a mode's duration, rounded up. `usd_per_hour` is for one unit of capacity
    and an hour of work.
    """

    id: str
    capacity: int = 1
    calendar: Calendar = ALWAYS
    person: bool = False
    skills: frozenset[str] = frozenset()
    percent: int = 100
    usd_per_hour: Decimal = ZERO
    unit: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumable:
    """A non-renewable resource: what all modes together may use up."""

    id: str
    capacity: int
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a mode holds while worked on: units of a resource, people with a skill, one person."""

    kind: NeedKind
    id: str
    amount: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One way to do a task.

    `duration` is in open slots, for people at 100 percent; `low` and `high` are its 10th and 90th
    percentile (`duration` is then the 50th). `cost_usd` is what the mode costs beside the hours of
    its resources, the LLM calls of `model` included. `quality` is any number, more is better.
    """

    id: str = ""
    duration: int
    low: int | None = None
    high: int | None = None
    needs: tuple[Need, ...] = ()
    uses: tuple[tuple[str, int], ...] = ()  # consumable, amount
    cost_usd: Decimal = ZERO
    quality: float = 0.0
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """This task's start or finish comes at least `lag` slots after that of `task`.

    FS: start after finish; SS: start after start; FF: finish after finish; SF: finish after start.
    A negative lag is a lead.
    """

    task: str
    kind: LinkKind = "FS"
    lag: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be done.

    `release` and `deadline` are moments in slots: no work before, all of it before. A deadline
    that is not `hard` costs `late_usd_per_hour` for each hour that it is missed by. `priority` is
    the weight of the task's tardiness. `calendar` replaces that of what the modes need; without
    either it is the project's. `started` and `finished` are facts of running and done tasks.
    """

    id: str
    name: str = ""
    modes: tuple[Mode, ...]
    after: tuple[Link, ...] = ()
    release: int = 0
    deadline: int | None = None
    hard: bool = True
    late_usd_per_hour: Decimal = ZERO
    priority: int = 1
    calendar: Calendar | None = None
    status: Status = "todo"
    started: int | None = None
    finished: int | None = None
    mode: int | None = None  # which of `modes` a running or done task is done in
    people: tuple[str, ...] = ()  # who does a running or done task
    line: int = 0  # where it stands in its file


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What `balanced` weighs: shares of a day, a dollar and a point of quality; see plan.goal."""

    makespan: float = 1.0
    tardiness: float = 1.0
    cost: float = 1.0
    quality: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Everything that a plan is made from.

    `start` knows its offset; `timezone` is the IANA zone of the calendars. `now` is the slot
    before which nothing that is not a fact may lie. The tasks of each group in `together` start
    in the same slot. `notes` is what its reader could not take over.
    """

    name: str = ""
    start: datetime
    timezone: str = "UTC"
    unit_seconds: int = 3600
    calendar: Calendar = ALWAYS
    tasks: tuple[Task, ...]
    resources: tuple[Resource, ...] = ()
    consumables: tuple[Consumable, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    budget_usd: Decimal | None = None
    deadline: int | None = None
    now: int = 0
    weights: Weights = field(default_factory=Weights)
    source: str = ""  # the file, as people would name it
    notes: tuple[Message, ...] = field(default=(), compare=False)

    def at(self, slot: int) -> datetime:
        """The moment in which `slot` begins, as the clock in `timezone` shows it."""
        elapsed = timedelta(seconds=slot * self.unit_seconds)  # which only UTC adds up
        return (self.start.astimezone(UTC) + elapsed).astimezone(ZoneInfo(self.timezone))

    @property
    def by_id(self) -> Mapping[str, Task]:
        """The tasks by their ids."""
        return {task.id: task for task in self.tasks}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """When a task is done, and how: `[start, finish)` in slots, the index of its mode, who by.

    `resources` holds what the task holds while it is worked on: people by name with 1, other
    resources with their units.
    """

    task: str
    start: int
    finish: int
    mode: int = 0
    resources: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A plan: a placement for every task, in the order of the project, and what it amounts to.

    `makespan` is the last finish in slots; `cost_usd` and `quality` are sums over the tasks;
    `tardiness` is the sum of priority x slots late. `lower_bound` is of the makespan, whatever
    the objective. `feasible` is False when a deadline or a budget is missed: precedence, capacity
    and calendars always hold. `proved_optimal` is of the objective that was asked for.
    """

    placements: tuple[Placement, ...]
    makespan: int
    cost_usd: Decimal = ZERO
    quality: float = 0.0
    tardiness: int = 0
    feasible: bool = True
    lower_bound: int = 0
    proved_optimal: bool = False
    objective: Objective = "makespan"
    seed: int = 0
    schedules_evaluated: int = 0
    search_seconds: float = 0.0
    engine: str = ""  # what found it: "numba", "python", "cp-sat"

    @property
    def gap(self) -> float:
        """How far the makespan may be above the optimum, as a share of the makespan."""
        return (self.makespan - self.lower_bound) / self.makespan if self.makespan else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Schedules of which none is better than another in makespan, cost and quality at once.

    Sorted by makespan, then cost. `complete` is True when every point of the true front is there.
    """

    schedules: tuple[Schedule, ...]
    complete: bool = False
