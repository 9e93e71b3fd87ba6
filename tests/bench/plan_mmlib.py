"""Plans the multi-mode projects of an MMLIB archive, CP-SAT beside, against the best known.

    python tests/bench/plan_mmlib.py mmlib50.zip --best best_known.csv --rows mmlib50.csv
        [--seconds 20] [--draw 60] [--seed 1] [--jobs 2] [--alone]

The archive holds .mm files; `best_known.csv` has the columns set, instance, best_known. The two run
by turns for the same wall time, each with `--jobs` workers. CP-SAT gets the model of
`sdlc_cli.plan.exact` without a hint and, as horizon, one and a half times the makespan of the best
of 30 plans. A row for each project goes to the end of `--rows` at once, and what is there is not
done again. Every plan is checked by plan.check; 0 stands for no plan that keeps the consumables.
"""

import argparse
import csv
import random
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from sdlc_cli.plan import exact, general, readers, search
from sdlc_cli.plan.check import violations
from sdlc_cli.plan.compiling import compile_
from sdlc_cli.plan.decode import schedule
from sdlc_cli.plan.effort import Effort, Found
from sdlc_cli.plan.goal import goal
from sdlc_cli.plan.instance import Instance
from sdlc_cli.plan.model import Project


def main(words: list[str]) -> None:
    """Run what the rows lack, then print the summary."""
    parser = argparse.ArgumentParser(description="Multi-mode projects beside CP-SAT.")
    parser.add_argument("archive", type=Path)
    parser.add_argument("--best", type=Path, required=True)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--draw", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--alone", action="store_true", help="without CP-SAT")
    args = parser.parse_args(words)
    best = {
        row["instance"]: int(row["best_known"])
        for row in csv.DictReader(args.best.open())
        if row["set"] == args.archive.stem
    }
    rows = list(csv.reader(args.rows.open())) if args.rows.exists() else []
    done = {(row[0], row[1]) for row in rows}
    search.ready("general")
    with args.rows.open("a") as out:
        for name, project in drawn(args.archive, args.draw, args.seed):
            if (name, str(args.seconds)) in done:
                continue
            row = [name, str(args.seconds), str(best[name]), *measured(project, args)]
            csv.writer(out).writerow(row)
            out.flush()
            rows.append(row)
            print(*row, sep="\t", file=sys.stderr)
    summary([row for row in rows if row[1] == str(args.seconds)])


def drawn(archive: Path, count: int, seed: int) -> Iterator[tuple[str, Project]]:
    """So many projects of an archive, always the same."""
    with zipfile.ZipFile(archive) as files, tempfile.TemporaryDirectory() as folder:
        names = sorted(files.namelist())
        random.Random(seed).shuffle(names)
        for name in names[:count]:
            yield name, readers.load(files.extract(name, folder))


def measured(project: Project, args: argparse.Namespace) -> tuple[str, str, str]:
    """Our makespan, the schedules behind it, and CP-SAT's makespan."""
    instance = compile_(project)
    effort = Effort(seconds=args.seconds, jobs=args.jobs, seed=args.seed)
    ours = general.search(instance, effort, goal(instance))
    theirs = None
    if not args.alone:
        quick = general.search(instance, Effort(schedules=30), goal(instance))
        horizon = quick.makespan * 3 // 2
        theirs, _ = exact.solve(instance, None, effort, goal(instance), horizon=horizon)
    return (
        str(makespan(project, instance, ours)),
        str(ours.schedules),
        str(makespan(project, instance, theirs)),
    )


def makespan(project: Project, instance: Instance, found: Found | None) -> int:
    """0 without a plan, or where the plan misses a limit; an error where it breaks a rule."""
    if found is None:
        return 0
    plan = schedule(project, instance, found, goal(instance))
    wrong = violations(project, plan)
    if plan.feasible and wrong:
        raise AssertionError(wrong[0].message)
    return plan.makespan if plan.feasible else 0


def summary(rows: list[list[str]]) -> None:
    """Means over best known, where there is a plan."""
    for column, name in ((3, "sdlc"), (5, "CP-SAT")):
        over = [100 * (int(r[column]) / int(r[2]) - 1) for r in rows if int(r[column])]
        if over:
            print(
                f"{name}: {len(over)} of {len(rows)} planned, {fmean(over):.2f} % over best known"
            )
    both = [(int(r[3]), int(r[5])) for r in rows if int(r[3]) and int(r[5])]
    print(
        f"sdlc better {sum(a < b for a, b in both)}, equal {sum(a == b for a, b in both)}, "
        f"worse {sum(a > b for a, b in both)}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
