"""The whole Instance as a CP-SAT model: the proof that a plan is optimal, or how far off it is.

Work is counted in open slots, not in hours on the wall: within the open slots of its calendar a
task is one unbroken interval of fixed length. Tasks that share a resource but not a calendar meet
in the slots that are open to both; each such set of slots is a row of its own, in which again every
task is an unbroken interval.
"""

import importlib.util
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.plan.effort import Effort, Found
from sdlc_cli.plan.goal import COST, MAKESPAN, QUALITY, TARDINESS, Goal, value
from sdlc_cli.plan.instance import FF, FS, I64, NEVER, SS, Instance
from sdlc_cli.plan.meeting import Meeting

_SCALE = 1_000_000
"""Objectives that weigh several things are rounded to millionths, or so that they stay below: """
_MOST = 1e16
_BENDS = 16
_LARGE = 5_000
"""With more variables, CP-SAT would spend its first seconds on probing them one by one."""
_CLASSES = 3
"""With more sets of slots that are open to the same calendars, a resource is simplified."""


def solve(
    instance: Instance,
    hint: Found | None,
    effort: Effort,
    goal: Goal,
    meeting: Meeting | None = None,
    *,
    horizon: int | None = None,
) -> tuple[Found | None, int]:
    """The best plan that CP-SAT finds, or `hint`, and what it proves the makespan to be at least.

    Hard limits are kept or there is no plan. Without a hint, plans end before `horizon`. Where
    tasks of many calendars share a resource, the model is simplified, so that the bound holds and
    no plan is read from it.
    """
    if importlib.util.find_spec("ortools") is None:
        raise WorkError(
            msg("--exact needs OR-Tools"), hint=msg("install it: pip install 'sdlc-cli[exact]'")
        )
    from ortools.sat.python import cp_model

    top = horizon or instance.horizon
    if hint is not None and goal.objective == "makespan":
        top = min(top, hint.makespan)
    build = Model(instance, goal, top, cp_model.CpModel())
    build.everything()
    if hint is not None:
        build.hint(hint)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = effort.seconds or 60.0
    solver.parameters.num_workers = max(1, effort.jobs)
    solver.parameters.random_seed = effort.seed
    if len(build.model.proto.variables) > _LARGE:
        solver.parameters.cp_model_probing_level = 0
        solver.parameters.max_presolve_iterations = 1
    watching = None
    if meeting is not None:
        watching = _watching(cp_model, meeting, goal.objective == "makespan" and not build.relaxed)
        if goal.objective == "makespan":
            solver.best_bound_callback = lambda bound: meeting.proved(_whole(bound))
        if not meeting.enter(solver):
            return hint, 0
    status = solver.solve(build.model, watching)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return hint, 0
    proved = status == cp_model.OPTIMAL
    found = build.read(solver, proved)
    bound = 0
    if goal.objective == "makespan":
        bound = _whole(solver.best_objective_bound)
    if build.relaxed:
        met = hint is not None and goal.only_makespan and hint.makespan <= bound
        return (replace(hint, proved=True) if hint is not None and met else hint), bound
    if hint is not None and value(goal, instance, hint) <= value(goal, instance, found):
        found = replace(hint, proved=proved)
    return found, bound


def _whole(bound: float) -> int:
    return int(np.ceil(bound - 1e-6))


def _watching(cp_model: Any, meeting: Meeting, spans: bool) -> Any:
    """Tells of each solution; what it minimises is the makespan of a plan if it `spans` one."""

    class Watching(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]
        def on_solution_callback(self) -> None:
            meeting.planned(int(self.objective_value) if spans else NEVER)

    return Watching()


