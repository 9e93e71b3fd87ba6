"""Accepted findings: what is known stays quiet, what is new is not, and nothing gets worse.

An entry accepts a number of findings with one fingerprint (rule and text, not place), so one
accepted finding never hides a second one alike. A gate with a baseline fails on any finding that
is not accepted; a gate whose score no finding decides (coverage, the number of a command) fails
when it falls under its accepted score.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from sdlc_cli.core.finding import Finding, Location, Severity, fingerprint, worst_first
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import formula
from sdlc_cli.gate.baseline_files import Baseline, Entry
from sdlc_cli.gate.changes import Changes
from sdlc_cli.gate.formula import points
from sdlc_cli.gate.model import Measurement

UNUSED = "baseline-unused"
EXPIRED = "baseline-expired"
# Points by which an accepted score may be missed: measuring twice may differ by a line.
SLACK = 0.1


def mark_of(finding: Finding) -> str:
    """The finding's fingerprint, as it names a file."""
    mark = finding.fingerprint or fingerprint(finding.rule, finding.context or finding.message)
    plain = len(mark) >= 8 and len(mark) <= 64 and set(mark) <= set("0123456789abcdef")
    return mark if plain else fingerprint(finding.rule, mark)


def is_ratcheted_by_findings(metrics: Mapping[str, object]) -> bool:
    """True when a gate's findings decide its score; else the score itself is held."""
    return formula.decided_by_findings(metrics.get("formula"))


def apply(
    measurements: Mapping[str, Measurement],
    baseline: Baseline,
    today: date,
    *,
    root: Path,
    changes: Changes | None = None,
    complete: bool = True,
) -> dict[str, Measurement]:
    """The measurements without what is accepted, scored by each gate's own formula.

    Of several findings alike, those that `changes` touch are the new ones. Entries that expired
    before `today` count no longer and are findings of their gate (`baseline-expired`); so are
    those that accept more than there is (`baseline-unused`), if the run was `complete`: all
    files and all gates of the project. `root` is what paths in findings are relative to.
    """
    return {
        name: _apply(
            name, measurement, baseline, today, root=root, changes=changes, complete=complete
        )
        if name in baseline.gates and measurement.outcome == "judged"
        else measurement
        for name, measurement in measurements.items()
    }


def _apply(
    name: str,
    measurement: Measurement,
    baseline: Baseline,
    today: date,
    *,
    root: Path,
    changes: Changes | None,
    complete: bool,
) -> Measurement:
    accepted = baseline.gates[name]
    valid = {m: e for m, e in accepted.entries.items() if not _is_over(e, today)}
    gone, left, unused = _sorted_out(measurement, valid, changes)
    skipped = {one.path for one in measurement.skipped_files}
    notes = [
        _expired(entry, _place(baseline, root, name, mark))
        for mark, entry in accepted.entries.items()
        if mark not in valid
    ]
    if complete:
        notes += [
            _unused(valid[mark], used, _place(baseline, root, name, mark))
            for mark, used in unused.items()
            if valid[mark].path not in skipped
        ]
    score, terms = measurement.score, measurement.metrics.get("formula")
    if score is not None:
        score, terms = formula.without(score, terms, gone, left)
    about = {"accepted": len(gone), "expired": len(accepted.entries) - len(valid)}
    metrics = {**measurement.metrics, "baseline": about}
    if terms is not None:
        metrics["formula"] = terms
    return replace(measurement, score=score, findings=(*left, *notes), metrics=metrics)


def _is_over(entry: Entry, today: date) -> bool:
    last = entry.expires_on()
    return last is not None and last < today


def _sorted_out(
    measurement: Measurement, entries: Mapping[str, Entry], changes: Changes | None
) -> tuple[list[Finding], list[Finding], dict[str, int]]:
    """Accepted findings, the others in their order, and how many each idle entry speaks of."""
    alike: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in measurement.findings:
        alike[mark_of(finding)].append(finding)
    gone: list[Finding] = []
    words: dict[int, Finding] = {}  # by id(): findings that grew, reworded
    unused: dict[str, int] = {}
    for mark, entry in entries.items():
        found = alike.get(mark, [])
        quiet = accept_some(found, entry, changes)
        gone += quiet
        if len(found) < entry.count:
            unused[mark] = len(found)
        if entry.at_most and len(found) <= entry.count:
            words |= {id(one): _grown(one, entry) for one in found if one not in quiet}
    hidden = {id(finding) for finding in gone}
    left = [words.get(id(f), f) for f in measurement.findings if id(f) not in hidden]
    return gone, left, unused


