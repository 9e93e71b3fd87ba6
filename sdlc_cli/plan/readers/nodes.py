"""The tree of a tasks.yaml, made by the readers of other files: same checks, their own lines."""

from collections.abc import Iterable, Mapping
from datetime import date

from sdlc_cli.core.yaml_tree import Listing, Node, Scalar, Section

TEAM = "team"
A_DAY = "1d"  # what takes no time that anybody wrote down


def text(line: int, value: str) -> Scalar:
    """Text, whatever it looks like."""
    return Scalar(line, value, plain=False)


def plain(line: int, value: str) -> Scalar:
    """A number or a truth, if it looks like one."""
    return Scalar(line, value, plain=True)


def listing(line: int, items: Iterable[Node]) -> Listing:
    """A list."""
    return Listing(line, tuple(items))


def section(line: int, pairs: Mapping[str, Node]) -> Section:
    """Keys and their values."""
    return Section(line, tuple((text(line, key), value) for key, value in pairs.items()))


def project(
    today: date, parts: Mapping[str, Node], tasks: Iterable[tuple[str, Section]]
) -> Section:
    """A project that starts `today` in office hours. Two tasks of one name stay two."""
    head: dict[str, Node] = {
        "version": plain(1, "1"),
        "start": text(1, today.isoformat()),
        "calendar": text(1, "office"),
    }
    pairs = tuple((text(task.line, name), task) for name, task in tasks)
    return section(1, {**head, **parts, "tasks": Section(1, pairs)})


def people(names: Iterable[str]) -> Section:
    """People who share one skill: what nobody is named for can be done by any of them."""
    each = section(1, {"skills": listing(1, [text(1, TEAM)])})
    return section(1, dict.fromkeys(names, each))


def somebody(line: int, names: Iterable[str], team: Iterable[str]) -> Listing:
    """The need for these people, else for one of the team, else for nobody."""
    needs: list[Node] = [section(line, {"person": text(line, name)}) for name in names]
    if not needs and any(True for _ in team):
        needs = [section(line, {"skill": text(line, TEAM)})]
    return listing(line, needs)
