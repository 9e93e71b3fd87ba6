"""Plans the projects of a PSPLIB archive, CP-SAT beside, and holds both against the best known.

    python tests/bench/plan_psplib.py j120.zip --best best_known.csv --rows j120.csv
        [--seconds 1 | --cpu 2 | --schedules 5000] [--draw 60] [--seed 1] [--jobs 2] [--alone]

The archive holds .sm or .rcp files (PSPLIB's J30 to J120, RG300); `best_known.csv` has the columns
set, instance, lower_bound, best_known, critical_path. Both are read where they lie; nothing is
fetched. Every plan is checked by plan.check.

The two run by turns, each with `--jobs` workers: for `--seconds` of wall time, or for about
`--cpu` seconds of user and system time, which means the same on a busy machine (ours by its pace at
the beginning, so often for less; never for more). `--schedules`
bounds ours alone, which then needs no clock; CP-SAT is left out there and with `--alone`. CP-SAT's
time begins when its model is built. A row for each project goes to the end of `--rows` at once,
and what is there is not done again; the summary is over all rows of that limit and draw.
"""

import argparse
import csv
import random
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import fmean
from typing import Any

from sdlc_cli.plan import plain, readers
from sdlc_cli.plan.bounds import makespan as lower_bound
from sdlc_cli.plan.check import violations
from sdlc_cli.plan.compiling import compile_
from sdlc_cli.plan.effort import Effort, Found
from sdlc_cli.plan.instance import Instance
from sdlc_cli.plan.model import Placement, Project, Schedule
from sdlc_cli.plan.search import ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of one project."""

    instance: str
    limit: str
    best_known: int
    critical_path: int
    bound: int
    ours: int
    ours_schedules: int
    ours_cpu: float
    ours_wall: float
    proved: int = 0
    cp_sat: int = 0  # 0: no plan, or not asked
    cp_sat_bound: int = 0
    cp_sat_cpu: float = 0.0
    cp_sat_wall: float = 0.0


def main(words: list[str]) -> None:
    """Run what the rows lack, then print the summary."""
    asked = _arguments(words)
    aims = known(asked.best, asked.archive.stem)
    names = sorted(aims)
    if asked.draw:
        names = random.Random(asked.seed).sample(names, min(asked.draw, len(names)))
    ready("small")  # compiled, or loaded
    done = {row.instance: row for row in _rows(asked.rows) if row.limit == _limit(asked)}
    for name, project in archived(asked.archive, [n for n in names if n not in done]):
        row = _try(asked, project, name, *aims[name])
        _append(asked.rows, row)
        done[name] = row
        print(f"{name}: {row.ours} (CP-SAT {row.cp_sat or '-'}, best known {row.best_known})")
    _summary(_limit(asked), [done[name] for name in names if name in done])


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("archive", type=Path)
    parser.add_argument("--best", type=Path, required=True)
    parser.add_argument("--rows", type=Path, required=True)
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument("--seconds", type=float)
    limit.add_argument("--cpu", type=float)
    limit.add_argument("--schedules", type=int)
    parser.add_argument("--draw", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--alone", action="store_true")
    asked = parser.parse_args(words)
    if not (asked.seconds or asked.cpu or asked.schedules):
        asked.seconds = 1.0
    return asked


def _limit(asked: argparse.Namespace) -> str:
    given = {"s": asked.seconds, "cpu-s": asked.cpu, "schedules": asked.schedules}
    amount, unit = next((value, unit) for unit, value in given.items() if value)
    return f"{amount:g} {unit}, {asked.jobs} jobs"


def known(path: Path, archive: str) -> dict[str, tuple[int, int]]:
    """Best known makespan and critical path of each project of the set."""
    with path.open(newline="") as lines:
        return {
            row["instance"]: (int(row["best_known"]), int(row["critical_path"]))
            for row in csv.DictReader(lines)
            if row["set"] == archive
        }


def archived(archive: Path, names: list[str]) -> Iterator[tuple[str, Project]]:
    """The projects of an archive by the names of their files."""
    with zipfile.ZipFile(archive) as files, tempfile.TemporaryDirectory() as folder:
        held = {Path(member).name: member for member in files.namelist()}
        for name in names:
            path = Path(folder, name)
            path.write_bytes(files.read(held[name]))
            yield name, readers.load(path)


def _try(
    asked: argparse.Namespace, project: Project, name: str, best_known: int, critical_path: int
) -> Row:
    instance = compile_(project)
    effort = _effort(asked, instance)
    cpu, wall = _cpu(), time.monotonic()
    found = plain.search(instance, effort, lambda _: not asked.cpu or _cpu() - cpu < asked.cpu)
    ours_cpu, ours_wall = _cpu() - cpu, time.monotonic() - wall
    wrong = violations(project, _schedule(project, instance, found))
    bound = lower_bound(instance)
    if wrong or found.makespan < bound:
        raise SystemExit(f"{name}: {wrong or 'below its bound'}")
    row: dict[str, Any] = {
        "instance": name,
        "limit": _limit(asked),
        "best_known": best_known,
        "critical_path": critical_path,
        "bound": bound,
        "ours": found.makespan,
        "ours_schedules": found.schedules,
        "ours_cpu": round(ours_cpu, 3),
        "ours_wall": round(ours_wall, 3),
        "proved": int(found.proved),
    }
    if not asked.alone and not asked.schedules:
        row |= cp_sat(instance, asked.seconds, asked.cpu, asked.jobs)
    return Row(**row)


def _effort(asked: argparse.Namespace, instance: Instance) -> Effort:
    if asked.seconds:
        return Effort(seconds=asked.seconds, jobs=asked.jobs)
    schedules = asked.schedules
    if asked.cpu:  # the pace, from what the second ten thousand take: the start costs once
        marks = [_cpu()]
        for trial in (10_000, 20_000):
            made = plain.search(instance, Effort(schedules=trial, seed=1)).schedules
            marks.append(_cpu())
        more = (marks[2] - marks[1]) - (marks[1] - marks[0])
        schedules = int(min(made, 10_000) / max(more, 0.01) * asked.cpu)
    return Effort(schedules=schedules, jobs=asked.jobs)


def _schedule(project: Project, instance: Instance, found: Found) -> Schedule:
    placements = []
    for j, (start, finish) in enumerate(zip(found.start, found.finish, strict=True)):
        held = zip(instance.resources, instance.mode_demand[j].tolist(), strict=True)
        placements.append(
            Placement(
                task=instance.tasks[j],
                start=int(start),
                finish=int(finish),
                resources=tuple((name, units) for name, units in held if units),
            )
        )
    return Schedule(placements=tuple(placements), makespan=found.makespan)


def cp_sat(
    instance: Instance, seconds: float | None, cpu: float | None, jobs: int
) -> dict[str, float]:
    """The usual model: an interval a task, a cumulative a resource, the makespan to lessen."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    longest = int(instance.mode_duration.sum())
    end = model.new_int_var(0, longest, "")
    starts = [model.new_int_var(0, longest, "") for _ in range(instance.n)]
    lengths = instance.mode_duration.tolist()
    intervals = [
        model.new_fixed_size_interval_var(s, d, "") for s, d in zip(starts, lengths, strict=True)
    ]
    for j in range(instance.n):
        model.add(end >= starts[j] + lengths[j])
        for before in instance.pred_task[instance.pred_ptr[j] : instance.pred_ptr[j + 1]]:
            model.add(starts[j] >= starts[before] + lengths[before])
    for units, capacity in zip(
        instance.mode_demand.T.tolist(), instance.capacity.tolist(), strict=True
    ):
        used = [(i, u) for i, u in zip(intervals, units, strict=True) if u]
        model.add_cumulative([i for i, _ in used], [u for _, u in used], capacity)
    model.minimize(end)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = jobs
    if seconds:
        solver.parameters.max_time_in_seconds = seconds
    begin, wall = _cpu(), time.monotonic()
    over = threading.Event()
    if cpu:
        threading.Thread(target=_stop, args=(solver, begin + cpu, over), daemon=True).start()
    status = solver.solve(model)
    over.set()
    solved = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return {
        "cp_sat": round(solver.objective_value) if solved else 0,
        "cp_sat_bound": round(solver.best_objective_bound),
        "cp_sat_cpu": round(_cpu() - begin, 3),
        "cp_sat_wall": round(time.monotonic() - wall, 3),
    }


