"""The JSON Schemas of the plan job: tasks.yaml as it is written, the JSON that a plan prints."""

from collections.abc import Callable, Mapping

from sdlc_cli.core import schema
from sdlc_cli.core.schema import DRAFT, Schema
from sdlc_cli.cost.schema_parts import (
    COUNT,
    FLAG,
    MAYBE_TEXT,
    NUMBER,
    SHARE,
    SIGNED_USD,
    TEXT,
    TIME,
    chosen,
    closed,
    described,
    listed,
    maybe,
)
from sdlc_cli.plan.model import OBJECTIVES
from sdlc_cli.plan.options import TasksFile
from sdlc_cli.plan.report import SCHEMA_VERSION

_SLOT: Schema = {"type": "integer"}
_MAYBE_SLOT: Schema = {"type": ["integer", "null"]}
_AMOUNTS: Schema = {"type": "object", "additionalProperties": {"type": "integer"}}
_DECIMAL: Schema = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}


def tasks() -> Schema:
    """The schema of tasks.yaml."""
    return schema.build(TasksFile, "tasks.yaml")


def report() -> Schema:
    """The schema of `sdlc plan --format json`."""
    return {
        "$schema": DRAFT,
        "title": "The result of sdlc plan",
        **closed(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "name": TEXT,
                "source": described(TEXT, "The file that was read."),
                "feasible": described(FLAG, "Every hard limit is kept."),
                "interrupted": described(FLAG, "Somebody ended the search: the best so far."),
                **_totals(),
                "penalty_usd": described(
                    SIGNED_USD, "Of cost_usd, for being late; the budget holds the rest."
                ),
                "lower_bound": described(COUNT, "No plan has a smaller makespan."),
                "gap": described(SHARE, "(makespan - lower_bound) / makespan."),
                "proved_optimal": described(FLAG, "Nothing is better by the objective."),
                "tardiness": described(COUNT, "Sum of priority times slots late."),
                "objective": chosen(*OBJECTIVES),
                "start_time": TIME,
                "timezone": TEXT,
                "unit_seconds": described(COUNT, "The length of a slot."),
                "deadline_time": TIME,
                "budget_usd": maybe(SIGNED_USD),
                "schedules_evaluated": COUNT,
                "seed": COUNT,
                "engine": TEXT,
                "search_seconds": described({"type": "number"}, "Wall time from the kernel on."),
                "startup_seconds": described({"type": "number"}, "Wall time before the search."),
                "tasks": listed(_task()),
                "critical_chain": described(
                    listed(TEXT), "The critical tasks that the finish hangs on, first to last."
                ),
                "front": listed(_point()),
                "front_complete": {"type": ["boolean", "null"]},
                "infeasible_because": described(listed(_miss()), "What may not be missed."),
                "late": described(listed(_miss()), "Deadlines missed at a price."),
                "relaxations": described(
                    listed(closed({"changes": listed(_change()), **_totals()})),
                    "Each keeps every limit, as planning again has shown.",
                ),
                "explanation": listed(_step()),
                "risk": maybe(_risk()),
                "difference": maybe(closed(_difference())),
                "what_if": maybe(closed({"changes": listed(_change()), **_difference()})),
            }
        ),
    }


SCHEMAS: Mapping[str, Callable[[], Schema]] = {"tasks": tasks, "plan-report": report}


def get(name: str) -> Schema:
    """The schema called `name` in `SCHEMAS`. Raises KeyError."""
    return SCHEMAS[name]()


def _totals() -> Schema:
    return {
        "makespan": described(COUNT, "The last finish, in slots from the start."),
        "makespan_hours": {"type": "number"},
        "finish_time": TIME,
        "cost_usd": described(SIGNED_USD, "Of all tasks, late penalties included."),
        "quality": {"type": "number"},
    }


def _place() -> Schema:
    return {
        "start": described(_SLOT, "In slots from the start of the project."),
        "finish": described(_SLOT, "The first slot after it."),
        "start_time": TIME,
        "finish_time": TIME,
        "mode": described(MAYBE_TEXT, "The id of its mode; null where it has none."),
        "mode_number": described(COUNT, "The place of its mode among those of the task."),
        "resources": described(_AMOUNTS, "What it holds: people with 1, others with their units."),
    }


