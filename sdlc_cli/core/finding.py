"""One problem at one place: what gates and deploy rules find, and every report shows."""

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from sdlc_cli.core.i18n import Message, msg


class Severity(enum.StrEnum):
    """How bad a finding is. Compare with `rank`: 0 is low, 3 is critical."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Position from 0 (low) to 3 (critical)."""
        return _RANKS[self]


WORDS: Mapping[Severity, Message] = {
    Severity.LOW: msg("low"),
    Severity.MEDIUM: msg("medium"),
    Severity.HIGH: msg("high"),
    Severity.CRITICAL: msg("critical"),
}
_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where. `path` is relative to the project's root, with `/`; lines and columns start at 1.

    0 means unknown: line 0 is the whole file, path "" the whole project.
    """

    path: str = ""
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong, how bad, where, and what to do about it.

    `rule` is the id that `sdlc gate explain RULE` takes. `help` is a URL or a sentence.
    `context` is what identifies the finding apart from its place (a function's name, a line's
    text without its secret); empty means the text of its line. `fingerprint` is filled in by
    the run: it survives moved lines and renamed files. `amount` says how much of it there is,
    where that can grow (a function's complexity); 0 where it cannot.
    """

    rule: str
    severity: Severity
    message: str
    location: Location = field(default_factory=Location)
    help: str = ""
    context: str = ""
    fingerprint: str = ""
    amount: float = 0.0


def fingerprint(rule: str, context: str) -> str:
    """32 hex digits that name a finding by its rule and its text, not its place."""
    words = " ".join(context.split())
    return hashlib.sha256(f"{rule}\n{words}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def worst_first(finding: Finding) -> tuple[int, str, int, int, str]:
    """Sort key: worst severity first, then by place."""
    place = finding.location
    return (-finding.severity.rank, place.path, place.line, place.column, finding.rule)
