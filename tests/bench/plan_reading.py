"""What reading and checking a large project costs, in CPU seconds.

    python -m tests.bench.plan_reading [TASKS]

A project of TASKS tasks (10,000) in links, people and resources is read as a table and as a
tasks.yaml, written, and a plan of it checked.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from sdlc_cli.plan import readers
from sdlc_cli.plan.check import violations
from sdlc_cli.plan.model import Placement, Project, Schedule
from sdlc_cli.plan.readers import tasks_yaml


def table(count: int) -> str:
    """The tasks as CSV: each after up to two earlier ones."""
    dice = random.Random(1)
    rows = ["id,duration,people,needs,after"]
    for i in range(count):
        after = "; ".join(f"task-{dice.randrange(i)}" for _ in range(min(i, 2)))
        rows.append(f"task-{i},{dice.randrange(1, 9)}h,person-{i % 20},gpu,{after}")
    return "\n".join(rows)


def one_after_another(project: Project) -> Schedule:
    """A plan in which nothing overlaps."""
    places: list[Placement] = []
    slot = 0
    for task in project.tasks:
        finish = slot + task.modes[0].duration  # over nights, which the checker complains of
        held = tuple((need.id, need.amount) for need in task.modes[0].needs)
        places.append(Placement(task=task.id, start=slot, finish=finish, resources=held))
        slot = finish
    return Schedule(placements=tuple(places), makespan=slot)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Print how long the block takes."""
    began = time.process_time()
    yield
    print(f"{what:24}{time.process_time() - began:8.2f} s")


def main(count: int) -> None:
    """Print a line for each."""
    print(f"{count:,} tasks, CPU seconds")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tasks")
        path.write_text(table(count), encoding="utf-8")
        with told("read the table"):
            project = readers.load(path, today=date(2026, 3, 2))
        with told("write tasks.yaml"):
            text = tasks_yaml.write(project)
        path.write_text(text, encoding="utf-8")
        with told("read tasks.yaml"):
            again = readers.load(path)
        assert len(again.tasks) == count
        plan = one_after_another(project)
        with told("check a plan"):
            violations(project, plan)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