def accept_some(
    findings: Iterable[Finding], entry: Entry, changes: Changes | None = None
) -> list[Finding]:
    """The findings that `entry` accepts: as many as its count, each within a limit of its own."""

    def newness(finding: Finding) -> tuple[bool, bool, float, str, int]:
        place = finding.location
        touched = changes is not None and changes.touches(place)
        return (touched, place.path != entry.path, -finding.amount, place.path, place.line)

    chosen: list[Finding] = []
    for finding in sorted(findings, key=newness):
        if len(chosen) < entry.count and _fit([*chosen, finding], entry.at_most):
            chosen.append(finding)
    return chosen


def _fit(findings: Collection[Finding], at_most: Sequence[float]) -> bool:
    """True when each finding can have a limit of its own that it keeps."""
    amounts = sorted((finding.amount for finding in findings), reverse=True)
    limits = sorted(at_most, reverse=True)
    return not limits or all(a <= b for a, b in zip(amounts, limits, strict=False))


def _grown(finding: Finding, entry: Entry) -> Finding:
    most = f"{max(entry.at_most):g}"
    worded = msg("{what}; the baseline accepts {number}", what=finding.message, number=most)
    return replace(finding, message=worded)


def _place(baseline: Baseline, root: Path, gate: str, mark: str) -> Location:
    file = baseline.folder / gate / f"{mark}.yaml"
    inside = file.is_relative_to(root)
    return Location(path=file.relative_to(root).as_posix() if inside else file.as_posix())


def _unused(entry: Entry, used: int, place: Location) -> Finding:
    found = msg(
        "the baseline accepts {count} of {rule}, and there are {used}",
        count=entry.count,
        rule=entry.rule,
        used=used,
    )
    return _note(UNUSED, entry, found, msg("tighten it: sdlc gate baseline --tighten"), place)


def _expired(entry: Entry, place: Location) -> Finding:
    if entry.owner:
        message = msg(
            "the baseline accepted {rule} until {day}; {owner} owns it",
            rule=entry.rule,
            day=entry.expires,
            owner=entry.owner,
        )
    else:
        message = msg(
            "the baseline accepted {rule} until {day}", rule=entry.rule, day=entry.expires
        )
    return _note(EXPIRED, entry, message, msg("mend the finding, or set a new 'expires'"), place)


def _note(rule: str, entry: Entry, message: str, help_: str, place: Location) -> Finding:
    context = f"{place.path} {entry.rule}"
    return Finding(
        rule=rule,
        severity=Severity.LOW,
        message=message,
        help=help_,
        location=place,
        context=context,
        fingerprint=fingerprint(rule, context),
    )


def ratchet(
    name: str, measurement: Measurement, baseline: Baseline, *, narrowed: bool = False
) -> Measurement:
    """The measurement, failed when it is worse than what is accepted.

    `narrowed` says that it is about a change only: then its score is no whole gate's, and only
    its findings count.
    """
    accepted = baseline.gates.get(name)
    if accepted is None or measurement.outcome != "judged":
        return measurement
    if is_ratcheted_by_findings(measurement.metrics):
        new = formula.counted(measurement.findings)
        return replace(measurement, failure=_worse(new)) if new else measurement
    held, score = accepted.score, measurement.score
    if narrowed or held is None or score is None or score >= held - SLACK:
        return measurement
    failure = msg(
        "score {score} is under {accepted}, which the baseline holds",
        score=points(score),
        accepted=points(held),
    )
    return replace(measurement, failure=failure)


def _worse(new: Collection[Finding]) -> str:
    worst = min(new, key=worst_first)
    place = worst.location
    where = f"{place.path}:{place.line}" if place.line else place.path
    if not where:
        return msg("{n} not in the baseline, first {rule}", n=len(new), rule=worst.rule)
    return msg(
        "{n} not in the baseline, first {rule} at {place}",
        n=len(new),
        rule=worst.rule,
        place=where,
    )
