"""Sheet -> JSON, the form that other programs rely on. docs/plan.md lists its keys."""

from collections.abc import Sequence

from sdlc_cli.core.jsontext import dumped
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.plan.difference import Difference, Plan
from sdlc_cli.plan.explain import Explainer, Step, order_of
from sdlc_cli.plan.model import Placement, Project, Schedule, Task
from sdlc_cli.plan.relax import Relaxation
from sdlc_cli.plan.report import SCHEMA_VERSION, Sheet, tables
from sdlc_cli.plan.report.clock import Clock
from sdlc_cli.plan.report.summary import miss as miss_text
from sdlc_cli.plan.report.summary import step as step_text
from sdlc_cli.plan.report.summary import usd_text
from sdlc_cli.plan.risk import Risk
from sdlc_cli.plan.verdict import Miss, penalties, penalty
from sdlc_cli.plan.whatif import Change


def render(sheet: Sheet, view: View = DEFAULT) -> str:
    """Always English; money as decimal text; times in UTC."""
    del view
    return dumped(document(sheet))


def document(sheet: Sheet) -> dict[str, object]:
    """The result as JSON has it."""
    plan, project, clock = sheet.schedule, sheet.project, Clock(sheet.project)
    chain = order_of(Explainer(sheet.network).critical_chain(sheet.slack))
    return {
        "schema_version": SCHEMA_VERSION,
        "name": project.name,
        "source": project.source,
        "feasible": sheet.passed,
        "interrupted": sheet.interrupted,
        **_totals(plan, clock),
        "penalty_usd": usd_text(penalties(project, plan)),
        "lower_bound": plan.lower_bound,
        "gap": round(plan.gap, 6),
        "proved_optimal": plan.proved_optimal,
        "tardiness": plan.tardiness,
        "objective": plan.objective,
        "start_time": clock.utc(0),
        "timezone": project.timezone,
        "unit_seconds": project.unit_seconds,
        "deadline_time": None if project.deadline is None else clock.utc(project.deadline),
        "budget_usd": None if project.budget_usd is None else usd_text(project.budget_usd),
        "schedules_evaluated": plan.schedules_evaluated,
        "seed": plan.seed,
        "engine": plan.engine,
        "search_seconds": round(plan.search_seconds, 3),
        "startup_seconds": round(sheet.startup_seconds, 3),
        "tasks": [_task(sheet, i, clock) for i in range(len(project.tasks))],
        "critical_chain": list(chain),
        "front": [
            {**_totals(one, clock), "feasible": one.feasible, "tasks": _placed(one, project, clock)}
            for one in (sheet.front.schedules if sheet.front else ())
        ],
        "front_complete": sheet.front.complete if sheet.front else None,
        "infeasible_because": [_miss(one, project) for one in sheet.misses if one.fails],
        "late": [_miss(one, project) for one in sheet.misses if not one.fails],
        "relaxations": [_relaxation(one, clock) for one in sheet.relaxations],
        "explanation": [_step(one, clock) for one in sheet.explained],
        "risk": sheet.risk and _risk(sheet.risk, clock),
        "difference": sheet.difference and _difference(sheet.difference, clock),
        "what_if": sheet.what_if
        and {
            "changes": [_change(one) for one in sheet.what_if.changes],
            **_difference(sheet.what_if.difference, clock),
        },
    }


def _totals(plan: Schedule, clock: Clock) -> dict[str, object]:
    return {
        "makespan": plan.makespan,
        "makespan_hours": round(clock.hours(plan.makespan), 6),
        "finish_time": clock.utc(plan.makespan),
        "cost_usd": usd_text(plan.cost_usd),
        "quality": plan.quality,
    }


