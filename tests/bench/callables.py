"""What the performance gate of this repository measures in the process itself."""

from pathlib import Path

from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.gate import config
from sdlc_cli.gate.model import GateReport, Measurement
from sdlc_cli.gate.report import json
from sdlc_cli.gate.score import Measured, judge

FINDINGS = tuple(
    Finding(
        rule="B101",
        severity=Severity.LOW,
        message="assert",
        location=Location(path=f"m{n % 50}.py", line=n),
        fingerprint=f"{n:032x}",
    )
    for n in range(1, 1001)
)


def verdict() -> GateReport:
    """Judge a thousand findings and write them as JSON."""
    measured = {
        name: Measured(measurement=Measurement(score=90.0, findings=FINDINGS))
        for name in ("syntax", "security", "secrets")
    }
    report = judge(measured, config.defaults(Path()), 1)
    json.render(report)
    return report
