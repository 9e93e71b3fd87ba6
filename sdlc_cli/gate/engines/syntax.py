"""Every Python file compiles under the versions the project declares; TOML, YAML, JSON parse."""

import os
import sys
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sdlc_cli.core.finding import Finding, Location, Severity, fingerprint
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.gate import formula
from sdlc_cli.gate.model import Measurement, Outcome, SkippedFile
from sdlc_cli.gate.options import Syntax
from sdlc_cli.gate.source import Project, Unit, is_test_file, unreadable
from sdlc_cli.gate.versions import Declared, declared

# What parses loads with the first file that is looked at: none is, where all are unchanged.
if TYPE_CHECKING:
    from sdlc_cli.gate.formats import Fault
    from sdlc_cli.gate.interpreters import Interpreter, Judged

OWN = f"3.{sys.version_info.minor}"
RELEASE = sys.version.split()[0]  # as the module platform has it, which is slow to load
SYNTAX_ERROR = "syntax-error"
ENCODING_ERROR = "encoding-error"
NOT_JUDGED = "version-not-judged"
_KINDS = ("python", "toml", "yaml", "json")
_NAMES = {"toml": "TOML", "yaml": "YAML", "json": "JSON"}


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Whether our own Python's word counts: the project may declare others only."""

    judge_own: bool


def prepare(project: Project, options: Syntax) -> State:
    """Find out which versions the project declares."""
    return State(judge_own=OWN in _declared(project, options).versions)


def inspect(state: State, unit: Unit) -> Outcome | None:
    """Compile or parse one file."""
    kind = "python" if unit.kind == "stub" else unit.kind
    if kind not in _KINDS:
        return None
    from sdlc_cli.gate.formats import fault_in

    numbers: dict[str, float] = {kind: 1.0}
    try:
        if kind == "python":
            # Importing passes over odd bytes in a comment, running the file does not.
            found = _encoding_fault(unit) or (_compile_fault(unit) if state.judge_own else None)
            label: str = msg("Python {versions}", versions=OWN)
        else:
            found = fault_in(kind, unit.path, unit.data)
            label = _NAMES[kind]
    except (RecursionError, MemoryError) as error:
        why = unreadable(error) if kind == "python" else msg("it is nested too deeply to parse")
        return Outcome(numbers=numbers, skipped=why)
    if found is None:
        return Outcome(numbers=numbers)
    if "{{" in unit.path or (kind == "yaml" and (b"{{" in unit.data or b"{%" in unit.data)):
        return Outcome(numbers=numbers, skipped=msg("a template, not {format} yet", format=label))
    severity = Severity.CRITICAL if kind == "python" else Severity.HIGH
    return Outcome(findings=(_finding(unit.path, found, label, severity),), numbers=numbers)


def _encoding_fault(unit: Unit) -> "Fault | None":
    from sdlc_cli.gate.formats import Fault, not_text

    try:
        _ = unit.text
    except UnicodeDecodeError as error:
        return not_text(error, unit.data)
    except (SyntaxError, LookupError) as error:
        try:  # the same error stands for a wrong coding line and for odd bytes beside it
            unit.data.decode("utf-8")
        except UnicodeDecodeError as odd:
            return not_text(odd, unit.data)
        return Fault(message=str(error), line=1, encoding=True)
    return None


def _compile_fault(unit: Unit) -> "Fault | None":
    """Why our own Python does not compile the file. Raises RecursionError, MemoryError."""
    from sdlc_cli.gate.formats import Fault

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(unit.tree, "file", "exec", dont_inherit=True)
    except SyntaxError as error:
        line, column = max(error.lineno or 0, 0), max(error.offset or 0, 0)
        return Fault(message=error.msg, line=line, column=column)
    except (ValueError, OverflowError) as error:
        return Fault(message=str(error))
    return None


def _finding(path: str, fault: "Fault", label: str, severity: Severity) -> Finding:
    if fault.encoding:
        message: str = msg("cannot be decoded: {why}", why=fault.message)
    else:
        message = msg("does not parse as {format}: {why}", format=label, why=fault.message)
    return Finding(
        rule=ENCODING_ERROR if fault.encoding else SYNTAX_ERROR,
        severity=severity,
        message=message,
        location=Location(path=path, line=fault.line, column=fault.column),
    )


def conclude(
    project: Project, options: Syntax, outcomes: Sequence[tuple[str, Outcome]]
) -> Measurement:
    """Ask the other interpreters, then score: the share of files that parse for all of them."""
    if not outcomes:
        return Measurement(
            outcome="skipped", reason=msg("there is no Python, TOML, YAML or JSON file")
        )
    skipped = [SkippedFile(path=path, reason=one.skipped) for path, one in outcomes if one.skipped]
    judged = {path: one for path, one in outcomes if not one.skipped}
    python = [path for path, one in judged.items() if "python" in one.numbers]
    plan = _declared(project, options)
    asked = _ask_others(project, plan, python) if python else _Asked()
    own = {OWN: RELEASE} if python and OWN in plan.versions else {}
    metrics = _metrics(judged, {**own, **asked.releases}, asked.missing)
    if not judged or (python and not own and not asked.releases):
        return Measurement(
            outcome="error",
            reason=_why_nothing(plan) if judged else msg("no file could be judged"),
            findings=asked.findings,
            metrics=metrics,
            skipped_files=tuple(skipped),
        )
    findings = [finding for one in judged.values() for finding in one.findings]
    broken = {finding.location.path for finding in findings}
    taken = set(python) - broken if own else set()
    findings = _lenient([*findings, *_other_faults(asked.judged, broken)], taken, asked.judged)
    broken = {finding.location.path for finding in findings}
    good = len(judged) - len(broken)
    return Measurement(
        score=formula.share(good, len(judged)),
        reason=_not_judged(asked.missing),
        findings=(*findings, *asked.findings),
        metrics=metrics | {"formula": formula.share_terms(good, len(judged), "file")},
        skipped_files=(*skipped, *asked.skipped),
        tool_versions={"python": RELEASE},
    )


