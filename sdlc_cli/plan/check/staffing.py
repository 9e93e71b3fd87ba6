"""Whether a task holds what its mode needs: resources to the unit, people who have the skills."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.plan.model import Mode, Placement, Resource, Task


@dataclass(frozen=True, slots=True)
class Held:
    """What a task holds: units by resource, 1 for a person; `percent` of its slowest person."""

    amounts: Mapping[str, int]
    percent: int

    def duration(self, full: int) -> int:
        """How many open slots take as long as `full` slots of people at 100 percent."""
        return -(-full * 100 // self.percent)


def held(
    task: Task, place: Placement, resources: Mapping[str, Resource]
) -> tuple[Held, tuple[Message, ...]]:
    """What is held, and what is wrong with it."""
    complaints: list[Message] = []
    amounts: Counter[str] = Counter()
    for name, amount in place.resources:
        if name not in resources:
            message = msg("{task} holds {resource}, which there is not",
                          task=task.id, resource=name)  # fmt: skip
            complaints.append(message)
        elif amount <= 0:
            message = msg("{task} holds {n} of {resource}",
                          task=task.id, n=amount, resource=name)  # fmt: skip
            complaints.append(message)
        else:
            amounts[name] += amount
    people = [resources[name] for name in amounts if resources[name].person]
    mode = task.modes[place.mode]
    complaints += _people(task, mode, people, amounts)
    wanted: Counter[str] = Counter()
    for need in mode.needs:
        if need.kind == "resource" and need.amount > 0:
            wanted[need.id] += need.amount
    others = Counter({name: n for name, n in amounts.items() if not resources[name].person})
    for name in sorted({*wanted, *others}):
        if wanted[name] != others[name]:
            message = msg("{task} holds {n} of {resource} and needs {wanted}",
                          task=task.id, n=others[name], resource=name,
                          wanted=wanted[name])  # fmt: skip
            complaints.append(message)
    slowest = min((person.percent for person in people), default=100)
    return Held(amounts, slowest), tuple(complaints)


def _people(
    task: Task, mode: Mode, people: Sequence[Resource], amounts: Mapping[str, int]
) -> list[Message]:
    names = {person.id for person in people}
    complaints = [
        msg("{task} holds {person} twice", task=task.id, person=name)
        for name in sorted(names)
        if amounts[name] > 1
    ]
    if task.status != "todo" and task.people:
        if names != set(task.people):
            complaints.append(msg("{task} is done by other people", task=task.id))
        return complaints
    named = {need.id for need in mode.needs if need.kind == "person"}
    skills = [need.id for need in mode.needs if need.kind == "skill" for _ in range(need.amount)]
    missing = sorted(named - names)
    complaints += [msg("{task} needs {person}", task=task.id, person=one) for one in missing]
    rest = [person for person in people if person.id not in named]
    if len(rest) != len(skills):
        message = msg("{task} holds {n} people for its skills and needs {wanted}",
                      task=task.id, n=len(rest), wanted=len(skills))  # fmt: skip
        complaints.append(message)
    elif unmet := _unmet(skills, rest):
        message = msg("{task} has nobody for the skill {skill}", task=task.id, skill=unmet)
        complaints.append(message)
    return complaints


def _unmet(skills: Iterable[str], people: Sequence[Resource]) -> str:
    """A skill for which nobody is left when each person serves one, or "" (augmenting paths)."""
    serves: dict[str, str] = {}  # person -> "skill#number"
    places = [f"{skill}#{i}" for i, skill in enumerate(skills)]

    def seat(place: str, asked: set[str]) -> bool:
        for person in people:
            if place.rpartition("#")[0] in person.skills and person.id not in asked:
                asked.add(person.id)
                if person.id not in serves or seat(serves[person.id], asked):
                    serves[person.id] = place
                    return True
        return False

    return next((place.rpartition("#")[0] for place in places if not seat(place, set())), "")
