"""Who can do a mode: every way to staff it, as people and other resources held."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, islice
from typing import Final

from sdlc_cli.plan.model import Mode, Project, Resource

MOST: Final = 256
"""Ways to staff one mode that a search looks at. Beyond, each person still is in several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffing:
    """What one way to do a mode holds, and how many open slots it takes."""

    held: tuple[tuple[int, int], ...]  # index of a resource, units; in the project's order
    duration: int


def ways(project: Project, mode: Mode, resources: Mapping[str, int]) -> list[Staffing]:
    """Every way to staff `mode`, in a fixed order; none when no people fit."""
    named, skills, units = _needs(project, mode, resources)
    if any(project.resources[r].capacity < amount for r, amount in units.items()):
        return []
    teams = _teams(project, named, skills)
    return [staff(project, mode.duration, team, units) for team in islice(teams, MOST)]


def staff(
    project: Project, duration: int, team: Sequence[int], units: Mapping[int, int]
) -> Staffing:
    """`team` does what takes people at 100 percent `duration`."""
    slowest = min((project.resources[p].percent for p in team), default=100)
    held = {**units, **dict.fromkeys(team, 1)}
    return Staffing(
        held=tuple(sorted((r, amount) for r, amount in held.items() if amount > 0)),
        duration=-(-duration * 100 // slowest),
    )


def units_of(project: Project, mode: Mode, resources: Mapping[str, int]) -> dict[int, int]:
    """What `mode` holds beside people."""
    return _needs(project, mode, resources)[2]


def hourly(project: Project, held: Sequence[tuple[int, int]]) -> Fraction:
    """Dollars for each hour worked; people who work part of each slot are paid for that part."""
    paid = ((project.resources[r], amount) for r, amount in held)
    return sum((_rate(one) * amount for one, amount in paid if one.usd_per_hour), Fraction(0))


def _rate(resource: Resource) -> Fraction:
    rate = Fraction(resource.usd_per_hour)
    return rate * Fraction(resource.percent, 100) if resource.person else rate


def _needs(
    project: Project, mode: Mode, resources: Mapping[str, int]
) -> tuple[list[int], list[str], dict[int, int]]:
    """Named people, a skill for each other person, and units of other resources."""
    named: list[int] = []
    skills: list[str] = []
    units: dict[int, int] = {}
    for need in mode.needs:
        if need.kind == "skill":
            skills += [need.id] * need.amount
        elif project.resources[resources[need.id]].person:
            named += [resources[need.id]] * min(1, need.amount)
        else:
            units[resources[need.id]] = units.get(resources[need.id], 0) + need.amount
    return list(dict.fromkeys(named)), skills, units


def _teams(project: Project, named: list[int], skills: list[str]) -> Iterator[tuple[int, ...]]:
    """Distinct people who cover the skills, beside those who are named."""
    able = {
        s: [
            i
            for i, r in enumerate(project.resources)
            if r.person and s in r.skills and i not in named
        ]
        for s in skills
    }
    if len(set(skills)) <= 1:
        people = able[skills[0]] if skills else []
        for team in _spread(people, len(skills)):
            yield (*named, *team)
        return
    seen: set[tuple[int, ...]] = set()
    for team in _matched(skills, able, ()):
        key = tuple(sorted(team))
        if key not in seen:
            seen.add(key)
            yield (*named, *key)


def _spread(people: list[int], count: int) -> Iterator[tuple[int, ...]]:
    """All teams of `count`; neighbours in a ring first, so that a cut leaves nobody out."""
    size = len(people)
    first = [tuple(sorted(people[(i + k) % size] for k in range(count))) for i in range(size)]
    ring = dict.fromkeys(first) if 0 < count <= size else {}
    yield from ring
    yield from (team for team in combinations(people, count) if team not in ring)


def _matched(
    skills: Sequence[str], able: Mapping[str, list[int]], team: tuple[int, ...]
) -> Iterator[tuple[int, ...]]:
    if not skills:
        yield team
        return
    skill, turn = skills[0], len(team)
    people = able[skill]
    for i in range(len(people)):
        person = people[(i + turn) % len(people)]
        if person not in team:
            yield from _matched(skills[1:], able, (*team, person))