def _declared(project: Project, options: Syntax) -> Declared:
    return declared(project.root, project.base, sys.version_info.minor, options.versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the interpreters of the other versions said; `missing` are versions without one."""

    releases: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    judged: "Mapping[str, Judged]" = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    skipped: tuple[SkippedFile, ...] = ()


def _ask_others(project: Project, plan: Declared, files: Sequence[str]) -> _Asked:
    others = [version for version in plan.versions if version != OWN]
    if not others:
        return _Asked()

    from concurrent.futures import ThreadPoolExecutor

    from sdlc_cli.gate import interpreters

    def ask(version: str) -> "tuple[Interpreter, Judged] | None":
        found = interpreters.find(version, project.root)
        return (found, interpreters.judge(found, project.root, files)) if found else None

    with ThreadPoolExecutor(min(len(others), os.cpu_count() or 1)) as pool:
        answers = dict(zip(others, pool.map(ask, others), strict=True))
    good = {
        version: answer for version, answer in answers.items() if answer and not answer[1].broken
    }
    missing = tuple(version for version in others if version not in good)
    return _Asked(
        releases={version: found.release for version, (found, _) in good.items()},
        missing=missing,
        judged={version: judged for version, (_, judged) in good.items()},
        findings=tuple(_missing(version, plan, answers[version]) for version in missing),
        skipped=tuple(
            SkippedFile(path=path, reason=reason)
            for _, judged in good.values()
            for path, reason in judged.skipped.items()
        ),
    )


def _missing(version: str, plan: Declared, answer: "tuple[Interpreter, Judged] | None") -> Finding:
    if answer:
        message = msg(
            "Python {version} is not judged: {why}", version=version, why=answer[1].broken
        )
    else:
        message = msg("Python {version} is not judged: no interpreter here", version=version)
    return Finding(
        rule=NOT_JUDGED,
        severity=Severity.LOW,
        message=message,
        location=Location(path=plan.path),
        help=msg(
            "install python{version}, or name the versions to judge by in gates.yaml:"
            " gates.syntax.versions",
            version=version,
        ),
        context=version,
        fingerprint=fingerprint(NOT_JUDGED, version),
    )


def _other_faults(judged: "Mapping[str, Judged]", known: set[str]) -> list[Finding]:
    """One finding for each file that our own Python had nothing against, the newest speaking."""
    failing: dict[str, list[str]] = {}
    for version, one in judged.items():
        for path in one.faults:
            if path not in known and "{{" not in path:
                failing.setdefault(path, []).append(version)
    findings = []
    for path, versions in failing.items():
        fault = judged[versions[-1]].faults[path]
        label = msg("Python {versions}", versions=", ".join(versions))
        finding = _finding(path, fault, label, Severity.CRITICAL)
        context = f"{path}: {fault.message}"
        mark = fingerprint(SYNTAX_ERROR, context)
        findings.append(replace(finding, context=context, fingerprint=mark))
    return findings


def _lenient(
    findings: Sequence[Finding], taken: set[str], judged: "Mapping[str, Judged]"
) -> list[Finding]:
    """A test file that one version parses (`taken`: our own) may be left out for the others."""

    def parses(path: str) -> bool:
        others = any(path not in (*one.faults, *one.skipped) for one in judged.values())
        return path in taken or others

    return [
        replace(finding, severity=Severity.MEDIUM)
        if finding.rule == SYNTAX_ERROR
        and finding.severity is Severity.CRITICAL
        and is_test_file(finding.location.path)
        and parses(finding.location.path)
        else finding
        for finding in findings
    ]


def _metrics(
    judged: Mapping[str, Outcome], releases: Mapping[str, str], missing: Sequence[str]
) -> dict[str, object]:
    kinds = Counter(kind for one in judged.values() for kind in one.numbers)
    return {
        "files": {kind: kinds[kind] for kind in _KINDS if kinds[kind]},
        "versions_judged": dict(sorted(releases.items(), key=lambda item: _order(item[0]))),
        "versions_not_judged": list(missing),
    }


def _order(version: str) -> int:
    return int(version.partition(".")[2])


def _why_nothing(plan: Declared) -> Message:
    return msg(
        "no interpreter here for Python {versions}, which {source} declares",
        versions=", ".join(plan.versions),
        source=plan.path or "gates.yaml",
    )


def _not_judged(missing: Sequence[str]) -> str:
    if not missing:
        return ""
    return msg("not judged by Python {versions}: no interpreter here", versions=", ".join(missing))
