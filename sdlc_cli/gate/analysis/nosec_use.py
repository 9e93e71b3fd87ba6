"""Which `# nosec` comments silence a finding: bandit's tests once more, with an ear on them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from bandit.core import manager, utils

from sdlc_cli.gate.analysis.bandit_screen import Screen
from sdlc_cli.gate.analysis.bandit_setup import Setup
from sdlc_cli.gate.analysis.bandit_walk import TooSlowError, Walk
from sdlc_cli.gate.source import Unit


def rules_in(comment: str) -> tuple[str, ...]:
    """The ids of the tests that a `# nosec` comment names, by id or by name; bandit's answer."""
    return tuple(sorted(manager._parse_nosec_comment(comment) or ()))


class _Asked(set[str]):
    """The rules that comments silence at one place; remembers which of them were asked for."""

    def __init__(self, rules: Iterable[str], told: Mapping[int, set[str]]) -> None:
        super().__init__(rules)
        self.told = told  # by line of the comment: what it silences, added to as it happens
        self.by_line: dict[int, set[str]] = {}

    def __contains__(self, rule: object) -> bool:
        silenced = super().__contains__(rule)
        if silenced:
            for line, rules in self.by_line.items():
                if rule in rules:
                    self.told[line].add(str(rule))
        return silenced


def silenced(setup: Setup, screen: Screen, unit: Unit) -> Mapping[int, set[str]]:
    """Line of the comment -> ids of what it silences; `*` stands for all, where none is named.

    Raises what parsing raises. A file that takes too long silences all it says.
    """
    told: defaultdict[int, set[str]] = defaultdict(set)
    walk = Walk(setup, screen, unit)
    plain = type(walk.tester)

    class Listening(plain):  # type: ignore[misc,valid-type]
        """bandit's tester, telling which comments it heeds."""

        def _get_nosecs_from_contexts(self, context: Any, test_result: Any = None) -> Any:
            answer = super()._get_nosecs_from_contexts(context, test_result)
            if test_result is None or answer is None:
                return answer
            lines = _heeded(self.nosec_lines, context, test_result.lineno)
            if not answer:
                for line in lines:
                    told[line].add("*")
                return answer
            asked = _Asked(answer, told)
            asked.by_line = {line: self.nosec_lines[line] for line in lines}
            return asked

    walk.tester.__class__ = Listening
    try:
        walk.run(unit.tree)
    except TooSlowError:
        comments = walk.tester.nosec_lines.items()
        return {line: {"*", *rules} for line, rules in comments if rules is not None}
    return told


def _heeded(nosec: Mapping[int, set[str] | None], context: Any, line: int | None) -> list[int]:
    """The lines whose comments bandit takes into account: the finding's and its statement's."""
    found = [line] if line is not None and nosec.get(line) is not None else []
    within = [n for n in context["linerange"] if nosec.get(n) is not None]
    if within and utils.get_nosec(nosec, context) is not None:
        found.append(within[0])
    return list(dict.fromkeys(found))
