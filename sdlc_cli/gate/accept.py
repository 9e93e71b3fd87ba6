"""Writes a baseline: takes a report's findings as accepted, or tightens what is accepted."""

import math
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from msgspec.structs import replace as changed

from sdlc_cli.core.config import MAX_BYTES
from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.files import read_regular, write_atomic
from sdlc_cli.core.finding import Finding
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import baseline_files, formula
from sdlc_cli.gate.baseline import accept_some, is_ratcheted_by_findings, mark_of
from sdlc_cli.gate.baseline_files import Accepted, Baseline, Entry
from sdlc_cli.gate.model import CheckResult, GateReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What new entries say of themselves."""

    owner: str = ""
    reason: str = ""
    expires: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The files that changed, relative to the baseline's folder, sorted; and gates left alone."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    not_judged: tuple[str, ...] = ()


def accept(report: GateReport, folder: Path, grounds: Grounds | None = None) -> Written:
    """Make the baseline in `folder` say what `report` found: more, less, or the same.

    `report` must come from a whole run without baseline. Gates that were not judged and files
    that were skipped keep what they have; so do owner, reason and expiry of entries that stay.
    Raises ConfigError for files there that are wrong, WorkError when it cannot write.
    """
    grounds = grounds or Grounds()
    old = baseline_files.load(folder) or Baseline(folder=folder)
    return _write(old, {
        **old.gates,
        **{one.name: _accepted(one, old.gates.get(one.name), report, grounds)
           for one in report.results if one.judged},
    }, report)  # fmt: skip


def tighten(report: GateReport, folder: Path) -> Written:
    """As `accept`, but never more than is accepted already: what was mended stays mended.

    Only gates that have a baseline are looked at.
    """
    old = baseline_files.load(folder)
    if old is None:
        raise WorkError(
            msg("there is no baseline in {folder}", folder=str(folder)),
            hint="sdlc gate baseline",
        )
    return _write(old, {
        **old.gates,
        **{one.name: _tightened(one, old.gates[one.name], report)
           for one in report.results if one.judged and one.name in old.gates},
    }, report)  # fmt: skip


def _accepted(
    result: CheckResult, old: Accepted | None, report: GateReport, grounds: Grounds
) -> Accepted:
    known = old.entries if old else {}
    if not is_ratcheted_by_findings(result.metrics):
        return Accepted(entries=known, scores=(_floor(result.score),))
    kept = _out_of_sight(known, report)
    for mark, alike in _by_mark(result.findings).items():
        kept[mark] = _entry(alike, known.get(mark), grounds)
    return Accepted(entries=kept, scores=(100.0,))


def _tightened(result: CheckResult, old: Accepted, report: GateReport) -> Accepted:
    if not is_ratcheted_by_findings(result.metrics):
        best = [max(old.score, _floor(result.score))] if old.score is not None else []
        return Accepted(entries=old.entries, scores=tuple(best))
    kept = _out_of_sight(old.entries, report)
    found = _by_mark(result.findings)
    for mark, entry in old.entries.items():
        used = accept_some(found.get(mark, ()), entry)
        if used and mark not in kept:
            limits = _amounts(used) if entry.at_most else ()
            kept[mark] = changed(entry, count=len(used), at_most=limits)
    return Accepted(entries=kept, scores=old.scores)


def _floor(score: float | None) -> float:
    """Two decimals, rounded down: what is written is never above what was measured."""
    return math.floor((score or 0.0) * 100 + 1e-6) / 100


def _out_of_sight(entries: Mapping[str, Entry], report: GateReport) -> dict[str, Entry]:
    """Entries about files that this run could not read: nothing is known of them."""
    skipped = {file.path for file in report.skipped_files}
    return {mark: entry for mark, entry in entries.items() if entry.path in skipped}


def _by_mark(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    alike: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in formula.counted(findings):
        alike[mark_of(finding)].append(finding)
    return alike


def _entry(alike: list[Finding], old: Entry | None, grounds: Grounds) -> Entry:
    first = min(alike, key=lambda finding: (finding.location.path, finding.location.line))
    expires = grounds.expires.isoformat() if grounds.expires else ""
    fresh = Entry(
        rule=first.rule,
        path=first.location.path,
        owner=grounds.owner,
        reason=grounds.reason,
        expires=expires,
    )
    return changed(old or fresh, count=len(alike), at_most=_amounts(alike))


def _amounts(findings: Iterable[Finding]) -> tuple[float, ...]:
    amounts = sorted((finding.amount for finding in findings), reverse=True)
    return tuple(amounts) if any(amounts) else ()


def _write(old: Baseline, gates: Mapping[str, Accepted], report: GateReport) -> Written:
    folder = old.folder
    before = {
        f"{gate}/{file.name}"
        for gate in old.gates
        for file in (folder / gate).glob("*.yaml")
    }  # fmt: skip
    after = baseline_files.files(Baseline(folder=folder, gates=gates))
    same = {name for name in before & after.keys() if _holds(folder / name, after[name])}
    try:
        for name in sorted(after.keys() - same):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_atomic(folder / name, after[name])
        for name in before - after.keys():
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise WorkError(
            msg("cannot write the baseline {folder}: {why}", folder=str(folder),
                why=error.strerror or str(error)),
            hint=msg("check that you may write there"),
        ) from error  # fmt: skip
    return Written(
        added=tuple(sorted(after.keys() - before)),
        changed=tuple(sorted((after.keys() & before) - same)),
        removed=tuple(sorted(before - after.keys())),
        not_judged=tuple(one.name for one in report.results if not one.judged),
    )


def _holds(file: Path, text: str) -> bool:
    """True when the file says the same, in whatever way somebody wrote it."""
    if read_regular(os.path.realpath(file), MAX_BYTES) == text.encode():
        return True
    if file.name.startswith("score-"):
        return False
    written = baseline_files.read_entry(file)
    return baseline_files.entry_text(file.parent.name, file.stem, written) == text
