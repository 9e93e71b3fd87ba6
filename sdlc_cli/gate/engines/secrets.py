"""Hard-coded keys, tokens and passwords in every text file; the secret itself is never shown."""

from collections.abc import Sequence

from sdlc_cli.core.finding import Finding, Severity, fingerprint
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.ignore import Rules, rules
from sdlc_cli.gate import formula
from sdlc_cli.gate.model import Measurement, Outcome
from sdlc_cli.gate.options import AllowedSecret, Secrets
from sdlc_cli.gate.source import Project, Unit

HALF = 10.0  # points per 1,000 lines that leave a score of 50: one `high` in 2,000 lines
UNUSED = "unused-allow"


def prepare(project: Project, options: Secrets) -> None:
    """Nothing to prepare: what is allowed is taken away in the end."""


def inspect(state: None, unit: Unit) -> Outcome | None:
    """Look through one text file."""
    from sdlc_cli.gate.analysis import secret_scan  # its expressions take 20 ms to compile

    return secret_scan.look(unit)


def conclude(
    project: Project, options: Secrets, outcomes: Sequence[tuple[str, Outcome]]
) -> Measurement:
    """Take away what is allowed, name allowances that allow nothing, and score the rest."""
    if not outcomes:
        return Measurement(outcome="skipped", reason=msg("there is no text file"))
    allowances = [_Allowance(one) for one in options.allow]
    prefix = _prefix(project)
    findings = []
    for finding in (finding for _, outcome in outcomes for finding in outcome.findings):
        allowed = [one for one in allowances if one.allows(finding, prefix)]
        if not allowed:
            findings.append(finding)
    lines = int(sum(outcome.numbers["lines"] for _, outcome in outcomes))
    paths = [path for path, _ in outcomes]
    unused = [one.unused() for one in allowances if one.is_unused(paths, project, prefix)]
    return Measurement(
        score=formula.density([finding.severity for finding in findings], lines, HALF),
        findings=(*findings, *unused),
        metrics={
            "files": len(outcomes),
            "lines": lines,
            "allowed": sum(len(outcome.findings) for _, outcome in outcomes) - len(findings),
            "formula": formula.density_terms(lines, HALF),
        },
    )


def _prefix(project: Project) -> str:
    inside = project.base.relative_to(project.root).as_posix()
    return "" if inside == "." else f"{inside}/"


class _Allowance:
    """One `allow` entry of gates.yaml, and how many findings it took away."""

    def __init__(self, entry: AllowedSecret) -> None:
        self.entry = entry
        self.used = 0
        self._paths: Rules = rules([entry.path])

    def allows(self, finding: Finding, prefix: str) -> bool:
        entry = self.entry
        fits = (
            self._covers(finding.location.path, prefix)
            and entry.rule in ("", finding.rule)
            and entry.fingerprint in ("", fingerprint(finding.rule, finding.context))
        )
        self.used += fits
        return fits

    def _covers(self, path: str, prefix: str) -> bool:
        return path.startswith(prefix) and self._paths.covers(path[len(prefix) :])

    def is_unused(self, judged: Sequence[str], project: Project, prefix: str) -> bool:
        """True when its files were looked at, or there are none; not when they were left out."""
        if self.used:
            return False
        named = [path for path in project.files if self._covers(path, prefix)]
        return not named or not set(named).isdisjoint(judged)

    def unused(self) -> Finding:
        entry = self.entry
        context = f"{entry.path} {entry.rule} {entry.fingerprint}"
        return Finding(
            rule=UNUSED,
            severity=Severity.LOW,
            message=msg("the allowance for {path} allows nothing: take it out", path=entry.path),
            context=context,
            fingerprint=fingerprint(UNUSED, context),
        )


def rule_texts() -> dict[str, str]:
    """Each rule id with what it finds."""
    from sdlc_cli.gate.analysis import secret_scan

    return secret_scan.rule_texts()