def _task() -> Schema:
    return closed(
        {
            "id": TEXT,
            "name": TEXT,
            **_place(),
            "critical": described(FLAG, "The project ends later when it starts later."),
            "slack": described(_MAYBE_SLOT, "Working slots that it may lose; null when done."),
            "slack_hours": NUMBER,
            "status": chosen("todo", "running", "done"),
            "deadline_time": TIME,
            "late": described(COUNT, "Slots after its deadline."),
            "cost_usd": described(SIGNED_USD, "Its mode, and the hours of what it holds."),
            "penalty_usd": described(SIGNED_USD, "For being late, beside cost_usd."),
        }
    )


def _point() -> Schema:
    return closed(
        {**_totals(), "feasible": FLAG, "tasks": listed(closed({"id": TEXT, **_place()}))}
    )


def _miss() -> Schema:
    return closed(
        {
            "kind": chosen("deadline", "project_deadline", "late", "budget", "consumable"),
            "name": described(MAYBE_TEXT, "The task, or what is used up."),
            "limit": described(_DECIMAL, "Slots, dollars or units, as the kind has them."),
            "got": _DECIMAL,
            "by": _DECIMAL,
            "message": TEXT,
        }
    )


def _change() -> Schema:
    kinds = (
        "capacity", "person", "skill", "consumable", "budget", "deadline", "task_deadline",
        "drop", "duration",
    )  # fmt: skip
    return closed(
        {
            "kind": chosen(*kinds),
            "name": MAYBE_TEXT,
            "sign": chosen("+", "-", "=", "*"),
            "amount": described(_DECIMAL, "People, units, dollars, slots, or a factor."),
            "text": described(TEXT, "As --what-if takes it."),
        }
    )


def _step() -> Schema:
    because = (
        "start", "now", "release", "fact", "link", "resource", "calendar", "together", "choice",
    )  # fmt: skip
    return closed(
        {
            "task": TEXT,
            "start": _SLOT,
            "start_time": TIME,
            "because": chosen(*because),
            "of": described(MAYBE_TEXT, "The task that it waits for."),
            "others": described(listed(TEXT), "Who else holds the resource."),
            "resource": MAYBE_TEXT,
            "kind": maybe(chosen("FS", "SS", "FF", "SF")),
            "lag": _SLOT,
            "ready": described(_SLOT, "From here on all else would have let it begin."),
            "ready_time": TIME,
            "text": TEXT,
        }
    )


def _risk() -> Schema:
    level = {"percent": COUNT, "finish": COUNT, "finish_time": TIME, "cost_usd": SIGNED_USD}
    return closed(
        {
            "samples": COUNT,
            "seed": COUNT,
            "uncertain_tasks": described(COUNT, "Tasks with p10 and p90."),
            "levels": described(listed(closed(level)), "What so many percent stay within."),
            "as_planned": described(SHARE, "Done no later than planned."),
            "on_time": described(SHARE, "Hard deadlines kept; null without one."),
            "in_budget": described(SHARE, "The budget kept; null without one."),
            "drivers": listed(
                closed(
                    {
                        "task": TEXT,
                        "share": described(SHARE, "Of the variance of the finish."),
                        "critical": described(SHARE, "Of the samples, on a longest way."),
                    }
                )
            ),
        }
    )


def _difference() -> Schema:
    totals = {
        "feasible": FLAG,
        "makespan": _SLOT,
        "finish_time": TIME,
        "cost_usd": SIGNED_USD,
        "quality": {"type": "number"},
    }
    pair: Schema = {**listed(_SLOT), "minItems": 2, "maxItems": 2}
    change = {
        "task": TEXT,
        "start": described(pair, "Before and after, in slots."),
        "finish": pair,
        "moved": described(_SLOT, "Slots by which it starts later."),
        "mode": described(listed(MAYBE_TEXT), "Before and after."),
        "gained": described(listed(TEXT), "What it holds now and did not."),
        "lost": listed(TEXT),
    }
    return {
        "before": closed(totals),
        "after": closed(totals),
        "changed": listed(closed(change)),
        "added": listed(TEXT),
        "removed": listed(TEXT),
        "same": described(COUNT, "Tasks that are as they were."),
    }
