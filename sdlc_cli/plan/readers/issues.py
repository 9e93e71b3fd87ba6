"""What issues of a tracker have in common, and the project that they make.

Nobody writes needs and calendars into a tracker: an issue needs the people it is assigned to, else
one of all who have any; it waits for the open issues that block it; its due date costs nothing to
miss. What is done is left out, and so is what only holds other issues together: what waits for
that waits for all of these.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sdlc_cli.core.errors import NothingToDo
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.yaml_tree import Node, Section
from sdlc_cli.plan.model import Project
from sdlc_cli.plan.readers import nodes, tasks_yaml

PRIORITIES: Mapping[str, int] = {
    "blocker": 5, "highest": 5, "critical": 5, "urgent": 5, "p0": 5,
    "high": 4, "major": 4, "p1": 4,
    "medium": 3, "normal": 3, "p2": 3,
    "low": 2, "minor": 2, "p3": 2,
    "lowest": 1, "trivial": 1, "p4": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An issue that is not done. `duration` is as in tasks.yaml; `parent` is another's id."""

    id: str
    line: int
    name: str
    duration: str = nodes.A_DAY
    people: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    due: date | None = None
    priority: int = 1
    running: bool = False
    parent: str = ""
    container: bool = False


def project(name: str, issues: Sequence[Issue], today: date) -> Project:
    """The project of these issues. Raises ConfigError for issues that wait for each other."""
    children: dict[str, list[str]] = {}
    for issue in issues:
        if issue.parent:
            children.setdefault(issue.parent, []).append(issue.id)
    held = {issue.id for issue in issues if issue.container or issue.id in children}
    planned = [issue for issue in issues if issue.id not in held]
    if not planned:
        raise NothingToDo(msg("{file} holds no issue that is open", file=name))
    ids = {issue.id for issue in planned}
    team = dict.fromkeys(person for issue in planned for person in issue.people)
    tasks = [
        (issue.id, _task(issue, _stands_for(issue.after, children, held, ids), team, today))
        for issue in planned
    ]
    tree = nodes.project(today, {"people": nodes.people(team)}, tasks)
    return tasks_yaml.read_tree(tree, name)


def _stands_for(
    after: Iterable[str], children: Mapping[str, Sequence[str]], held: set[str], ids: set[str]
) -> list[str]:
    """The planned issues among these, or below those that only hold others."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    rest = [*after]
    while rest:
        one = rest.pop(0)
        if one in ids:
            found[one] = None
        elif one in held and one not in seen:
            seen.add(one)
            rest += children.get(one, ())
    return list(found)


def _task(issue: Issue, after: Iterable[str], team: Iterable[str], today: date) -> Section:
    line = issue.line
    made: dict[str, Node] = {
        "name": nodes.text(line, issue.name),
        "duration": nodes.text(line, issue.duration),
        "needs": nodes.somebody(line, issue.people, team),
        "after": nodes.listing(line, [nodes.text(line, one) for one in after]),
        "priority": nodes.plain(line, str(issue.priority)),
    }
    if issue.due:
        at = nodes.text(line, issue.due.isoformat())
        made["deadline"] = nodes.section(line, {"at": at, "hard": nodes.plain(line, "false")})
    if issue.running:
        made["started"] = nodes.text(line, today.isoformat())
    return nodes.section(line, made)
