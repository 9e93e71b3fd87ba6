"""What every form says of a verdict in the same words."""

from collections.abc import Mapping

from sdlc_cli.core.finding import WORDS, Location, Severity
from sdlc_cli.core.findings_out import FindingSet
from sdlc_cli.core.i18n import _, local, msg, ngettext
from sdlc_cli.core.printable import visible
from sdlc_cli.deploy.report import Verdict

TOOL = "sdlc"


def headline(verdict: Verdict) -> str:
    """`Did not pass: 3 findings (1 critical, 2 low) in 61 documents`."""
    checked = verdict.checked
    total = len(checked.findings)
    found = ngettext("{n} finding", "{n} findings", total).format(n=f"{total:,}")
    if total:
        found += f" ({_by_severity(verdict)})"
    documents = sum(checked.looked_at.values())
    where = ngettext("{n} document", "{n} documents", documents).format(n=f"{documents:,}")
    word = _("Passed") if verdict.passed else _("Did not pass")
    return _("{verdict}: {findings} in {documents}").format(
        verdict=word, findings=found, documents=where
    )


def _by_severity(verdict: Verdict) -> str:
    counts: dict[Severity, int] = {}
    for finding in verdict.checked.findings:
        counts[finding.severity] = counts.get(finding.severity, 0) + 1
    worst_first = sorted(counts, key=lambda severity: -severity.rank)
    return ", ".join(f"{counts[one]:,} {local(WORDS[one])}" for one in worst_first)


def areas(looked_at: Mapping[str, int]) -> str:
    """`docker 1, kubernetes 52`: how much of what was looked at."""
    return ", ".join(f"{area} {count:,}" for area, count in looked_at.items() if count)


def place(location: Location) -> str:
    """`k8s/prod/service.yaml:3`, as terminals make it clickable."""
    path = visible(location.path)
    return f"{path}:{location.line}" if location.line else path


def sets(verdict: Verdict) -> list[FindingSet]:
    """The verdict as the shared machine formats take it."""
    reason = ""
    if verdict.fail_on and not verdict.passed:
        least = WORDS[verdict.fail_on]
        n = len(verdict.breaking)
        reason = msg("findings of severity {severity} or worse: {n}", severity=least, n=n)
    return [
        FindingSet(
            name="deploy",
            status="passed" if verdict.passed else "failed",
            reason=reason,
            description="Deployment files: hardened, and consistent with each other.",
            findings=verdict.checked.findings,
            security=True,
        )
    ]
