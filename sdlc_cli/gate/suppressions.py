"""Comments that silence a finding: which lack a rule or a reason, and which silence nothing.

Looks at `# nosec` (bandit) and `sdlc: allow-secret` after the gates have run, and only at files
that hold such a word; what the gates find is not touched.
"""

import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import formula, source
from sdlc_cli.gate.config import Gate, Security
from sdlc_cli.gate.engines import secrets, security
from sdlc_cli.gate.filepass import identify
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.options import Suppressions
from sdlc_cli.gate.source import Project, Unit

WITHOUT_REASON = "suppression-without-reason"
UNUSED = "suppression-unused"
# Documents speak of such comments; they do not silence anything there.
_DOCUMENTS = (".md", ".rst", ".txt", ".html", ".po", ".pot")

_NOSEC = re.compile(r"#\s*nosec\b:?(.*)", re.DOTALL)  # as bandit looks for it
_ALLOW = re.compile(rb"sdlc:[ \t]*(allow-secret)\b[ \t:]*([^\r\n]*)")
_RULE_ID = re.compile(r"\b[A-Z]\d{3}\b")
_WORD = re.compile(r"\w*[^\W\d_]{2}\w*")  # two letters at least: no dash, no number


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One comment. `idle` says what of it silences nothing: rule ids, or the whole comment."""

    gate: str
    location: Location
    text: str
    rules: tuple[str, ...] = ()
    has_reason: bool = False
    needs_rule: bool = False
    idle: tuple[str, ...] = ()


def added(
    project: Project, options: Suppressions, gates: Mapping[str, Gate],
    measurements: Mapping[str, Measurement],
) -> dict[str, Measurement]:  # fmt: skip
    """The measurements, with the findings about comments in their gates, and scored with them."""
    wanted = [name for name in ("security", "secrets") if _is_judged(measurements, name)]
    if not wanted or (options.reason == "optional" and options.unused == "ignore"):
        return dict(measurements)
    found = list(suppressions(project, gates))
    return {
        name: _with(measurement, [
            identify(finding, None)
            for one in found if one.gate == name
            for finding in findings(one, options)
        ]) if name in wanted else measurement
        for name, measurement in measurements.items()
    }  # fmt: skip


def _is_judged(measurements: Mapping[str, Measurement], name: str) -> bool:
    return name in measurements and measurements[name].outcome == "judged"


def _with(measurement: Measurement, more: list[Finding]) -> Measurement:
    if not more or measurement.score is None:
        return measurement
    everything = (*measurement.findings, *more)
    score, _ = formula.without(
        measurement.score, measurement.metrics.get("formula"), more, everything
    )
    return Measurement(
        score=score,
        reason=measurement.reason,
        findings=everything,
        metrics=measurement.metrics,
        skipped_files=measurement.skipped_files,
        tool_versions=measurement.tool_versions,
    )


def findings(one: Suppression, options: Suppressions) -> Iterator[Finding]:
    """What is wrong with a comment, by what gates.yaml asks of them."""
    if options.reason == "required" and (not one.has_reason or (one.needs_rule and not one.rules)):
        yield Finding(
            rule=WITHOUT_REASON,
            severity=Severity.MEDIUM,
            message=msg("a comment silences findings without a rule id or without a reason"),
            help=msg("write which rule is silenced and why: # nosec B603 - arguments are fixed")
            if one.needs_rule
            else msg("write why it is no secret: sdlc: allow-secret REASON"),
            location=one.location,
            context=one.text,
        )
    if options.unused == "report" and one.idle:
        yield Finding(
            rule=UNUSED,
            severity=Severity.LOW,
            message=msg("the comment silences nothing here: {what}", what=", ".join(one.idle)),
            help=msg("remove it, or the rule ids that are named"),
            location=one.location,
            context=one.text,
        )


def suppressions(project: Project, gates: Mapping[str, Gate]) -> Iterator[Suppression]:
    """All such comments in the project's files, by path and line."""
    options = gates.get("security")
    state = None
    for path in project.files:
        unit = source.read(project, path)
        if not isinstance(unit, Unit):
            continue
        if b"nosec" in unit.data and unit.kind == "python" and isinstance(options, Security):
            state = state or security.prepare(project, options)
            if not state.setup.excludes(path):
                yield from _of_bandit(unit, state)
        if b"allow-secret" in unit.data and not path.lower().endswith(_DOCUMENTS):
            yield from _of_secrets(unit)


def _of_bandit(unit: Unit, state: Any) -> Iterator[Suppression]:
    comments = dict(_comments(unit))
    used = _used(unit, state) if comments else None
    for line, (column, text) in comments.items():
        asked = _NOSEC.search(text)
        if not asked:
            continue
        rules = _rules(text, state)
        yield Suppression(
            gate="security",
            location=Location(path=unit.path, line=line, column=column + 1),
            text=text,
            rules=rules,
            has_reason=any(not _rules(f"# nosec {w}", state) for w in _WORD.findall(asked[1])),
            needs_rule=True,
            idle=() if used is None else _idle(rules, used.get(line, set())),
        )


def _rules(comment: str, state: Any) -> tuple[str, ...]:
    if state.screen is None:  # a version of bandit that we do not know inside
        return tuple(dict.fromkeys(_RULE_ID.findall(comment)))
    from sdlc_cli.gate.analysis.nosec_use import rules_in

    return rules_in(comment)


def _idle(rules: tuple[str, ...], used: set[str]) -> tuple[str, ...]:
    if not rules:
        return () if used else ("nosec",)
    return tuple(rule for rule in rules if rule not in used)


def _comments(unit: Unit) -> Iterator[tuple[int, tuple[int, str]]]:
    try:
        for token in tokenize.tokenize(io.BytesIO(unit.data).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], (token.start[1], token.string)
    except (tokenize.TokenError, SyntaxError):
        return


def _used(unit: Unit, state: Any) -> Mapping[int, set[str]] | None:
    """Line -> rules that the comment there silences; None when nobody can tell."""
    if state.screen is None:
        return None
    from sdlc_cli.gate.analysis.nosec_use import silenced

    state.setup.activate()
    try:
        return silenced(state.setup, state.screen, unit)
    except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError):
        return None


def _of_secrets(unit: Unit) -> Iterator[Suppression]:
    allowances = [match for match in _ALLOW.finditer(unit.data) if _is_comment(unit, match)]
    if not allowances:
        return
    # With the word broken, the gate finds what the comments silence.
    bare = Unit(unit.path, _ALLOW.sub(lambda m: m[0].replace(m[1], b"x" * len(m[1])), unit.data))
    outcome = secrets.inspect(None, bare)
    hits: Iterable[Finding] = outcome.findings if outcome else ()
    lines = {finding.location.line for finding in hits}
    for match in allowances:
        line = unit.data.count(b"\n", 0, match.start()) + 1
        text = match[0].decode("utf-8", "replace").strip()
        yield Suppression(
            gate="secrets",
            location=Location(path=unit.path, line=line),
            text=text,
            has_reason=_WORD.search(match[2].decode("utf-8", "replace")) is not None,
            idle=() if line in lines else ("allow-secret",),
        )


def _is_comment(unit: Unit, match: re.Match[bytes]) -> bool:
    """Python can be asked; in other files every such word is taken for a comment."""
    if unit.kind != "python":
        return True
    line = unit.data.count(b"\n", 0, match.start()) + 1
    found = dict(_comments(unit)).get(line)
    return found is not None and b"allow-secret" in found[1].encode("utf-8", "replace")
