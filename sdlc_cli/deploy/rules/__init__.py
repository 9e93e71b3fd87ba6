"""Rules of ours on deployment files: offline, over anybody's manifests as over rendered ones.

An area is a module with a table `RULES`; a rule's `check` yields what breaks it. Nothing here
prints, and nothing runs what it reads.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path

from sdlc_cli.core.errors import NothingToDo, UsageError
from sdlc_cli.core.finding import Finding, Location, fingerprint, worst_first
from sdlc_cli.core.findings_out import FileNotRead
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.nearest import nearest
from sdlc_cli.deploy import turns
from sdlc_cli.deploy.folder import JOURNAL
from sdlc_cli.deploy.model import Artifact
from sdlc_cli.deploy.rules import parsed
from sdlc_cli.deploy.rules.rule import Hit, Rule

__all__ = ["AREAS", "Checked", "Rule", "check", "every", "explain"]

AREAS = (
    "files",
    "containers",
    "probes",
    "images",
    "workloads",
    "scaling",
    "network",
    "access",
    "docker",
    "compose",
    "actions",
    "terraform",
    "aws",
    "alerts",
    "monitoring",
    "references",
    "mounts",
    "agreement",
    "telemetry",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the rules found, worst first, and what they looked at.

    `looked_at` counts documents (an object, a Dockerfile, a Terraform file) by area; `skipped`
    are files that nobody could judge, with the reason.
    """

    findings: tuple[Finding, ...]
    looked_at: Mapping[str, int]
    skipped: tuple[FileNotRead, ...]

    def under(self, folder: str) -> "Checked":
        """The same, with every path under `folder`: how it is called from further up."""
        if folder in ("", "."):
            return self
        place = folder.strip("/")
        return Checked(
            findings=tuple(
                replace(one, location=replace(one.location, path=f"{place}/{one.location.path}"))
                for one in self.findings
            ),
            looked_at=self.looked_at,
            skipped=tuple(
                FileNotRead(path=f"{place}/{one.path}", reason=one.reason) for one in self.skipped
            ),
        )


def check(source: Path | Iterable[Artifact]) -> Checked:
    """Hold a folder's files, or Artifacts, against every rule.

    Paths in findings are relative to the folder. Raises NothingToDo where there is nothing that
    a rule could look at, WorkError where a killed render left files of two sets.
    """
    read = parsed.read(source)
    for path in sorted(read.paths):
        if isinstance(source, Path) and path.endswith(f"/{JOURNAL}"):
            turns.refuse_interrupted(source / path.removesuffix(f"/{JOURNAL}"))
    looked_at = read.looked_at()
    if not any(looked_at.values()) and not read.problems:
        where = str(source) if isinstance(source, Path) else msg("what was rendered")
        raise NothingToDo(
            msg("no deployment file in {where}", where=where),
            hint=msg("name a folder with manifests, a Dockerfile, workflows or Terraform files"),
        )
    found = sorted(
        (_finding(rule, hit) for rule in every().values() for hit in rule.check(read)),
        key=lambda finding: (worst_first(finding), finding.message),
    )
    skipped = sorted(read.skipped, key=lambda one: (one.path, str(one.reason)))
    return Checked(findings=tuple(_told(found)), looked_at=looked_at, skipped=tuple(skipped))


def _finding(rule: Rule, hit: Hit) -> Finding:
    words: dict[str, object] = {"subject": hit.subject, "problem": rule.title, "detail": hit.detail}
    if hit.detail:
        message = msg("{subject}: {problem} ({detail})", **words)
    else:
        message = msg("{subject}: {problem}", **words)
    return Finding(
        rule=rule.id,
        severity=rule.severity,
        message=message,
        location=Location(path=hit.path, line=hit.line),
        help=rule.fix,
        context=f"{hit.subject} {hit.detail}".strip(),
    )


def _told(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Each finding once, with a fingerprint of its own: the second alike is called `#2`."""
    seen: set[Finding] = set()
    counts: dict[tuple[str, str], int] = {}
    for finding in findings:
        if finding in seen:
            continue
        seen.add(finding)
        key = (finding.rule, finding.context)
        counts[key] = counts.get(key, 0) + 1
        context = finding.context if counts[key] == 1 else f"{finding.context} #{counts[key]}"
        yield replace(finding, fingerprint=fingerprint(finding.rule, context))


@cache
def every() -> Mapping[str, Rule]:
    """Every rule by its id, in the order of the areas."""
    modules = (import_module(f"sdlc_cli.deploy.rules.{area}") for area in AREAS)
    return {rule.id: rule for module in modules for rule in module.RULES}


def explain(rule_id: str) -> Rule:
    """The rule with this id. Raises UsageError, with the nearest id, for an unknown one."""
    known = every()
    if found := known.get(rule_id.casefold()):
        return found
    close = nearest(rule_id, known)
    raise UsageError(
        msg("no rule is called '{rule}'", rule=rule_id),
        hint=f"sdlc deploy explain {close}"
        if close
        else msg("sdlc deploy explain RULE, with a rule that a finding shows"),
    )
