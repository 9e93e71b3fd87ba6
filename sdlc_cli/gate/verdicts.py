"""What a comparison with an earlier revision says of each benchmark, as every report tells it.

It is read from the gate's metric `comparison`, which is the same in one run and in merged shards.
"""

from collections.abc import Iterator

import msgspec

from sdlc_cli.core.i18n import _, local, ngettext
from sdlc_cli.gate.model import GateReport


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark; null is unknown. `gate.slowdown` writes it, JSON has it."""

    name: str
    verdict: str
    by: str
    method: str
    limit: float
    ratio: float | None
    low: float | None
    high: float | None
    detectable: float | None
    pairs: int
    reason: str


class _Comparison(msgspec.Struct, frozen=True, kw_only=True):
    base: str
    unchanged: bool
    benchmarks: tuple[_Row, ...]
    notes: tuple[str, ...]


def title(report: GateReport) -> str:
    """What was compared with; empty when nothing was."""
    base = next((one.base for one in _found(report)), "")
    return _("Compared with {commit}").format(commit=base[:12]) if base else ""


def lines(report: GateReport) -> list[str]:
    """A sentence for each benchmark, then what has to be known to trust them."""
    told: list[str] = []
    for found in _found(report):
        told += [_line(row) for row in found.benchmarks]
        told += [local(note) for note in found.notes]
    return told


def _found(report: GateReport) -> Iterator[_Comparison]:
    for result in report.results:
        if table := result.metrics.get("comparison"):
            try:
                found = msgspec.convert(table, _Comparison)
            except msgspec.ValidationError:
                continue  # a metric of that name that some other gate has
            if found.benchmarks:
                yield found


def _line(row: _Row) -> str:
    words = {
        "slower": _("slower"),
        "not slower": _("not slower"),
        "inconclusive": _("inconclusive"),
    }
    verdict = words.get(row.verdict, row.verdict)
    if row.ratio is None:
        # A benchmark without a single pair always says why.
        return _("{name}: {verdict}: {why}").format(
            name=row.name, verdict=verdict, why=local(row.reason)
        )
    values = {"name": row.name, "verdict": verdict, "ratio": f"{row.ratio:.3f}", "what": _what(row)}
    if row.method == "instructions":
        return _("{name}: {verdict}, {ratio} times the {what}; {limit} is allowed").format(
            **values, limit=f"{row.limit:.3f}"
        )
    measured = _(
        "{name}: {verdict}, {ratio} times the {what} (between {low} and {high}); {limit} is allowed"
    ).format(**values, low=_end(row.low), high=_end(row.high), limit=f"{row.limit:.3f}")
    return f"{measured}; {_sight(row)}"


def _what(row: _Row) -> str:
    if row.method == "instructions":
        return _("instructions")
    words = {"cpu": _("CPU time"), "wall": _("time"), "memory": _("memory")}
    return words.get(row.by, row.by)


def _end(value: float | None) -> str:
    return "?" if value is None else f"{value:.3f}"


def _sight(row: _Row) -> str:
    if row.detectable is None:
        text = ngettext(
            "{pairs} pair of runs is too few to see anything",
            "{pairs} pairs of runs are too few to see anything",
            row.pairs,
        )
        return text.format(pairs=row.pairs)
    text = ngettext(
        "in {pairs} pair of runs {visible} or more would have been seen",
        "in {pairs} pairs of runs {visible} or more would have been seen",
        row.pairs,
    )
    return text.format(pairs=row.pairs, visible=f"{row.detectable:.3f}")