@dataclass(slots=True)
class Model:
    """The model, as far as it is written."""

    instance: Instance
    goal: Goal
    top: int
    model: Any
    relaxed: bool = False  # plans may overload a resource; the bound holds
    start: list[Any] = field(default_factory=list)
    finish: list[Any] = field(default_factory=list)
    chosen: list[Any] = field(default_factory=list)  # a literal for each mode
    index: dict[tuple[int, int], Any] = field(default_factory=dict)  # (task, calendar): rank
    length: dict[tuple[int, int], Any] = field(default_factory=dict)

    def everything(self) -> None:
        self._tasks()
        self._links()
        self.resources()
        self._consumables()
        self._objective()

    def slots(self, calendar: int) -> I64:
        """The open slots of a calendar, up to the end."""
        i = self.instance
        if calendar == 0:
            return np.arange(self.top, dtype=np.int64)
        slots = i.open_slots[i.open_ptr[calendar] : i.open_ptr[calendar + 1]]
        return slots[: np.searchsorted(slots, self.top)]

    def _tasks(self) -> None:
        i, m = self.instance, self.model
        for j in range(i.n):
            rows = range(i.mode_ptr[j], i.mode_ptr[j + 1])
            self.chosen += [m.new_bool_var(f"m{row}") for row in rows]
            m.add_exactly_one(self.chosen[row] for row in rows)
            if i.fixed_start[j] >= 0:
                self.start.append(m.new_constant(int(i.fixed_start[j])))
                self.finish.append(m.new_constant(int(i.fixed_finish[j])))
                continue
            last = self.top
            if i.hard[j] and i.deadline[j] < last:
                last = int(i.deadline[j])
            last = min(last, self.goal.latest)
            release = min(int(i.release[j]), last)
            self.start.append(m.new_int_var(release, last, f"s{j}"))
            self.finish.append(m.new_int_var(release, last, f"f{j}"))
            by_calendar: dict[int, list[int]] = {}
            for row in rows:
                if i.mode_duration[row] == 0:
                    m.add(self.finish[j] == self.start[j]).only_enforce_if(self.chosen[row])
                else:
                    by_calendar.setdefault(int(i.mode_calendar[row]), []).append(row)
            for calendar, own in by_calendar.items():
                self.in_calendar(j, calendar, own)

    def in_calendar(self, j: int, calendar: int, rows: list[int]) -> None:
        """Tie start and finish of a task to its ranks among the open slots of a calendar."""
        i, m = self.instance, self.model
        slots = self.slots(calendar)
        durations = [int(i.mode_duration[row]) for row in rows]
        fitting = [row for row, d in zip(rows, durations, strict=True) if d <= len(slots)]
        for row in rows:
            if row not in fitting:
                m.add(self.chosen[row] == 0)
        if not fitting:
            return
        here = m.new_bool_var(f"c{j}_{calendar}")
        m.add(sum(self.chosen[row] for row in fitting) == here)
        shortest, longest = min(durations), max(min(d, len(slots)) for d in durations)
        length: Any = shortest
        if shortest != longest or len(set(durations)) > 1:
            length = m.new_int_var(shortest, longest, f"d{j}_{calendar}")
            for row in fitting:
                m.add(length == int(i.mode_duration[row])).only_enforce_if(self.chosen[row])
        self.length[j, calendar] = length
        if calendar == 0:
            self.index[j, 0] = self.start[j]
            m.add(self.finish[j] == self.start[j] + length).only_enforce_if(here)
            return
        rank = m.new_int_var(0, len(slots) - shortest, f"i{j}_{calendar}")
        self.index[j, calendar] = rank
        begin = self._looked_up(rank, slots, 0, len(slots) - shortest)
        last = m.new_int_var(shortest - 1, len(slots) - 1, "")
        m.add(last == rank + length - 1)
        end = self._looked_up(last, slots + 1, shortest - 1, len(slots) - 1)
        m.add(self.start[j] == begin).only_enforce_if(here)
        m.add(self.finish[j] == end).only_enforce_if(here)

    def _looked_up(self, index: Any, table: I64, low: int, high: int) -> Any:
        """A variable that is `table[index]`, a table that stands or climbs by one or jumps.

        A literal for each bend says whether `index` is past it: far fewer than one a value.
        """
        m = self.model
        out = m.new_int_var(int(table[low]), int(table[high]), "")
        slopes = np.diff(table[low : high + 1])
        jumps = np.flatnonzero(slopes != 1)
        if np.count_nonzero(slopes == 0) <= 2 * _BENDS:
            total: Any = index + int(table[low]) - low
            for at in jumps.tolist():
                past = self._past(index, low + at + 1)
                total += int(slopes[at] - 1) * past
            m.add(out == total)
            return out
        bends = np.flatnonzero(np.diff(slopes) != 0) + 1
        edges = [low, *(low + bends).tolist(), high]
        past = [self._past(index, at) for at in edges[1:-1]]
        for k, (begin, end) in enumerate(pairwise(edges)):
            inside = ([past[k - 1]] if k else []) + ([~past[k]] if k < len(past) else [])
            climbs = table[end] - table[begin] == end - begin
            value = index + int(table[begin]) - begin if climbs else int(table[begin])
            m.add(out == value).only_enforce_if(*inside)
        return out

    def _past(self, index: Any, at: int) -> Any:
        """Whether `index` has come to `at`."""
        past = self.model.new_bool_var("")
        self.model.add(index >= at).only_enforce_if(past)
        self.model.add(index < at).only_enforce_if(~past)
        return past

    def _links(self) -> None:
        i, m = self.instance, self.model
        for j in range(i.n):
            if i.fixed_start[j] >= 0:
                continue
            for k in range(i.pred_ptr[j], i.pred_ptr[j + 1]):
                a, kind, lag = int(i.pred_task[k]), i.pred_kind[k], int(i.pred_lag[k])
                mine = self.start[j] if kind in (FS, SS) else self.finish[j]
                theirs = self.finish[a] if kind in (FS, FF) else self.start[a]
                m.add(mine >= theirs + lag)
        first: dict[int, int] = {}
        for j in np.flatnonzero(i.group >= 0).tolist():
            other = first.setdefault(int(i.group[j]), j)
            if other != j:
                m.add(self.start[j] == self.start[other])

    def resources(self) -> None:
        i = self.instance
        task = np.repeat(np.arange(i.n), np.diff(i.mode_ptr))
        works = (i.mode_duration > 0) & (i.fixed_start[task] < 0)
        works &= np.array([(int(j), int(c)) in self.index
                           for j, c in zip(task, i.mode_calendar, strict=True)])  # fmt: skip
        for r in range(len(i.resources)):
            rows = np.flatnonzero(works & (i.mode_demand[:, r] > 0))
            if len(rows) == 0:
                continue
            calendars = np.unique(i.mode_calendar[rows])
            mark = np.zeros(self.top, dtype=np.int64)
            for bit, c in enumerate(calendars.tolist()):
                mark[self.slots(c)] |= 1 << bit
            signatures = np.unique(mark[mark > 0]).tolist()
            if len(signatures) > _CLASSES:
                self._apart(r, rows, task)
                continue
            for signature in signatures:
                among = [c for bit, c in enumerate(calendars.tolist()) if signature >> bit & 1]
                here = [int(row) for row in rows if i.mode_calendar[row] in among]
                self._row(r, np.flatnonzero(mark == signature), here, task)

    def _apart(self, r: int, rows: np.ndarray, task: np.ndarray) -> None:
        """A resource whose tasks have too many calendars to tell their slots apart."""
        self.relaxed = True
        for c in np.unique(self.instance.mode_calendar[rows]).tolist():
            same = [int(row) for row in rows if self.instance.mode_calendar[row] == c]
            self._row(r, self.slots(c), same, task)

    def share(self, r: int, intervals: list[Any], demands: list[int]) -> None:
        capacity = int(self.instance.capacity[r])
        if min(demands) * 2 > capacity:
            self.model.add_no_overlap(intervals)
        else:
            self.model.add_cumulative(intervals, demands, capacity)

    def _row(self, r: int, slots: I64, rows: list[int], task: np.ndarray) -> None:
        """A resource in slots that are open to the very same calendars."""
        i, m = self.instance, self.model
        intervals, demands = self._facts(r, slots)
        ends: dict[tuple[int, int], tuple[Any, Any, Any]] = {}
        for row in rows:
            j, c = int(task[row]), int(i.mode_calendar[row])
            demands.append(int(i.mode_demand[row, r]))
            own = self.slots(c)
            rank, length = self.index[j, c], self.length[j, c]
            if len(own) == len(slots):
                d = int(i.mode_duration[row])
                intervals.append(
                    m.new_optional_fixed_size_interval_var(rank, d, self.chosen[row], "")
                )
                continue
            if (j, c) not in ends:
                table = np.append(np.searchsorted(slots, own), len(slots))
                begin = self._looked_up(rank, table, 0, len(table) - 1)
                stop = m.new_int_var(0, len(own), "")
                m.add(stop == rank + length)
                end = self._looked_up(stop, table, 0, len(table) - 1)
                after = m.new_int_var(0, len(slots), "")
                ends[j, c] = begin, after, end
                m.add(after == end - begin)
            begin, size, end = ends[j, c]
            intervals.append(m.new_optional_interval_var(begin, size, end, self.chosen[row], ""))
        self.share(r, intervals, demands)

    def _facts(self, r: int, slots: I64) -> tuple[list[Any], list[int]]:
        """What is done or running holds of a resource, as far as there is any of it."""
        i = self.instance
        held = np.zeros(len(slots), dtype=np.int64)
        for j in np.flatnonzero(i.fixed_start >= 0).tolist():
            row = int(i.mode_ptr[j])
            if i.mode_demand[row, r]:
                inside = (slots >= i.fixed_start[j]) & (slots < i.fixed_finish[j])
                if i.mode_calendar[row]:
                    inside &= np.isin(slots, self.slots(int(i.mode_calendar[row])))
                held += inside * i.mode_demand[row, r]
        held = held.clip(max=i.capacity[r])
        edges = np.flatnonzero(np.diff(held)) + 1
        runs = zip([0, *edges.tolist()], [*edges.tolist(), len(slots)], strict=True)
        busy = [(a, b, int(held[a])) for a, b in runs if b > a and held[a] > 0]
        fixed = [self.model.new_fixed_size_interval_var(a, b - a, "") for a, b, _ in busy]
        return fixed, [amount for *_, amount in busy]

    def _consumables(self) -> None:
        i = self.instance
        for k in range(len(i.budget)):
            terms = [
                int(i.mode_use[row, k]) * self.chosen[row]
                for row in np.flatnonzero(i.mode_use[:, k]).tolist()
            ]
            if terms:
                self.model.add(sum(terms) <= int(i.budget[k]))

    def _objective(self) -> None:
        i, m, w = self.instance, self.model, self.goal.weights
        makespan = m.new_int_var(0, max(self.top, int(i.fixed_finish.max(initial=0))), "makespan")
        for finish in self.finish:
            m.add(makespan >= finish)
        if self.goal.objective == "makespan":
            m.minimize(makespan)
            return
        weighed = [(w[MAKESPAN], makespan, self.top)]
        for j in np.flatnonzero(i.deadline < NEVER).tolist():
            late = m.new_int_var(0, self.top, "")
            m.add(late >= self.finish[j] - int(i.deadline[j]))
            weight = w[TARDINESS] * int(i.priority[j]) + w[COST] * int(i.late_cost[j])
            weighed.append((weight, late, self.top))
        for row, literal in enumerate(self.chosen):
            weight = w[COST] * int(i.mode_cost[row]) - w[QUALITY] * float(i.mode_quality[row])
            weighed.append((weight, literal, 1))
        most = sum(abs(weight) * span for weight, _, span in weighed)
        scale = min(_SCALE, _MOST / max(most, 1e-9))
        terms = [round(weight * scale) * variable for weight, variable, _ in weighed]
        m.minimize(sum(terms))

    def hint(self, found: Found) -> None:
        """Start from a plan."""
        i, m = self.instance, self.model
        for j in range(i.n):
            if i.fixed_start[j] < 0:
                m.add_hint(self.start[j], int(found.start[j]))
                m.add_hint(self.finish[j], int(found.finish[j]))
            for row in range(i.mode_ptr[j], i.mode_ptr[j + 1]):
                m.add_hint(self.chosen[row], int(row == found.mode[j]))
        for (j, c), rank in self.index.items():
            if c and i.mode_calendar[found.mode[j]] == c:
                m.add_hint(rank, int(np.searchsorted(self.slots(c), found.start[j])))

    def read(self, solver: Any, proved: bool) -> Found:
        """The plan that the solver holds."""
        mode = [row for row, literal in enumerate(self.chosen) if solver.boolean_value(literal)]
        return Found(
            start=np.array([solver.value(s) for s in self.start], dtype=np.int64),
            finish=np.array([solver.value(f) for f in self.finish], dtype=np.int64),
            mode=np.array(mode, dtype=np.int32),
            proved=proved,
        )
