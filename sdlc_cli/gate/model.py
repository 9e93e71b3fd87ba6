"""What flows through `sdlc gate`: Measurements in, CheckResults judged, one GateReport out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sdlc_cli.core.finding import Finding

SCHEMA_VERSION = 1

Status = Literal["passed", "failed", "error", "skipped", "inconclusive"]
Metric = float | int | str | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedFile:
    """A file that could not be judged, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one engine saw in one file. `numbers` are the engine's own, for its conclusion.

    `skipped` says why the engine could not judge this file; then nothing else counts.
    """

    findings: tuple[Finding, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    skipped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What an engine says of the whole project, before anyone judges it.

    `outcome` is `judged` (then `score`, 0 is worst and 100 best, is set), or `error`, `skipped`
    or `inconclusive` (then `reason` says why). `metrics` may hold nested tables for JSON.
    `failure` says why the gate fails whatever its score is. `unchanged` marks a gate that is
    skipped because nothing of the change concerns it: nobody has to miss it.
    """

    outcome: Literal["judged", "error", "skipped", "inconclusive"] = "judged"
    score: float | None = None
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    metrics: Mapping[str, object] = field(default_factory=dict)
    skipped_files: tuple[SkippedFile, ...] = ()
    tool_versions: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""
    unchanged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One gate, judged: its measurement beside the rules it was judged by.

    `failure` is the measurement's; `reason` may name something worse.
    """

    name: str
    status: Status
    reason: str
    score: float | None
    weight: float
    minimum: float
    required: bool
    duration_s: float
    findings: tuple[Finding, ...]
    metrics: Mapping[str, object]
    failure: str = ""
    unchanged: bool = False

    @property
    def judged(self) -> bool:
        """True when the gate's score counts."""
        return self.status in ("passed", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """The verdict of one run, and all that led to it.

    `score` is the weighted mean of the judged gates (0-100), `None` when none was judged;
    `judged_weight` the share (0-1) of the configured weight that was judged; `reasons` say in
    a sentence each why the run did not pass.
    """

    results: tuple[CheckResult, ...]
    score: float | None
    threshold: float
    generation: int
    generation_name: str
    judged_weight: float
    exit_code: int
    reasons: tuple[str, ...]
    skipped_files: tuple[SkippedFile, ...]
    files: int
    lines: int
    tool_versions: Mapping[str, str]

    @property
    def passed(self) -> bool:
        """True when the run may ship."""
        return self.exit_code == 0

    def result(self, name: str) -> CheckResult:
        """The gate called `name`. Raises KeyError when it was not part of the run."""
        for result in self.results:
            if result.name == name:
                return result
        raise KeyError(name)
