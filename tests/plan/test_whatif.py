"""Changes in a few words: what they mean, what they do, and what is refused."""

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdlc_cli.core.errors import UsageError
from sdlc_cli.plan.model import Consumable, Link, Project
from sdlc_cli.plan.whatif import apply, parse

Tiny = Any


@pytest.fixture
def wide(team: Project) -> Project:
    """With a deadline, something used up, and names that hold signs."""
    odd = replace(team.tasks[1], id="task-7", after=(), deadline=90)
    return replace(
        team,
        deadline=120,
        tasks=(*team.tasks, odd),
        consumables=(Consumable(id="c++ licences", capacity=3),),
        resources=(*team.resources, replace(team.resources[3], id="gpu-1")),
    )


def made(project: Project, *words: str) -> Project:
    return apply(project, [parse(word, project) for word in words])


@pytest.mark.parametrize(
    ("words", "kind", "name", "amount"),
    [
        ("dev+1", "skill", "dev", 1),
        ("ana - 1", "person", "ana", 1),
        ("runner=4", "capacity", "runner", 4),
        ("gpu-1+2", "capacity", "gpu-1", 2),
        ("c++ licences-2", "consumable", "c++ licences", 2),
        ("budget+50", "budget", "budget", 50),
        ("budget+$12.50", "budget", "budget", Decimal("12.50")),
        ("deadline+2d", "deadline", "", 48),
        ("task-7.deadline-30min", "task deadline", "task-7", 1),
        ("deadline+1d12h", "deadline", "", 36),
        ("task-7.deadline+1w 1d 2h", "task deadline", "task-7", 194),
        ("task-7*1.5", "duration", "task-7", Decimal("1.5")),
        ("drop task-7", "drop", "task-7", 0),
        ("DROP task-7 ", "drop", "task-7", 0),
    ],
)
def test_words_are_understood(
    wide: Project, words: str, kind: str, name: str, amount: Decimal
) -> None:
    change = parse(words, wide)

    assert (change.kind, change.name, change.amount) == (kind, name, amount)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("dve+1", "--what-if 'dev+1'"),
        ("drop task7", "--what-if 'drop task-7'"),
        ("task-7+1", "--what-if 'drop task-7'"),
        ("runner+1.5", "--what-if 'runner+1'"),
        ("runner+2h", "--what-if 'runner+2'"),
        ("dev=3", "--what-if 'dev+1'"),
        ("dev+9999", "--what-if 'dev+1'"),
        ("deadline+2x", "--what-if 'deadline+2d'"),
        ("deadline=5h", "--what-if 'deadline+2d'"),
        ("runner*2", "--what-if 'design*1.5'"),
        ("task-7*-1", "--what-if 'task-7*1.5'"),
        ("deadline+1d2", "--what-if 'deadline+2d'"),
        ("task-7.deadline+1x2h", "--what-if 'task-7.deadline+2d'"),
        ("", "--what-if 'dev+1'"),
        ("+", "--what-if 'dev+1'"),
        ("ship.deadlin+1h", "--what-if 'ship.deadline+1'"),
        ("budget+nan", "--what-if 'budget+1'"),
        ("runner+1234567890123", "--what-if 'runner+1'"),
    ],
)
def test_other_words_are_refused_with_a_way_out(wide: Project, words: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(words, wide)

    assert refused.value.hint == hint


@settings(max_examples=50)
@given(words=st.text(max_size=30))
def test_no_words_end_in_a_traceback(team: Project, words: str) -> None:
    with suppress(UsageError):
        apply(team, [parse(words, team)])


def test_a_skill_grows_by_people_like_those_who_have_it(team: Project) -> None:
    after = made(team, "dev+2")

    added = after.resources[len(team.resources) :]
    assert [one.id for one in added] == ["dev+1", "dev+2"]
    assert all(one.skills == {"dev"} and one.person for one in added)
    assert added[0].usd_per_hour == 80
    assert len({one.id for one in made(after, "dev+1").resources}) == len(team.resources) + 3


def test_who_is_named_by_a_task_stays(team: Project) -> None:
    after = made(team, "dev-1")

    assert [one.id for one in after.resources] == ["ana", "cy", "runner"], "docs name ana"
    with pytest.raises(UsageError, match="1 can go"):
        made(team, "dev-2")
    with pytest.raises(UsageError, match="0 can go, the others are named by tasks, as docs") as no:
        made(team, "ana-1")
    assert no.value.hint == "", "one more of her is not what was asked for"
    with pytest.raises(UsageError) as some:
        made(team, "dev-2")
    assert some.value.hint == "--what-if 'dev-1'"


def test_amounts_change(wide: Project) -> None:
    after = made(
        wide, "runner+1", "c++ licences=9", "budget-4000.5", "deadline-5h", "task-7.deadline+2h"
    )

    assert after.resources[3].capacity == 3
    assert after.consumables[0].capacity == 9
    assert after.budget_usd == 0, "less than nothing cannot be spent"
    assert after.deadline == 115
    assert after.by_id["task-7"].deadline == 92
    with pytest.raises(UsageError, match="2 of runner only"):
        made(wide, "runner-3")


def test_a_deadline_moves_before_the_start_only_where_it_may_be_missed(wide: Project) -> None:
    soft = replace(wide.tasks[-1], hard=False, late_usd_per_hour=Decimal(3))
    early = replace(wide.tasks[-1], id="late-7", release=80)
    project = replace(wide, tasks=(*wide.tasks[:-1], soft, early))

    assert made(project, "task-7.deadline-3w").by_id["task-7"].deadline == 90 - 504
    for words, why in (
        ("deadline-5d", "before the start"),
        ("late-7.deadline-90h", "before the start"),
        ("late-7.deadline-11h", "before earliest_start"),
    ):
        with pytest.raises(UsageError, match=why):
            made(project, words)


def test_a_task_takes_longer_in_every_mode(team: Project) -> None:
    after = made(team, "service*1.5", "evaluate*0.5")

    mode = after.by_id["service"].modes[0]
    assert (mode.low, mode.duration, mode.high) == (18, 24, 45)
    assert [m.duration for m in after.by_id["evaluate"].modes] == [1, 3], "rounded up"


def test_what_comes_after_a_dropped_task_keeps_what_came_before_it(team: Project) -> None:
    after = made(team, "drop schema")

    assert "schema" not in after.by_id
    assert after.by_id["client"].after == (Link(task="design"),)
    assert len(made(team, "drop ship").tasks) == 9


def test_the_only_task_cannot_be_dropped(tiny: Tiny) -> None:
    project = Project(start=tiny.START, tasks=(tiny.task("a", 1),))

    with pytest.raises(UsageError, match="only task"):
        made(project, "drop a")


def test_a_group_of_one_is_none(team: Project) -> None:
    project = replace(team, together=(("docs", "schema"), ("build", "load", "review")))

    assert made(project, "drop docs", "drop load").together == (("build", "review"),)


@pytest.mark.parametrize("words", ["budget+5", "deadline+1d", "a.deadline+1d"])
def test_what_is_not_there_cannot_be_moved(tiny: Tiny, words: str) -> None:
    project = Project(start=tiny.START, tasks=(tiny.task("a", 1), tiny.task("b", 1)))

    with pytest.raises(UsageError, match=r"no (budget|deadline)"):
        parse(words, project)


def test_a_change_of_nothing_changes_nothing(team: Project) -> None:
    assert apply(team, []) == team
