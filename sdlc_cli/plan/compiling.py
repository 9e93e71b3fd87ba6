"""Turns a Project into the arrays that searches work on; refuses what can never be."""

from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from sdlc_cli.core.i18n import msg
from sdlc_cli.plan.instance import KINDS, Instance, PlanError
from sdlc_cli.plan.model import Project
from sdlc_cli.plan.rows import Rows
from sdlc_cli.plan.span import span
from sdlc_cli.plan.tables import tables


def compile_(project: Project) -> Instance:
    """The arrays of `project`.

    Raises PlanError, with all that is wrong, when a task fits no capacity or no open hours in any
    of its modes, and when links and groups contradict each other.
    """
    index = {task.id: j for j, task in enumerate(project.tasks)}
    links = [
        (index[link.task], j, KINDS[link.kind], link.lag)
        for j, task in enumerate(project.tasks)
        for link in task.after
    ]
    group = _groups(project, index)
    order = _order(project, links, group)
    rows = Rows(project)
    return tables(project, links, group, order, rows, span(project, links, group, order, rows))


def _groups(project: Project, index: dict[str, int]) -> list[int]:
    """A number for all tasks that start together. What is done or running binds nobody."""
    parent = list(range(len(project.tasks)))

    def root(j: int) -> int:
        while parent[j] != j:
            parent[j] = parent[parent[j]]
            j = parent[j]
        return j

    for ids in project.together:
        free = [index[i] for i in ids if project.tasks[index[i]].status == "todo"]
        for a, b in pairwise(free):
            parent[root(a)] = root(b)
    members: dict[int, list[int]] = {}
    for j in range(len(parent)):
        members.setdefault(root(j), []).append(j)
    group = [-1] * len(parent)
    joined = (tasks for tasks in members.values() if len(tasks) > 1)
    for number, tasks in enumerate(joined):
        for j in tasks:
            group[j] = number
    return group


def _order(
    project: Project, links: Sequence[tuple[int, int, int, int]], group: list[int]
) -> list[int]:
    """A topological order in which the tasks of a group stand side by side."""
    n = len(project.tasks)
    unit = [n + g if g >= 0 else j for j, g in enumerate(group)]
    members: dict[int, list[int]] = {}
    for j in range(n):
        members.setdefault(unit[j], []).append(j)
    fact = [task.status != "todo" for task in project.tasks]
    after: dict[int, set[int]] = {u: set() for u in members}
    waits = dict.fromkeys(members, 0)
    within: dict[int, list[tuple[int, int]]] = {}
    for a, b, *_ in links:
        if fact[b]:
            continue
        if unit[a] == unit[b]:
            within.setdefault(unit[b], []).append((a, b))
        elif unit[b] not in after[unit[a]]:
            after[unit[a]].add(unit[b])
            waits[unit[b]] += 1
    ready = [u for u, count in waits.items() if not count]
    ready.sort(reverse=True)
    order: list[int] = []
    while ready:
        u = ready.pop()
        order += _sorted(members[u], within.get(u, ()))
        for v in sorted(after[u], reverse=True):
            waits[v] -= 1
            if not waits[v]:
                ready.append(v)
    if len(order) < n:
        stuck = sorted(project.tasks[members[u][0]].id for u, count in waits.items() if count)
        raise PlanError(
            msg("what starts together and what comes after what is a circle: {ids}",
                ids=", ".join(stuck[:10]))
        )  # fmt: skip
    return order


def _sorted(tasks: Sequence[int], pairs: Iterable[tuple[int, int]]) -> list[int]:
    """The tasks of a group, each after those of it that it waits for."""
    before: dict[int, set[int]] = {j: set() for j in tasks}
    for a, b in pairs:
        before[b].add(a)
    try:
        return list(TopologicalSorter(before).static_order())
    except CycleError:
        raise PlanError(
            msg("the tasks wait for each other: {path}", path=", ".join(map(str, tasks)))
        ) from None
