"""Plans of whole teams, `sdlc plan` beside CP-SAT: the same model, the same wall time, two workers.

    .venv/bin/python tests/bench/plan_team.py [--seconds 1 5] [--seeds 10] [--rows FILE]

Ten generated projects of 60 to 150 tasks, drawn by seed. Each has

* 8 to 12 people with one to three of five skills, every fourth of them with a week off, some at 50
  or 80 percent, paid by the hour; CI runners, GPUs and an LLM rate limit that never sleep;
* tasks in up to three modes: alone, in a pair, or with an LLM that costs money and saves time;
  evaluations by one of three models; training that needs a person and a GPU at once; milestones;
* two links into a task on average (density), every eighth start-start or finish-finish with a lag,
  two groups that start together;
* a budget of 35 percent of the way from the cheapest modes to the dearest (strength).

For each is printed which share of their open time people work in our plan: how scarce they are.

CP-SAT gets no hint, and as horizon one and a half times the makespan of the best of 30 random
plans, so that its tables are small. With the model of `sdlc_cli.plan.exact`, which tells open from
closed hours on every resource, it found no plan in 5 seconds, and of project 2 none in 20. So it
gets one in which a task holds what it needs over the closed hours too: a quarter of the variables,
while a machine stands still overnight where our search may lend it. Of eight ways to word that,
this one found plans soonest.

One row for each project and time goes to --rows, where a run that was broken off goes on. Every
plan is checked.
"""

import argparse
import csv
import random
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from ortools.sat.python import cp_model

from sdlc_cli.plan import exact, general
from sdlc_cli.plan.calendars import open_slots
from sdlc_cli.plan.check import violations
from sdlc_cli.plan.compiling import compile_
from sdlc_cli.plan.decode import schedule
from sdlc_cli.plan.effort import Effort, Found
from sdlc_cli.plan.goal import goal
from sdlc_cli.plan.instance import Instance
from sdlc_cli.plan.model import Calendar, Hours, Link, Mode, Need, Project, Resource, Task

SKILLS = ("python", "web", "data", "ops", "review")
START = datetime(2027, 1, 4, 9, tzinfo=ZoneInfo("Europe/Berlin"))
DENSITY = 2.0
STRENGTH = 0.35


