"""What may be written in each part of tasks.yaml."""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sdlc_cli.core.exact import Dollars, Place, Share
from sdlc_cli.cost.options import PriceEntry
from sdlc_cli.plan.model import ZERO, LinkKind, Status

MOST = 10**9  # units of anything
ALWAYS = "always"
OFFICE = "office"

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Amount = Annotated[int, Meta(ge=1, le=MOST)]
Capacity = Annotated[int, Meta(ge=0, le=MOST)]
Count = Annotated[int, Meta(ge=0, le=10**15)]
Percent = Annotated[Share, Meta(extra={"unit": "share", "least": 0, "most": 1})]
Points = Annotated[float, Meta(ge=-1e9, le=1e9)]
Weight = Annotated[float, Meta(ge=0, le=1e9)]

_AMOUNT = r"\s*([0-9]{1,9}(\.[0-9]{1,6})?\s*[smhdw]\s*){1,6}"
Duration = Annotated[
    str,
    Meta(
        pattern=rf"^({_AMOUNT}|\s*[0-9]{{1,9}}\s*)$",
        extra_json_schema={"examples": ["3d"]},
        description="Working time: 90m, 4h, 3d, 2w, 1d 4h; a number alone counts units.",
    ),
]
Lag = Annotated[
    str,
    Meta(
        pattern=rf"^\s*-?({_AMOUNT}|\s*[0-9]{{1,9}}\s*)$",
        extra_json_schema={"examples": ["2h"]},
        description="Elapsed time: 30m, 2h, 1d (24 hours); with a minus, a lead.",
    ),
]
Unit = Annotated[
    str, Meta(pattern=r"^\s*[1-9][0-9]{0,8}\s*[smhd]\s*$", extra_json_schema={"examples": ["30m"]})
]
Moment = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"([ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?$",
        extra_json_schema={"examples": ["2026-03-02 09:00"]},
        description="A day, or a day and a time in the project's zone or with an offset.",
    ),
]
Span = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,2}:[0-9]{2}\s*-\s*[0-9]{1,2}:[0-9]{2}$",
        extra_json_schema={"examples": ["09:00-17:00"]},
    ),
]
Weekdays = Annotated[
    str,
    Meta(
        pattern=r"^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$",
        extra_json_schema={"examples": ["mon-fri"]},
    ),
]
DaysOff = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}( to [0-9]{4}-[0-9]{2}-[0-9]{2})?$",
        extra_json_schema={"examples": ["2026-12-24 to 2026-12-31"]},
    ),
]


class CalendarSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Open hours by weekday (`mon-fri: 09:00-17:00`, or a list of spans), less `days_off`.

    A day off is one day or `2026-12-24 to 2026-12-31`, both included.
    """

    hours: Annotated[dict[Weekdays, Span | tuple[Span, ...]], Meta(min_length=1)]
    days_off: tuple[DaysOff, ...] = ()


class PersonSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who works for one task at a time.

    `calendar` is that of the project unless it is written. Somebody at `percent: 50%` takes twice
    as long, and is paid `usd_per_hour` for half of the time.
    """

    name: str = ""
    skills: tuple[Name, ...] = ()
    calendar: str | CalendarSpec | UnsetType = UNSET
    days_off: tuple[DaysOff, ...] = ()
    percent: Percent = Decimal(1)
    usd_per_hour: Dollars = ZERO


class ResourceSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What tasks hold while they run: runners, GPUs, tokens a minute. Always there unless it has
    a `calendar`. `usd_per_hour` is for one unit of `capacity`.
    """

    name: str = ""
    capacity: Capacity
    unit: str = ""
    calendar: str | CalendarSpec = ALWAYS
    usd_per_hour: Dollars = ZERO


class ConsumableSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is used up for good: `capacity` is all there is."""

    capacity: Capacity
    unit: str = ""


class Estimate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A duration that is not certain: the 10th, 50th and 90th percentile."""

    p10: Duration | UnsetType = UNSET
    p50: Duration
    p90: Duration | UnsetType = UNSET


class NeedSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is held: `amount` units of a `resource`, or people with a `skill`, or a `person`."""

    resource: Name = ""
    skill: Name = ""
    person: Name = ""
    amount: Amount = 1


class LinkSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another task, and which moments of the two come after each other, `lag` apart at least.

    FS: this starts after the other's finish; SS: starts after its start; FF: finishes after its
    finish; SF: finishes after its start.
    """

    task: Name
    type: LinkKind = "FS"
    lag: Lag = "0"


class DeadlineSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A deadline that may be missed: at `late_usd_per_hour`, or with `hard: false` for nothing."""

    at: Moment
    hard: bool | UnsetType = UNSET
    late_usd_per_hour: Dollars = ZERO


class _Way(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a task and each of its modes can say."""

    duration: Duration | Estimate | UnsetType = UNSET
    needs: Name | NeedSpec | tuple[Name | NeedSpec, ...] | UnsetType = UNSET
    uses: dict[Name, Amount] | UnsetType = UNSET
    cost_usd: Dollars | UnsetType = UNSET
    quality: Points | UnsetType = UNSET
    provider: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    tier: Literal["", "standard", "batch", "flex", "priority"] | UnsetType = UNSET
    calls: Count | UnsetType = UNSET
    input_tokens: Count | UnsetType = UNSET
    output_tokens: Count | UnsetType = UNSET


class ModeSpec(_Way, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to do a task. What it leaves out is as the task says.

    `cost_usd` is all that it costs beside the hours of what it needs. Without it that is the price
    of `model` for `input_tokens` and `output_tokens`, the tokens of all its `calls` together.
    """


class TaskSpec(_Way, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be done: one way, or several `modes`.

    `needs` are held while it is worked on: people, resources, skills. `after` are the tasks that
    come before it. It starts at `earliest_start` or later, and is done by its `deadline`. With
    `started` it is running, with `finished` as well it is done; `mode` and `people` then say how
    and by whom.
    """

    place: Place = ""
    name: str = ""
    modes: Annotated[dict[Name, ModeSpec], Meta(min_length=1)] | UnsetType = UNSET
    after: Name | LinkSpec | tuple[Name | LinkSpec, ...] = ()
    earliest_start: Moment | UnsetType = UNSET
    deadline: Moment | DeadlineSpec | UnsetType = UNSET
    priority: Annotated[int, Meta(ge=0, le=10**6)] = 1
    calendar: str | CalendarSpec | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    started: Moment | UnsetType = UNSET
    finished: Moment | UnsetType = UNSET
    mode: str = ""
    people: tuple[Name, ...] = ()


class WeightsSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the objective `balanced` weighs."""

    makespan: Weight = 1.0
    tardiness: Weight = 1.0
    cost: Weight = 1.0
    quality: Weight = 1.0


class TasksFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """tasks.yaml as it is written.

    Time counts in slots of `unit` from `start` on. `calendar` is when people work and the tasks
    that need nothing: `office` (Monday to Friday, 9 to 17), `always`, one of `calendars`, or one
    written here. `holidays` are closed in every calendar with hours. Nothing is planned before
    `now`, which is the latest of what the file says has happened unless it is written. The tasks
    of each list in `together` start at the same time. `prices` are as in cost.yaml.
    """

    version: Literal[1]
    name: str = ""
    start: Moment
    now: Moment | UnsetType = UNSET
    deadline: Moment | UnsetType = UNSET
    timezone: Name = "UTC"
    unit: Unit = "1h"
    calendar: str | CalendarSpec = ALWAYS
    calendars: dict[Name, CalendarSpec] = {}
    holidays: tuple[DaysOff, ...] = ()
    people: dict[Name, PersonSpec] = {}
    resources: dict[Name, Capacity | ResourceSpec] = {}
    consumables: dict[Name, Capacity | ConsumableSpec] = {}
    budget_usd: Dollars | UnsetType = UNSET
    prices: tuple[PriceEntry, ...] = ()
    together: tuple[tuple[Name, ...], ...] = ()
    weights: WeightsSpec = WeightsSpec()
    tasks: dict[Name, TaskSpec]