def _task(sheet: Sheet, i: int, clock: Clock) -> dict[str, object]:
    task, placed = sheet.project.tasks[i], sheet.schedule.placements[i]
    slack = sheet.slack[i]
    return {
        "id": task.id,
        "name": task.name,
        **_place(task, placed, clock),
        "critical": tables.is_critical(sheet, i),
        "slack": slack,
        "slack_hours": None if slack is None else round(clock.hours(slack), 6),
        "status": task.status,
        "deadline_time": None if task.deadline is None else clock.utc(task.deadline),
        "late": 0 if task.deadline is None else max(0, placed.finish - task.deadline),
        "cost_usd": usd_text(tables.cost(sheet, i)),
        "penalty_usd": usd_text(penalty(sheet.project, task, placed)),
    }


def _place(task: Task, placed: Placement, clock: Clock) -> dict[str, object]:
    return {
        "start": placed.start,
        "finish": placed.finish,
        "start_time": clock.utc(placed.start),
        "finish_time": clock.utc(placed.finish),
        "mode": task.modes[placed.mode].id or None,
        "mode_number": placed.mode,
        "resources": dict(placed.resources),
    }


def _placed(plan: Schedule, project: Project, clock: Clock) -> list[dict[str, object]]:
    return [
        {"id": task.id, **_place(task, placed, clock)}
        for task, placed in zip(project.tasks, plan.placements, strict=True)
    ]


def _miss(one: Miss, project: Project) -> dict[str, object]:
    return {
        "kind": one.kind.replace(" ", "_"),
        "name": one.name or None,
        "limit": f"{one.limit:f}",
        "got": f"{one.got:f}",
        "by": f"{one.by:f}",
        "message": str(miss_text(one, project)),
    }


def _change(one: Change) -> dict[str, object]:
    return {
        "kind": one.kind.replace(" ", "_"),
        "name": one.name or None,
        "sign": one.sign,
        "amount": f"{one.amount:f}",
        "text": one.written,
    }


def _relaxation(one: Relaxation, clock: Clock) -> dict[str, object]:
    return {"changes": [_change(c) for c in one.changes], **_totals(one.schedule, clock)}


def _step(one: Step, clock: Clock) -> dict[str, object]:
    return {
        "task": one.task,
        "start": one.start,
        "start_time": clock.utc(one.start),
        "because": one.because,
        "of": one.of or None,
        "others": list(one.others),
        "resource": one.resource or None,
        "kind": one.kind if one.because == "link" else None,
        "lag": one.lag,
        "ready": one.ready,
        "ready_time": clock.utc(one.ready),
        "text": str(step_text(one, clock)),
    }


def _risk(risk: Risk, clock: Clock) -> dict[str, object]:
    return {
        "samples": risk.samples,
        "seed": risk.seed,
        "uncertain_tasks": risk.uncertain,
        "levels": [
            {
                "percent": level,
                "finish": finish,
                "finish_time": clock.utc(finish),
                "cost_usd": usd_text(dict(risk.cost_usd)[level]),
            }
            for level, finish in risk.finish
        ],
        "as_planned": round(risk.planned, 6),
        "on_time": None if risk.on_time is None else round(risk.on_time, 6),
        "in_budget": None if risk.in_budget is None else round(risk.in_budget, 6),
        "drivers": [
            {"task": one.task, "share": one.share, "critical": one.critical} for one in risk.drivers
        ],
    }


def _difference(found: Difference, clock: Clock) -> dict[str, object]:
    return {
        "before": _compared(found.old, clock),
        "after": _compared(found.new, clock),
        "changed": [
            {
                "task": one.task,
                "start": list(one.start),
                "finish": list(one.finish),
                "moved": one.moved,
                "mode": _words(one.mode),
                "gained": list(one.gained),
                "lost": list(one.lost),
            }
            for one in found.changed
        ],
        "added": list(found.added),
        "removed": list(found.removed),
        "same": found.same,
    }


def _words(modes: Sequence[str]) -> list[str | None]:
    return [mode or None for mode in modes]


def _compared(plan: Plan, clock: Clock) -> dict[str, object]:
    return {
        "feasible": plan.feasible,
        "makespan": plan.makespan,
        "finish_time": clock.utc(plan.makespan),
        "cost_usd": usd_text(plan.cost_usd),
        "quality": plan.quality,
    }
