"""What a project says that is allowed, and hardly meant: told as warnings."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.plan.model import Project, Task


def doubts(project: Project, today: datetime) -> Iterator[Message]:
    """One message for each thing that should be looked at. `today` knows its offset."""
    yield from _ahead(project, today)
    yield from _at_once(project)


def _ahead(project: Project, today: datetime) -> Iterator[Message]:
    """The fact that lies farthest ahead of today: all that has not begun waits for it."""
    facts = [
        (slot, word, task.id)
        for task in project.tasks
        for slot, word in ((task.started, "started"), (task.finished, "finished"))
        if slot is not None
    ]
    if not facts:
        return
    slot, word, name = max(facts)
    # what is finished may be told by the day, and counts from its end
    if (project.at(slot).astimezone(UTC) - today).days >= 1:
        yield msg(
            "{task} is told to have {word} on {date}, which has not come yet; nothing that has not"
            " begun is planned before",
            task=name, word=word, date=f"{project.at(slot):%Y-%m-%d}",
        )  # fmt: skip


def _at_once(project: Project) -> Iterator[Message]:
    """People who are told to be at work on two running tasks."""
    running: dict[str, list[Task]] = {}
    for task in project.tasks:
        if task.status == "running":
            for name in _people(project, task):
                running.setdefault(name, []).append(task)
    for name, tasks in running.items():
        if len(tasks) > 1:
            yield msg(
                "{name} is at work on {n} running tasks at once: {tasks}",
                name=name, n=len(tasks), tasks=", ".join(task.id for task in tasks),
            )  # fmt: skip


def _people(project: Project, task: Task) -> tuple[str, ...]:
    """Who does a running task: as it says, else those whom its mode names."""
    if task.people:
        return task.people
    needs = task.modes[task.mode or 0].needs
    return tuple(need.id for need in needs if need.kind == "person")
