"""Small changes of a project in a few words: `dev+1`, `budget+50`, `drop task-7`."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.nearest import nearest
from sdlc_cli.plan.difference import Difference
from sdlc_cli.plan.model import Project, Resource, Task

Sign = Literal["+", "-", "=", "*"]
ChangeKind = Literal[
    "capacity", "person", "skill", "consumable", "budget", "deadline", "task deadline", "drop",
    "duration",
]  # fmt: skip
_NAME = re.compile(r"(.+?)\s*[+\-=*]\s*\$?[0-9.]+\s*[a-z]*")
_PART = r"(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]*)"
_AMOUNT = re.compile(rf"\s*\$?{_PART}(?:(?<=[a-z])\s*\d{{1,12}}(?:\.\d{{1,6}})?\s*[a-z]+)*")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MOST_PEOPLE = 1000  # that one change adds


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change. `amount` is in people, units, dollars or slots, or a factor of a duration."""

    kind: ChangeKind
    name: str = ""
    sign: Sign = "+"
    amount: Decimal = Decimal(0)
    written: str = ""  # as the user has it, or would


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The changes that were made, and what they do to the plan."""

    changes: tuple[Change, ...]
    difference: Difference


def parse(text: str, project: Project) -> Change:
    """What a word of the command means for this project. Raises UsageError with the near name."""
    words = text.strip()
    if words[:5].lower() == "drop ":
        name = words[5:].strip()
        if name not in project.by_id:
            raise _unknown(name, list(project.by_id), "drop {name}", text)
        return Change(kind="drop", name=name, written=f"drop {name}")
    found = _longest(words, project)
    if found is None:
        _refuse_amount(words, project)
        match = _NAME.fullmatch(words)
        name = match[1] if match else words
        raise _unknown(name, _names(project), "{name}+1", text)
    name, sign, parts = found
    kind = _kind(name, sign, project)
    number, unit = parts[0]
    amount = Decimal(number)
    if kind in ("deadline", "task deadline"):
        written_name = name
        name = name.removesuffix(".deadline") if kind == "task deadline" else ""
        if sign not in "+-" or any((unit or "h") not in _SECONDS for _n, unit in parts):
            raise UsageError(
                msg("--what-if: a deadline moves by hours, days or weeks, not '{text}'", text=text),
                hint=f"--what-if '{written_name}+2d'",
            )
        seconds = sum(Decimal(part) * _SECONDS[unit or "h"] for part, unit in parts)
        amount = Decimal(math.ceil(seconds / project.unit_seconds))
    elif unit:
        raise UsageError(
            msg("--what-if: '{text}' takes a number without '{unit}'", text=text, unit=unit),
            hint=f"--what-if '{name}{sign}{number}'",
        )
    elif kind != "budget" and kind != "duration" and amount % 1:
        raise UsageError(
            msg("--what-if: '{text}' takes a whole number", text=text),
            hint=f"--what-if '{name}{sign}1'",
        )
    if kind in ("person", "skill") and (sign == "=" or amount > _MOST_PEOPLE):
        raise UsageError(
            msg("--what-if: people come and go by a number, not '{text}'", text=text),
            hint=f"--what-if '{name}+1'",
        )
    return Change(kind=kind, name=name, sign=sign, amount=amount, written=words)


def _refuse_amount(words: str, project: Project) -> None:
    """Raise UsageError where the name and the sign are right, and what follows is not."""
    known = set(_names(project))
    for at in range(len(words) - 1, 0, -1):
        name = words[:at].strip()
        if words[at] in "+-=*" and name in known:
            moment = name.endswith("deadline") and words[at] in "+-"
            wanted = msg("--what-if: '{text}' takes a number of up to 12 digits", text=words)
            right = "1"
            if moment:
                wanted = msg("--what-if: '{text}' takes a time, as 2d or 1d 12h", text=words)
                right = "2d"
            elif words[at] == "*":
                wanted = msg("--what-if: '{text}' takes a factor, as 1.5", text=words)
                right = "1.5"
            raise UsageError(wanted, hint=f"--what-if '{name}{words[at]}{right}'")


def _longest(words: str, project: Project) -> tuple[str, Sign, list[tuple[str, str]]] | None:
    """The parts of `words` whose name the project knows: names may hold signs and numbers."""
    known = set(_names(project))
    signs: dict[str, Sign] = {"+": "+", "-": "-", "=": "=", "*": "*"}
    for at in range(len(words) - 1, 0, -1):
        sign, name = signs.get(words[at]), words[:at].strip()
        if sign is not None and name in known and _AMOUNT.fullmatch(words, at + 1):
            return name, sign, re.findall(_PART, words[at + 1 :])
    return None


def _names(project: Project) -> list[str]:
    """What may be changed by a number."""
    skills = {skill for resource in project.resources for skill in resource.skills}
    tasks = [task.id for task in project.tasks]
    return [
        *(resource.id for resource in project.resources),
        *sorted(skills),
        *(one.id for one in project.consumables),
        "budget",
        "deadline",
        *tasks,
        *(f"{name}.deadline" for name in tasks),
    ]


def _kind(name: str, sign: str, project: Project) -> ChangeKind:
    """What the name means: resources and people before skills, these before tasks."""
    if sign == "*":
        if name in project.by_id:
            return "duration"
        if name in _names(project):
            raise UsageError(
                msg("--what-if: only how long a task takes is multiplied, not {name}", name=name),
                hint=f"--what-if '{project.tasks[0].id}*1.5'",
            )
        raise _unknown(name, list(project.by_id), "{name}*1.5", f"{name}*")
    resources = {resource.id: resource for resource in project.resources}
    if name in resources:
        return "person" if resources[name].person else "capacity"
    if any(name in resource.skills for resource in project.resources):
        return "skill"
    if any(name == one.id for one in project.consumables):
        return "consumable"
    if name == "budget":
        if project.budget_usd is None and sign != "=":
            raise UsageError(
                msg("--what-if: the project has no budget to change"),
                hint="--what-if 'budget=100'",
            )
        return "budget"
    if name == "deadline":
        if project.deadline is None:
            raise UsageError(
                msg("--what-if: the project has no deadline to move"),
                hint="--what-if 'TASK.deadline+2d'",
            )
        return "deadline"
    task = project.by_id.get(name.removesuffix(".deadline"))
    if task is not None and name not in project.by_id:
        if task.deadline is None:
            raise UsageError(
                msg("--what-if: {task} has no deadline to move", task=task.id),
                hint="--what-if 'deadline+2d'" if project.deadline is not None else "",
            )
        return "task deadline"
    raise UsageError(
        msg("--what-if: {name} is a task: drop it, or let it take longer", name=name),
        hint=f"--what-if 'drop {name}'",
    )


def _unknown(name: str, known: Sequence[str], form: str, text: str) -> UsageError:
    close = nearest(name, known)
    shown = form.format(name=close) if close else "dev+1"
    return UsageError(
        msg("--what-if: nothing is called '{name}' in '{text}'", name=name, text=text),
        hint=f"--what-if '{shown}'",
    )


def apply(project: Project, changes: Sequence[Change]) -> Project:
    """The project with all changes made. Raises UsageError where one cannot be."""
    for change in changes:
        project = _APPLY[change.kind](project, change)
    return project


def _capacity(project: Project, change: Change) -> Project:
    resources = tuple(
        replace(one, capacity=_number(one.capacity, change)) if one.id == change.name else one
        for one in project.resources
    )
    return replace(project, resources=resources)


def _consumable(project: Project, change: Change) -> Project:
    consumables = tuple(
        replace(one, capacity=_number(one.capacity, change)) if one.id == change.name else one
        for one in project.consumables
    )
    return replace(project, consumables=consumables)


def _number(now: int, change: Change) -> int:
    amount = int(change.amount)
    value = {"+": now + amount, "-": now - amount, "=": amount}[change.sign]
    if value < 0:
        raise UsageError(
            msg("--what-if: there are {now} of {name} only", now=now, name=change.name),
            hint=f"--what-if '{change.name}-{now}'",
        )
    return value


def _person(project: Project, change: Change) -> Project:
    """More like them, or without them."""
    like = next(one for one in project.resources if one.id == change.name)
    if change.sign == "+":
        return _hired(project, like, change.name, int(change.amount))
    return _without(project, [like], change)


def _skill(project: Project, change: Change) -> Project:
    """More people like the first who has the skill and the fewest others; or fewer, likewise."""
    able = [one for one in project.resources if one.person and change.name in one.skills]
    able.sort(key=lambda one: len(one.skills))
    if change.sign == "+":
        return _hired(project, able[0], change.name, int(change.amount))
    return _without(project, able, change)


def _hired(project: Project, like: Resource, name: str, count: int) -> Project:
    taken = {one.id for one in project.resources}
    made: list[Resource] = []
    number = 0
    while len(made) < count:
        number += 1
        if f"{name}+{number}" not in taken:
            made.append(replace(like, id=f"{name}+{number}", name=""))
    return replace(project, resources=(*project.resources, *made))


def _without(project: Project, able: list[Resource], change: Change) -> Project:
    """Those go whom no task names, the last in the file first."""
    naming = {name: task.id for task in reversed(project.tasks) for name in _named_by(task)}
    free = [one for one in able if one.id not in naming]
    count = int(change.amount)
    if count > len(free):
        tasks = [naming[one.id] for one in able if one.id in naming]
        why = msg("--what-if: {written} cannot be: {n} can go",
                  written=change.written, n=len(free))  # fmt: skip
        if tasks:
            shown = ", ".join(dict.fromkeys(tasks[:3]))
            why = msg("{why}, the others are named by tasks, as {tasks}", why=why, tasks=shown)
        hint = f"--what-if '{change.name}-{len(free)}'" if free else ""
        raise UsageError(why, hint=hint)
    gone = {one.id for one in free[len(free) - count :]}
    return replace(project, resources=tuple(o for o in project.resources if o.id not in gone))


def _named_by(task: Task) -> set[str]:
    """The people whom a task names."""
    needs = (need for mode in task.modes for need in mode.needs)
    return {need.id for need in needs if need.kind == "person"} | set(task.people)


def _budget(project: Project, change: Change) -> Project:
    now = project.budget_usd or Decimal(0)
    value = {"+": now + change.amount, "-": now - change.amount, "=": change.amount}[change.sign]
    return replace(project, budget_usd=max(value, Decimal(0)))


def _deadline(project: Project, change: Change) -> Project:
    assert project.deadline is not None
    moved = project.deadline + _slots(change)
    if moved <= 0:
        raise _too_early(change)
    return replace(project, deadline=moved)


def _task_deadline(project: Project, change: Change) -> Project:
    def moved(task: Task) -> Task:
        assert task.deadline is not None
        deadline = task.deadline + _slots(change)
        if task.hard and task.status == "todo":  # as in a file
            if deadline <= 0:
                raise _too_early(change)
            if deadline < task.release:
                raise UsageError(
                    msg("--what-if: after '{text}' the deadline lies before earliest_start",
                        text=change.written),
                    hint=f"--what-if '{change.name}.deadline-1h'",
                )  # fmt: skip
        return replace(task, deadline=deadline)

    return _with_task(project, change.name, moved)


def _slots(change: Change) -> int:
    return int(change.amount) * (1 if change.sign == "+" else -1)


def _too_early(change: Change) -> UsageError:
    name = f"{change.name}.deadline" if change.name else "deadline"
    return UsageError(
        msg("--what-if: after '{text}' the deadline lies before the start of the project",
            text=change.written),
        hint=f"--what-if '{name}-1h'",
    )  # fmt: skip


def _duration(project: Project, change: Change) -> Project:
    def longer(task: Task) -> Task:
        modes = tuple(
            replace(
                mode,
                duration=math.ceil(mode.duration * change.amount),
                low=None if mode.low is None else math.ceil(mode.low * change.amount),
                high=None if mode.high is None else math.ceil(mode.high * change.amount),
            )
            for mode in task.modes
        )
        return replace(task, modes=modes)

    return _with_task(project, change.name, longer)


def _with_task(project: Project, name: str, changed: Callable[[Task], Task]) -> Project:
    tasks = tuple(changed(task) if task.id == name else task for task in project.tasks)
    return replace(project, tasks=tasks)


def _drop(project: Project, change: Change) -> Project:
    """Without the task; what came after it comes after what it came after."""
    gone = project.by_id[change.name]
    if len(project.tasks) == 1:
        raise UsageError(
            msg("--what-if: {name} is the only task", name=change.name), hint="--what-if 'dev+1'"
        )

    def bridged(task: Task) -> Task:
        if not any(link.task == gone.id for link in task.after):
            return task
        kept = [link for link in task.after if link.task != gone.id]
        mine = [link for link in task.after if link.task == gone.id]
        known = {(link.task, link.kind) for link in kept}
        if any(link.kind == "FS" for link in mine):
            kept += [
                link
                for link in gone.after
                if link.kind == "FS" and (link.task, link.kind) not in known
            ]
        return replace(task, after=tuple(kept))

    together = tuple(
        group
        for members in project.together
        if len(group := tuple(name for name in members if name != gone.id)) > 1
    )
    tasks = tuple(bridged(task) for task in project.tasks if task.id != gone.id)
    return replace(project, tasks=tasks, together=together)


_APPLY: dict[ChangeKind, Callable[[Project, Change], Project]] = {
    "capacity": _capacity,
    "person": _person,
    "skill": _skill,
    "consumable": _consumable,
    "budget": _budget,
    "deadline": _deadline,
    "task deadline": _task_deadline,
    "drop": _drop,
    "duration": _duration,
}
