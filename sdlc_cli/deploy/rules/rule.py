"""What a rule is, and what it hits."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sdlc_cli.core.finding import Severity

if TYPE_CHECKING:
    from sdlc_cli.deploy.rules.parsed import Parsed

__all__ = ["Hit", "Rule"]


@dataclass(frozen=True, slots=True)
class Hit:
    """One place that breaks a rule. `subject` names the thing, `detail` what of it."""

    path: str
    line: int
    subject: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: what is wrong (`title`), why that matters, and how to mend it.

    `same_as` are the ids under which other tools know it. `check` yields the places that break
    it, in any order.
    """

    id: str
    severity: Severity
    title: str
    why: str
    fix: str
    same_as: tuple[str, ...] = ()
    check: Callable[["Parsed"], Iterable[Hit]]

    @property
    def area(self) -> str:
        """The part of the id before the first hyphen: k8s, docker, …"""
        return self.id.partition("-")[0]
