"""Tasks that wait for each other, told as the path that leads back."""

from collections.abc import Iterator, Sequence

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.scalars import shown
from sdlc_cli.core.sections import Key
from sdlc_cli.plan.model import Task
from sdlc_cli.plan.readers.cycles import cycle

_LONGEST = 12  # tasks of a path that a person can follow


def waiting(
    tasks: Sequence[Task], together: Sequence[Sequence[str]]
) -> Iterator[tuple[Key, Message]]:
    """The first cycle: among the tasks, else among those that start together as one."""
    number = {task.id: i for i, task in enumerate(tasks)}
    followers: list[list[int]] = [[] for _ in tasks]
    for i, task in enumerate(tasks):
        for link in task.after:
            if link.task in number and link.task != task.id:
                followers[number[link.task]].append(i)
    if found := cycle(followers):
        path = _path(tasks, found)
        yield (
            ("tasks", tasks[found[0]].id, "after"),
            msg("the tasks wait for each other: {path}", path=path),
        )
        return
    leader = list(range(len(tasks)))
    for group in together:
        members = [number[name] for name in group if name in number]
        for member in members:
            leader[member] = members[0]
    merged: list[list[int]] = [[] for _ in tasks]
    for i, after in enumerate(followers):
        merged[leader[i]] += [leader[j] for j in after if leader[j] != leader[i]]
    if found := cycle(merged):
        path = _path(tasks, found, leader)
        yield (
            ("together",),
            msg("tasks that start together wait for each other: {path}", path=path),
        )


def _path(tasks: Sequence[Task], found: Sequence[int], leader: Sequence[int] = ()) -> str:
    """`a (line 3) -> b (line 7) -> a (line 3)`, each before the next; groups as `a + b`."""
    names = [
        " + ".join(_named(tasks[j]) for j, first in enumerate(leader) if first == i)
        if leader
        else _named(tasks[i])
        for i in (*found, found[0])
    ]
    if len(names) > _LONGEST:
        names[_LONGEST - 2 : -1] = ["…"]
    return " -> ".join(names)


def _named(task: Task) -> str:
    name = shown(task.id, 40)
    return f"{name} (line {task.line})" if task.line else name
