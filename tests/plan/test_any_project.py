"""Whatever the project: its plan is explained, shifted, tried and printed."""

import json
from dataclasses import replace

import numpy as np
from hypothesis import Phase, assume, given, settings

from sdlc_cli.core.view import View
from sdlc_cli.plan import network, report, walks
from sdlc_cli.plan.check import violations
from sdlc_cli.plan.explain import Explainer
from sdlc_cli.plan.model import Project, Schedule
from sdlc_cli.plan.network import Network
from sdlc_cli.plan.report import FORMATS, load
from sdlc_cli.plan.risk import assess
from tests.plan.projects import naive, projects


def dated(made: Network, not_before: tuple[int, ...] = ()) -> Schedule:
    """The plan with every task as early as the order lets it."""
    durations = [np.array([d], np.int64) for d in made.duration]
    starts, ends = walks.earliest(made, durations, not_before)
    placements = tuple(
        replace(p, start=int(s[0]), finish=int(e[0]))
        for p, s, e in zip(made.schedule.placements, starts, ends, strict=True)
    )
    return replace(
        made.schedule,
        placements=placements,
        makespan=max((p.finish for p in placements), default=0),
    )


def uses_a_pause(made: Network) -> bool:
    """True where a unit works for one task in the pause of another: arcs cannot say all of that."""
    return any(arc.why == "resource" and arc.kind == "SS" for arc in made.arcs)


DATES = {"calendar", "duration", "release", "link", "together", "capacity"}


def broken(project: Project, plan: Schedule) -> list[str]:
    """What the independent checker finds in its dates."""
    return [str(v.message) for v in violations(project, plan) if v.kind in DATES]


@settings(max_examples=60, phases=[Phase.generate])
@given(project=projects(most_tasks=6, facts=False))
def test_every_date_that_keeps_the_order_keeps_the_rules(project: Project) -> None:
    plan = naive(project)
    made = network.build(project, plan, 3 * plan.makespan + 2000)
    assume(not uses_a_pause(made))

    early = dated(made)
    assert broken(project, early) == []
    assert early.makespan <= plan.makespan


@settings(max_examples=60, phases=[Phase.generate])
@given(project=projects(most_tasks=6, facts=False))
def test_a_task_may_lose_its_slack(project: Project) -> None:
    plan = naive(project)
    made = network.build(project, plan, 3 * plan.makespan + 2000)
    assume(not uses_a_pause(made))

    for i, slack in enumerate(walks.slack(made)):
        if slack is None or project.tasks[i].status != "todo":
            continue
        floor = [p.start for p in plan.placements]
        work = made.worktimes[i].slots
        if work is None or not made.duration[i]:
            floor[i] += slack
        else:
            floor[i] = int(work[np.searchsorted(work, floor[i]) + slack])
        late = dated(made, tuple(floor))
        assert late.makespan <= plan.makespan
        assert broken(project, late) == []


@settings(max_examples=40, phases=[Phase.generate])
@given(project=projects(most_tasks=5))
def test_every_answer_is_given(project: Project) -> None:
    sheet = report.sheet(project, naive(project))
    explainer = Explainer(sheet.network)

    for task in project.tasks:
        steps = explainer.chain(task.id)
        assert steps[0].task == task.id
        assert len({step.task for step in steps}) == len(steps)
    risk = assess(project, sheet.schedule, samples=20)
    assert risk.finish[0][1] <= risk.finish[-1][1]
    whole = replace(sheet, risk=risk, explained=explainer.critical_chain(sheet.slack))
    for form in FORMATS:
        assert load(form).render(whole, View(width=60))
    document = json.loads(load("json").render(whole))
    assert document["makespan"] == sheet.schedule.makespan