def _stop(solver: Any, moment: float, over: threading.Event) -> None:
    while not over.wait(0.02):
        if _cpu() >= moment:
            solver.stop_search()


def _cpu() -> float:
    return time.process_time()  # user and system, of all threads


def _rows(path: Path) -> list[Row]:
    if not path.exists():
        return []
    with path.open(newline="") as lines:
        return [
            Row(**{f.name: f.type(row[f.name]) for f in fields(Row)})  # type: ignore[operator]
            for row in csv.DictReader(lines)
        ]


def _append(path: Path, row: Row) -> None:
    fresh = not path.exists()
    with path.open("a", newline="") as lines:
        writer = csv.DictWriter(lines, [f.name for f in fields(Row)])
        if fresh:
            writer.writeheader()
        writer.writerow(asdict(row))


def _summary(limit: str, rows: list[Row]) -> None:
    if not rows:
        raise SystemExit("no project was planned")
    print(f"\n{len(rows)} projects, {limit}")
    _line("ours", rows, [row.ours for row in rows])
    print(f"  at the bound {sum(row.ours == row.bound for row in rows)}", end=", ")
    print(f"at the best known {sum(row.ours <= row.best_known for row in rows)}", end=", ")
    print(f"below it {sum(row.ours < row.best_known for row in rows)}", end=", ")
    print(f"proved {sum(row.proved for row in rows)}")
    _spent([row.ours_cpu for row in rows], [row.ours_wall for row in rows])
    print(f"  schedules a CPU second {sum(r.ours_schedules for r in rows) / _all(rows):,.0f}")
    both = [row for row in rows if row.cp_sat_wall]
    if not both:
        return
    planned = [row for row in both if row.cp_sat]
    print(f"CP-SAT has a plan of {len(planned)} of {len(both)} projects; of these:")
    _line("CP-SAT", planned, [row.cp_sat for row in planned])
    _line("ours", planned, [row.ours for row in planned])
    _spent([row.cp_sat_cpu for row in both], [row.cp_sat_wall for row in both])
    won = sum(not row.cp_sat or row.ours < row.cp_sat for row in both)
    lost = sum(bool(row.cp_sat) and row.ours > row.cp_sat for row in both)
    share = f", {100 * won / (won + lost):.0f} % of what is no tie" if won + lost else ""
    print(f"ours is better {won}, equal {len(both) - won - lost}, worse {lost}{share}")


def _line(name: str, rows: list[Row], plans: list[int]) -> None:
    pairs = list(zip(rows, plans, strict=True))
    known = fmean(100 * (p / r.best_known - 1) for r, p in pairs)
    path = fmean(100 * (p / r.critical_path - 1) for r, p in pairs)
    print(f"{name}: {known:.2f} % over the best known, {path:.2f} % over the critical path")


def _spent(cpu: list[float], wall: list[float]) -> None:
    print(f"  a project took {fmean(cpu):.2f} CPU s, {fmean(wall):.2f} s of wall", end="")
    print(f" ({max(cpu):.2f} and {max(wall):.2f} at most)")


def _all(rows: list[Row]) -> float:
    return max(sum(row.ours_cpu for row in rows), 1e-9)


if __name__ == "__main__":
    main(sys.argv[1:])