def project(seed: int, size: int | None = None) -> Project:
    """The project of a seed."""
    dice = random.Random(seed)
    n = size or dice.randint(60, 150)
    resources = (*_people(dice, 6 + n // 25), *_machines())
    tasks = tuple(_tasks(dice, n))
    draft = Project(
        name=f"team-{seed}",
        start=START,
        timezone="Europe/Berlin",
        calendar=_week(()),
        tasks=tasks,
        resources=resources,
        together=((tasks[3].id, tasks[4].id), (tasks[10].id, tasks[11].id)),
    )
    low, high = _costs(compile_(draft))
    budget = (low + STRENGTH * (high - low)) / 1e6
    return Project(
        name=draft.name,
        start=START,
        timezone=draft.timezone,
        calendar=draft.calendar,
        tasks=tasks,
        resources=resources,
        together=draft.together,
        budget_usd=Decimal(round(budget)),
    )


def _costs(instance: Instance) -> tuple[float, float]:
    first = instance.mode_ptr[:-1]
    low = np.minimum.reduceat(instance.mode_cost, first).sum()
    return float(low), float(np.maximum.reduceat(instance.mode_cost, first).sum())


def _week(days_off: tuple[date, ...]) -> Calendar:
    hours = tuple(Hours(weekday=d, begin=540, end=1020) for d in range(5))
    return Calendar(hours=hours, days_off=frozenset({date(2027, 1, 6), *days_off}))


def _people(dice: random.Random, count: int) -> Iterator[Resource]:
    for k in range(count):
        first = START.date() + timedelta(days=dice.randint(3, 40))
        off = [first + timedelta(days=d) for d in range(7 if k % 4 == 2 else 0)]
        skills = {SKILLS[k % len(SKILLS)], *dice.sample(SKILLS, dice.randint(0, 2))}
        yield Resource(
            id=f"p{k}",
            calendar=_week(tuple(off)),
            person=True,
            skills=frozenset(skills),
            percent=dice.choice((100, 100, 100, 80, 50)),
            usd_per_hour=Decimal(dice.randint(40, 120)),
        )


def _machines() -> Iterator[Resource]:
    yield Resource(id="ci", capacity=3, usd_per_hour=Decimal("0.5"))
    yield Resource(id="gpu", capacity=2, usd_per_hour=Decimal(4))
    yield Resource(id="llm", capacity=100)


def _tasks(dice: random.Random, n: int) -> Iterator[Task]:
    for j in range(n):
        yield Task(id=f"t{j}", modes=_modes(dice), after=tuple(_links(dice, j)))


def _links(dice: random.Random, j: int) -> Iterator[Link]:
    reach = list(range(max(0, j - 25), j - 1))
    for a in sorted(dice.sample(reach, min(len(reach), dice.randint(1, int(2 * DENSITY - 1))))):
        if dice.random() < 0.125 and j not in (4, 11):
            yield Link(task=f"t{a}", kind=dice.choice(("SS", "FF")), lag=dice.randint(0, 8))
        else:
            yield Link(task=f"t{a}", lag=dice.choice((0, 0, 0, 0, 2)))


def _need(kind: str, name: str, amount: int = 1) -> Need:
    return Need(kind="skill" if kind == "skill" else "resource", id=name, amount=amount)


def _modes(dice: random.Random) -> tuple[Mode, ...]:
    sort = dice.random()
    d = dice.randint(2, 20)
    skill = dice.choice(SKILLS)
    if sort < 0.55:
        return (
            Mode(id="alone", duration=d, needs=(_need("skill", skill),), quality=3),
            Mode(id="pair", duration=-(-d * 6 // 10), needs=(_need("skill", skill, 2),), quality=4),
            Mode(id="assisted", duration=-(-d * 7 // 10), quality=2,
                 needs=(_need("skill", skill), _need("resource", "llm", 20)),
                 cost_usd=Decimal(d * dice.randint(5, 30))),
        )  # fmt: skip
    if sort < 0.75:
        return tuple(
            Mode(id=f"model{k}", duration=max(1, d * (3 - k) // 2), quality=k,
                 needs=(_need("resource", "llm", 25 + 15 * k),), cost_usd=Decimal(d * 4 * k * k))
            for k in range(3)
        )  # fmt: skip
    if sort < 0.85:
        gpu = (_need("skill", "data"), _need("resource", "gpu", 2))
        return (
            Mode(id="one", duration=d, needs=(_need("skill", "data"), _need("resource", "gpu"))),
            Mode(id="two", duration=-(-d * 6 // 10), needs=gpu, quality=1),
        )
    if sort < 0.95:
        return (Mode(id="build", duration=-(-d // 2), needs=(_need("resource", "ci"),)),)
    return (Mode(id="milestone", duration=0),)


def load(p: Project, i: Instance, found: Found) -> float:
    """The share of their open time that people work in a plan."""
    person = np.array([r.person for r in p.resources])
    held = i.mode_demand[found.mode][:, person].sum(axis=1) * i.mode_duration[found.mode]
    slots = open_slots(p, (p.calendar,), found.makespan)
    return float(held.sum() / (person.sum() * len(slots)))


class Peer(exact.Model):
    """A team's project as CP-SAT finds plans soonest; see the head of this file."""

    def in_calendar(self, j: int, calendar: int, rows: list[int]) -> None:
        """How long a mode takes on the wall says where it may start, and where it is over."""
        if calendar == 0:
            super().in_calendar(j, calendar, rows)
            return
        slots = self.slots(calendar)
        for duration in sorted({int(self.instance.mode_duration[row]) for row in rows}):
            same = [row for row in rows if self.instance.mode_duration[row] == duration]
            begin = slots[: max(0, len(slots) - duration + 1)]
            span = slots[len(slots) - len(begin) :] + 1 - begin
            ways = [self.model.new_bool_var("") for _ in np.unique(span)]
            for way, length in zip(ways, np.unique(span).tolist(), strict=True):
                domain = cp_model.Domain.from_values(begin[span == length].tolist())
                start, finish = self.start[j], self.finish[j]
                self.model.add_linear_expression_in_domain(start, domain).only_enforce_if(way)
                self.model.add(finish == start + length).only_enforce_if(way)
            self.model.add(sum(ways) == sum(self.chosen[row] for row in same))

    def resources(self) -> None:
        """Whatever a task needs is held from its start to its finish, closed hours included."""
        i, m = self.instance, self.model
        spans = [m.new_int_var(0, self.top, "") for _ in range(i.n)]
        for span, start, finish in zip(spans, self.start, self.finish, strict=True):
            m.add(span == finish - start)
        task = np.repeat(np.arange(i.n), np.diff(i.mode_ptr))
        for r in range(len(i.resources)):
            rows = np.flatnonzero((i.mode_duration > 0) & (i.mode_demand[:, r] > 0))
            held = [
                m.new_optional_interval_var(
                    self.start[j], spans[j], self.finish[j], self.chosen[row], ""
                )
                for row, j in zip(rows.tolist(), task[rows].tolist(), strict=True)
            ]
            if held:
                self.share(r, held, i.mode_demand[rows, r].tolist())

    def plan(self, seconds: float) -> Found | None:
        """What two workers find in that time."""
        self.everything()
        self.model.add_decision_strategy(
            self.start, cp_model.CHOOSE_LOWEST_MIN, cp_model.SELECT_MIN_VALUE
        )
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = seconds
        solver.parameters.num_workers = 2
        solver.parameters.cp_model_probing_level = 0  # it would take seconds
        status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        return self.read(solver, status == cp_model.OPTIMAL)


def peer(i: Instance, seconds: float, horizon: int) -> Found | None:
    """CP-SAT, alone."""
    return Peer(i, goal(i), horizon, cp_model.CpModel()).plan(seconds)


def _checked(p: Project, i: Instance, found: Found | None) -> str:
    """The makespan, or nothing without a plan that keeps every limit; an error if wrong."""
    if found is None:
        return ""
    plan = schedule(p, i, found, goal(i))
    wrong = violations(p, plan)
    if plan.feasible and wrong:
        raise AssertionError(wrong[0].message)
    return str(plan.makespan) if plan.feasible else ""


def rows(seeds: int, times: list[float], done: set[tuple[str, str]]) -> Iterator[list[str]]:
    """Seed, seconds, our makespan and CP-SAT's; empty: no feasible plan."""
    for seed in range(1, seeds + 1):
        p = project(seed)
        i = compile_(p)
        quick = general.search(i, Effort(schedules=30), goal(i))
        for seconds in times:
            if (str(seed), str(seconds)) in done:
                continue
            ours = general.search(i, Effort(seconds=seconds, jobs=2, seed=seed), goal(i))
            theirs = peer(i, seconds, quick.makespan * 3 // 2)
            yield [
                str(seed), str(seconds), str(i.n), str(len(i.mode_base)), f"{load(p, i, ours):.2f}",
                _checked(p, i, ours), _checked(p, i, theirs),
            ]  # fmt: skip


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description="Team plans beside CP-SAT.")
    parser.add_argument("--seconds", type=float, nargs="+", default=[1.0, 5.0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rows", type=Path, default=Path("plan_team.csv"))
    args = parser.parse_args()
    known = list(csv.reader(args.rows.open())) if args.rows.exists() else []
    done = {(row[0], row[1]) for row in known}
    general.search(compile_(project(0, 20)), Effort(schedules=400), goal(compile_(project(0, 20))))
    with args.rows.open("a") as out:
        for row in rows(args.seeds, args.seconds, done):
            csv.writer(out).writerow(row)
            out.flush()
            known.append(row)
            print(*row, sep="\t", file=sys.stderr)
    for seconds in sorted({row[1] for row in known}, key=float):
        report(seconds, [row for row in known if row[1] == seconds])


def report(seconds: str, known: list[list[str]]) -> None:
    """Means over the projects that both have a plan for."""
    both = [(int(r[5]), int(r[6])) for r in known if r[5] and r[6]]
    over = [100 * (a - b) / b for a, b in both]
    print(
        f"{seconds} s: {len(known)} projects; feasible: sdlc {sum(bool(r[5]) for r in known)}, "
        f"CP-SAT {sum(bool(r[6]) for r in known)}"
    )
    if over:
        better, worse = sum(a < b for a, b in both), sum(a > b for a, b in both)
        print(
            f"   mean makespan: sdlc {np.mean([a for a, _ in both]):.1f}, "
            f"CP-SAT {np.mean([b for _, b in both]):.1f}; sdlc over CP-SAT {np.mean(over):+.2f} %; "
            f"better {better}, equal {len(both) - better - worse}, worse {worse}"
        )


if __name__ == "__main__":
    begin = time.perf_counter()
    main()
    print(f"{time.perf_counter() - begin:.0f} s", file=sys.stderr)
