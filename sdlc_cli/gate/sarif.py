"""Reads SARIF 2.1.0 that another program wrote, into findings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Struct

from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.gate.advisories import cvss_score, rate

LONGEST_MESSAGE = 2000
_LEVELS: Mapping[str, Severity] = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "note": Severity.LOW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SarifLog:
    """What one log says. `failures` are runs whose tool reports that it did not succeed."""

    runs: int
    findings: tuple[Finding, ...]
    suppressed: int
    tool_versions: Mapping[str, str]
    failures: tuple[str, ...]


class _Camel(Struct, rename="camel"):
    pass


class _Text(_Camel):
    text: str | None = None
    markdown: str | None = None
    id: str | None = None
    arguments: list[str] | None = None


class _Artifact(_Camel):
    uri: str | None = None
    uri_base_id: str | None = None
    index: int = -1


class _ArtifactHolder(_Camel):
    location: _Artifact | None = None


class _Region(_Camel):
    start_line: int = 0
    start_column: int = 0
    end_line: int = 0
    end_column: int = 0


class _Physical(_Camel):
    artifact_location: _Artifact | None = None
    region: _Region | None = None


class _Location(_Camel):
    physical_location: _Physical | None = None


class _Defaults(_Camel):
    level: str | None = None


class _Rule(_Camel):
    id: str = ""
    default_configuration: _Defaults | None = None
    properties: dict[str, object] | None = None
    help_uri: str | None = None
    help: _Text | None = None
    short_description: _Text | None = None
    message_strings: dict[str, _Text] | None = None


class _Component(_Camel):
    name: str = ""
    version: str | None = None
    semantic_version: str | None = None
    rules: list[_Rule] | None = None


class _Tool(_Camel):
    driver: _Component
    extensions: list[_Component] | None = None


class _ComponentIndex(_Camel):
    index: int = -1


class _RuleReference(_Camel):
    id: str | None = None
    index: int = -1
    tool_component: _ComponentIndex | None = None


class _Suppression(_Camel):
    status: str | None = None


class _Result(_Camel):
    message: _Text = msgspec.field(default_factory=_Text)
    rule_id: str | None = None
    rule_index: int = -1
    rule: _RuleReference | None = None
    level: str | None = None
    kind: str | None = None
    baseline_state: str | None = None
    locations: list[_Location] | None = None
    suppressions: list[_Suppression] | None = None
    fingerprints: dict[str, str] | None = None
    partial_fingerprints: dict[str, str] | None = None
    properties: dict[str, object] | None = None


class _Notification(_Camel):
    message: _Text = msgspec.field(default_factory=_Text)


class _Invocation(_Camel):
    execution_successful: bool = True
    tool_execution_notifications: list[_Notification] | None = None


class _Run(_Camel):
    tool: _Tool
    results: list[_Result] | None = None
    invocations: list[_Invocation] | None = None
    original_uri_base_ids: dict[str, _Artifact] | None = None
    artifacts: list[_ArtifactHolder] | None = None


class _Log(_Camel):
    version: str
    runs: list[_Run] | None = None


def read(data: bytes, *, root: Path, base: Path) -> SarifLog:
    """The findings in `data`, with paths relative to `root`; relative ones there mean `base`.

    A run without `results` did not look (SARIF 2.1.0, 3.14.23) and does not count as a run.
    Raises ValueError with what is wrong.
    """
    try:
        log = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Log)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error
    if log.version != "2.1.0":
        raise ValueError(f"version {log.version!r} is not 2.1.0")
    everything = log.runs or []
    looked = [run for run in everything if run.results is not None]
    results = [(run, result) for run in looked for result in run.results or ()]
    open_ones = [(run, result) for run, result in results if not _suppressed(result)]
    findings = (_finding(run, result, root, base) for run, result in open_ones)
    return SarifLog(
        runs=len(looked),
        findings=tuple(finding for finding in findings if finding is not None),
        suppressed=len(results) - len(open_ones),
        tool_versions=_versions(everything),
        failures=tuple(_failures(everything)),
    )


def _suppressed(result: _Result) -> bool:
    """By 3.27.23: something accepts it, and nothing rejects it or still reviews it."""
    states = {suppression.status or "accepted" for suppression in result.suppressions or ()}
    return states == {"accepted"}


def _failures(runs: list[_Run]) -> list[str]:
    failures: list[str] = []
    for run in runs:
        for invocation in run.invocations or ():
            if not invocation.execution_successful:
                notes = [
                    n.message.text or "" for n in invocation.tool_execution_notifications or ()
                ]
                failures.append(": ".join([run.tool.driver.name, *notes[:1]]))
    return failures


def _versions(runs: list[_Run]) -> dict[str, str]:
    tools = [run.tool.driver for run in runs]
    return {t.name: v for t in tools if (v := t.semantic_version or t.version) and t.name}


def _finding(run: _Run, result: _Result, root: Path, base: Path) -> Finding | None:
    rule, rule_id = _rule(run, result)
    severity = _severity(result, rule)
    if severity is None:
        return None
    names = result.fingerprints or result.partial_fingerprints or {}
    return Finding(
        rule=rule_id,
        severity=severity,
        message=_message(result.message, rule) or rule_id,
        location=_location(run, result, root, base),
        help=_help(rule),
        context=" ".join(f"{name}={names[name]}" for name in sorted(names)),
    )


def _rule(run: _Run, result: _Result) -> tuple[_Rule, str]:
    reference = result.rule or _RuleReference()
    component = _component(run, reference)
    rules = component.rules or []
    rule_id = result.rule_id or reference.id or ""
    index = result.rule_index if result.rule_index >= 0 else reference.index
    if 0 <= index < len(rules):
        return rules[index], rule_id or rules[index].id
    by_id = {rule.id: rule for rule in reversed(rules) if rule.id}
    # `CA1000/1` is a case of the rule CA1000 (3.52.4).
    rule = by_id.get(rule_id) or by_id.get(rule_id.rpartition("/")[0]) or _Rule()
    return rule, rule_id or component.name or "sarif"


def _component(run: _Run, reference: _RuleReference) -> _Component:
    """The driver, or the extension that the reference names."""
    extensions = run.tool.extensions or []
    index = reference.tool_component.index if reference.tool_component else -1
    return extensions[index] if 0 <= index < len(extensions) else run.tool.driver


def _severity(result: _Result, rule: _Rule) -> Severity | None:
    """None for what is no problem: passed checks, level `none`, results that went away."""
    if (result.kind or "fail") != "fail" or result.baseline_state == "absent":
        return None
    for properties in (result.properties, rule.properties):
        score = cvss_score(str((properties or {}).get("security-severity", "")))
        if score is not None:
            return rate(score)
    default = rule.default_configuration.level if rule.default_configuration else None
    level = result.level or default or "warning"
    return None if level == "none" else _LEVELS.get(level, Severity.MEDIUM)


def _message(message: _Text, rule: _Rule) -> str:
    text = message.text or message.markdown
    if text is None and message.id is not None:
        known = (rule.message_strings or {}).get(message.id)
        text = known.text if known else None
    for index, argument in enumerate(message.arguments or ()):
        text = (text or "").replace(f"{{{index}}}", argument)
    return (text or "").strip()[:LONGEST_MESSAGE]


def _help(rule: _Rule) -> str:
    if rule.help_uri:
        return rule.help_uri
    for words in (rule.short_description, rule.help):
        if words and words.text:
            return words.text.strip().split("\n", 1)[0][:LONGEST_MESSAGE]
    return ""


def _location(run: _Run, result: _Result, root: Path, base: Path) -> Location:
    physical = next(
        (p for location in result.locations or () if (p := location.physical_location)), None
    )
    if physical is None or physical.artifact_location is None:
        return Location()
    path = _path(_uri(run, physical.artifact_location), root, base)
    region = physical.region or _Region()
    if not path:
        return Location()
    return Location(
        path=path,
        line=max(region.start_line, 0),
        column=max(region.start_column, 0),
        end_line=max(region.end_line, 0),
        end_column=max(region.end_column, 0),
    )


def _uri(run: _Run, artifact: _Artifact) -> str:
    """The address, with the folders that it is relative to before it."""
    if artifact.uri is None and 0 <= artifact.index < len(run.artifacts or []):
        artifact = (run.artifacts or [])[artifact.index].location or artifact
    uri, base_id = artifact.uri or "", artifact.uri_base_id
    bases = dict(run.original_uri_base_ids or {})
    while base_id is not None and (parent := bases.pop(base_id, None)) is not None:
        uri, base_id = (parent.uri or "") + uri, parent.uri_base_id
    return uri


def _path(uri: str, root: Path, base: Path) -> str:
    """The path under `root`, or "" for what lies elsewhere."""
    parts = urlsplit(uri)
    if not uri or parts.scheme not in ("", "file"):
        return ""
    named = PurePosixPath(unquote(parts.path))
    # Without asking the file system: what a report names is not followed.
    clean: list[str] = []
    for part in (base / named).parts:
        if part == "..":
            clean = clean[:-1] if len(clean) > 1 else clean
        else:
            clean.append(part)
    path = Path(*clean)
    for top in (root, root.resolve()):  # a tool may have resolved the way to the project
        if path.is_relative_to(top):
            return path.relative_to(top).as_posix()
    return ""
