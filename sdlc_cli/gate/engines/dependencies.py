"""Known vulnerabilities of the dependencies, from the report of pip-audit or osv-scanner.

Nothing is looked up here: the report says what is known, and this gate says how old it is.
"""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import evidence
from sdlc_cli.gate.advisories import Advisory, Audit, read
from sdlc_cli.gate.config import Dependencies
from sdlc_cli.gate.formula import LEAST_LINES, density, density_terms
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.source import Project

HALF = 20  # points that leave 50: one vulnerability of high severity
COMMAND = "pip-audit -f json -o {report}"
_SECONDS_A_DAY = 86400


def check(project: Project, name: str, options: Dependencies) -> Measurement:
    """Judge the report at `options.report`. Score: `100 * 2 ** -(points / HALF)`.

    The number of packages plays no part: one vulnerable package is as bad among many as alone.
    """
    path = project.base / options.report
    command = COMMAND.format(report=options.report)
    try:
        data = evidence.read(path, options.report)
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        reason = msg(
            "there is no {report}; make it with: {command}", report=options.report, command=command
        )
        return Measurement(outcome="skipped", reason=reason)
    except WorkError as error:
        return _error(error.message)
    except OSError as error:
        return _error(msg("{report}: {reason}", report=options.report, reason=error.strerror))
    try:
        audit = read(data)
    except ValueError as error:
        return _error(
            msg(
                "{report} is neither pip-audit's JSON nor osv-scanner's: {reason}",
                report=options.report,
                reason=error,
            )
        )
    if not audit.packages:
        return _looked_at_nothing(audit, options.report)
    return _judge(project, options, audit, audit.made_at or changed)


def _judge(project: Project, options: Dependencies, audit: Audit, made_at: datetime) -> Measurement:
    age_s = max(0.0, (datetime.now(UTC) - made_at).total_seconds())
    own = own_name(project.base)
    skipped = [(n, reason) for n, reason in audit.skipped if _plain(n) != own]
    findings = [_vulnerability(project, advisory) for advisory in audit.advisories]
    findings += [_not_audited(package, reason) for package, reason in skipped]
    if age_s > options.max_age:
        findings.append(_old(options, age_s))
    return Measurement(
        score=density((finding.severity for finding in findings), LEAST_LINES, HALF),
        findings=tuple(findings),
        metrics={
            "report": options.report,
            "format": audit.format,
            "packages": audit.packages,
            "vulnerabilities": len(audit.advisories),
            "not_audited": len(skipped),
            "report_age_s": round(age_s),
            "formula": density_terms(LEAST_LINES, HALF),
            "report_time": made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
    )


def _error(reason: str) -> Measurement:
    return Measurement(outcome="error", reason=reason)


def _looked_at_nothing(audit: Audit, report: str) -> Measurement:
    if audit.format == "osv":
        return _error(
            msg(
                "{report} lists no package, so nothing says that any was looked at; "
                "osv-scanner lists them all with --all-packages",
                report=report,
            )
        )
    if audit.skipped:
        return _error(msg("{report}: none of the packages in it could be audited", report=report))
    return _error(msg("{report} lists no package: nothing was looked at", report=report))


def _vulnerability(project: Project, advisory: Advisory) -> Finding:
    package = f"{advisory.package} {advisory.version}".rstrip()
    words = {"package": package, "id": advisory.id, "aliases": ", ".join(advisory.aliases)}
    if advisory.aliases:
        message = msg("{package} has the known vulnerability {id} ({aliases})", **words)
    else:
        message = msg("{package} has the known vulnerability {id}", **words)
    if advisory.summary:
        message = msg("{message}: {summary}", message=message, summary=advisory.summary)
    if advisory.fixed_in:
        fix = msg("fixed in {versions}", versions=", ".join(advisory.fixed_in))
    else:
        fix = msg("no fixed version is known")
    return Finding(
        rule=advisory.id,
        severity=advisory.severity,
        message=message,
        location=Location(path=_inside(project.root, advisory.source)),
        help=fix,
        context=f"{advisory.package} {advisory.id}",
    )


def _not_audited(package: str, reason: str) -> Finding:
    return Finding(
        rule="not-audited",
        severity=Severity.LOW,
        message=msg("{package} could not be audited: {reason}", package=package, reason=reason),
        help=msg("depend on a published version, or audit it another way"),
        context=package,
    )


def _old(options: Dependencies, age_s: float) -> Finding:
    return Finding(
        rule="old-report",
        severity=Severity.MEDIUM,
        message=msg(
            "{report} is {days} days old, more than the {allowed} that max_age allows",
            report=options.report,
            days=f"{age_s / _SECONDS_A_DAY:.1f}",
            allowed=f"{options.max_age / _SECONDS_A_DAY:.1f}",
        ),
        help=msg("make it anew with: {command}", command=COMMAND.format(report=options.report)),
        context=options.report,
    )


def _inside(root: Path, source: str) -> str:
    """The lock file's path under `root`, or "" when it lies elsewhere or is not named."""
    path = Path(source)
    if not source or ".." in path.parts:
        return ""
    if not path.is_absolute():
        return path.as_posix()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else ""


def own_name(base: Path) -> str:
    """The project's own normalised name, or "": an audit of an environment finds it installed
    and cannot audit it, which is no news."""
    try:
        data = evidence.read(base / "pyproject.toml", "pyproject.toml")
        table = tomllib.loads(data.decode())
    except (OSError, WorkError, ValueError, RecursionError):
        return ""
    project = table.get("project")
    name = project.get("name") if isinstance(project, dict) else None
    return _plain(name) if isinstance(name, str) else ""


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
