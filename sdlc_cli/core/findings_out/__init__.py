"""Findings in the formats that machines read: SARIF, JUnit, GitHub, GitLab."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sdlc_cli.core.finding import Finding, worst_first

Status = Literal["passed", "failed", "error", "skipped", "inconclusive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingSet:
    """What one gate or one family of rules says: its verdict, and the findings behind it.

    `reason` says why, in a sentence. `security` marks findings that a security view should list.
    """

    name: str
    status: Status
    reason: str = ""
    description: str = ""
    findings: tuple[Finding, ...] = ()
    security: bool = False
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNotRead:
    """A file that nobody could judge, and why."""

    path: str
    reason: str


def worst(sets: Iterable[FindingSet], most: int) -> list[tuple[FindingSet, Finding]]:
    """The `most` worst findings of all sets, worst first, each with its set."""
    pairs = [(one, finding) for one in sets for finding in one.findings]
    pairs.sort(key=lambda pair: (worst_first(pair[1]), pair[0].name, pair[1].message))
    return pairs[:most]


def count(sets: Sequence[FindingSet]) -> int:
    """How many findings all sets hold."""
    return sum(len(one.findings) for one in sets)
