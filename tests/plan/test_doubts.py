"""What a file says and hardly means."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sdlc_cli.plan.doubts import doubts
from sdlc_cli.plan.model import Mode, Need, Project, Resource, Status, Task

START = datetime(2026, 3, 23, tzinfo=UTC)
TODAY = datetime(2026, 4, 1, 12, tzinfo=UTC)


def fact(name: str, status: Status, started: int, finished: int | None = None) -> Task:
    mode = Mode(duration=8, needs=(Need(kind="person", id="ana"),))
    return Task(id=name, modes=(mode,), status=status, started=started, finished=finished)


def told(*tasks: Task) -> list[str]:
    ana, bo = (Resource(id=name, person=True) for name in ("ana", "bo"))
    project = Project(start=START, tasks=tasks, resources=(ana, bo))
    return [str(one) for one in doubts(project, TODAY)]


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        pytest.param([fact("a", "running", 1)], [], id="one at a time"),
        pytest.param(
            [fact("a", "running", 1), fact("b", "running", 4)],
            ["ana is at work on 2 running tasks at once: a, b"],
            id="two at once",
        ),
        pytest.param(
            [fact("a", "running", 1), replace(fact("b", "running", 4), people=("bo",))],
            [],
            id="somebody else",
        ),
        pytest.param([fact("a", "done", 1, 9), fact("b", "running", 4)], [], id="done"),
        pytest.param([fact("a", "done", 1, 24 * 10)], [], id="done today"),
        pytest.param(
            [fact("a", "running", 24 * 284)],
            [
                (
                    "a is told to have started on 2027-01-01, which has not come yet;"
                    " nothing that has not begun is planned before"
                ),
            ],
            id="the wrong year",
        ),
    ],
)
def test_what_is_hardly_meant_is_told(tasks: list[Task], words: list[str]) -> None:
    assert told(*tasks) == words
