"""The planner on a small project, for `GET /api/v1/quantum/demo`."""

import subprocess  # nosec B404 - starts this very interpreter
import sys
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec

BUDGETS = (1, 10, 100, 1000)  # schedules
SEED = 7
PATIENCE_S = 120  # with the first plan of a machine, which compiles the search
# id, hours, developers, GPUs, what comes before
_TASKS: tuple[tuple[str, int, int, int, tuple[str, ...]], ...] = (
    ("schema", 3, 1, 0, ()),
    ("gateway", 6, 2, 0, ("schema",)),
    ("prompts", 4, 1, 0, ("schema",)),
    ("retrieval", 8, 1, 1, ("schema",)),
    ("embeddings", 5, 0, 2, ("retrieval",)),
    ("fine-tune", 7, 1, 2, ("prompts",)),
    ("evaluate", 4, 1, 1, ("gateway", "embeddings")),
    ("red-team", 5, 2, 0, ("prompts", "gateway")),
    ("load-test", 3, 1, 1, ("gateway",)),
    ("dashboard", 6, 2, 0, ("schema",)),
    ("fixes", 4, 2, 0, ("evaluate", "red-team", "fine-tune")),
    ("release", 2, 1, 0, ("fixes", "load-test", "dashboard")),
)


class Missing(Exception):
    """This installation makes no plan."""


@cache
def plan() -> object:
    """A plan, with the best makespan after more and more schedules of one seed.

    It is made once, by a process of its own, so that no call waits while kernels are compiled.
    Raises Missing.
    """
    command = (sys.executable, "-P", "-m", __name__)
    try:
        done = subprocess.run(  # nosec B603 - no word of it is another's
            command, capture_output=True, timeout=PATIENCE_S, check=True
        )
        return msgspec.json.decode(done.stdout)
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError) as error:
        raise Missing(f"the planner did not answer: {type(error).__name__}") from None


def document() -> dict[str, Any]:
    """The demo, made here and now."""
    from sdlc_cli.plan import search
    from sdlc_cli.plan.effort import Effort
    from sdlc_cli.plan.model import Link, Mode, Need, Project, Resource, Task

    amounts = ("developers", "gpus")
    project = Project(
        name="demo",
        start=datetime(2026, 1, 5, 9, tzinfo=UTC),
        resources=(Resource(id="developers", capacity=2), Resource(id="gpus", capacity=2)),
        tasks=tuple(
            Task(
                id=name,
                modes=(
                    Mode(
                        duration=hours,
                        needs=tuple(
                            Need(kind="resource", id=id_, amount=amount)
                            for id_, amount in zip(amounts, (developers, gpus), strict=True)
                            if amount
                        ),
                    ),
                ),
                after=tuple(Link(task=other) for other in before),
            )
            for name, hours, developers, gpus, before in _TASKS
        ),
    )
    tries = [
        search.solve(project, effort=Effort(seconds=None, schedules=n, seed=SEED)) for n in BUDGETS
    ]
    last = tries[-1]
    return {
        "quantum_hardware": False,
        "method": "task lists, recombined and improved forward and backward, on the CPU",
        "seed": SEED,
        "trace": [
            {"schedules": n, "makespan": one.makespan}
            for n, one in zip(BUDGETS, tries, strict=True)
        ],
        "makespan": last.makespan,
        "lower_bound": last.lower_bound,
        "proved_optimal": last.proved_optimal,
        "tasks": [
            {"id": one.task, "start": one.start, "finish": one.finish} for one in last.placements
        ],
    }


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(document()))
