"""Whose a call is: the rules of cost.yaml give it a project and a team."""

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import translate
from typing import NamedTuple

import msgspec

from sdlc_cli.cost.options import Match, Rule

_TAGS = msgspec.json.Decoder(dict[str, str])
_FIELDS = ("key", "path", "user", "model", "project")


class Facts(NamedTuple):
    """What rules look at. `tags` is the row's JSON object, or ""; "" is not known."""

    key: str = ""
    path: str = ""
    user: str = ""
    model: str = ""
    tags: str = ""
    project: str = ""


class Owner(NamedTuple):
    """ "" where nobody says so."""

    project: str
    team: str


Test = Callable[[Facts, Mapping[str, str]], bool]


class Attribution:
    """The rules, ready to be asked. Ask once for each distinct `Facts`: it is no quick look-up."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [(_test(rule.match), rule) for rule in rules]
        self._tagged = any(rule.match.tag for rule in rules)

    def __bool__(self) -> bool:
        return bool(self._rules)

    def owner(self, facts: Facts) -> Owner:
        """By the first rule that matches; what it does not set stays as the log has it."""
        tags = _TAGS.decode(facts.tags) if self._tagged and facts.tags else {}
        for matches, rule in self._rules:
            if matches(facts, tags):
                return Owner(rule.project or facts.project, rule.team)
        return Owner(facts.project, "")


def _test(match: Match) -> Test:
    """One question for all conditions of a rule. Globs heed case; `*` crosses slashes."""
    wanted = [(field, _glob(glob)) for field in _FIELDS if (glob := str(getattr(match, field)))]
    tags = [(name, _glob(glob)) for name, glob in match.tag.items()]

    def fits(facts: Facts, written: Mapping[str, str]) -> bool:
        return all(glob.match(_text(facts, field)) for field, glob in wanted) and all(
            name in written and glob.match(written[name]) for name, glob in tags
        )

    return fits


def _glob(text: str) -> re.Pattern[str]:
    return re.compile(translate(text))


def _text(facts: Facts, field: str) -> str:
    value = str(getattr(facts, field))
    return value.replace("\\", "/") if field == "path" else value
