"""From what was found to points from 0 to 100: one place for all gates' arithmetic.

Each formula is monotonic (one more finding never raises the score) and does not depend on the
order of its input. docs/gate.md states them with examples.
"""

from collections.abc import Collection, Iterable, Mapping

from sdlc_cli.core.finding import Finding, Severity

POINTS: Mapping[Severity, int] = {
    Severity.LOW: 1,
    Severity.MEDIUM: 5,
    Severity.HIGH: 20,
    Severity.CRITICAL: 100,
}
# Rules whose findings say something of the run or its files and cost no points: the engines
# leave them out of their scores, and so does whoever computes a score again.
FREE = frozenset({
    "baseline-expired", "baseline-unused", "not-in-report", "stale-report", "unused-allow",
    "version-not-judged",
})  # fmt: skip
# Below this size a project counts as this long, so that one finding in a small one weighs no
# more than in a project of a thousand lines.
LEAST_LINES = 1000


def density(severities: Iterable[Severity], lines: int, half: float) -> float:
    """`100 * 2 ** -(points per 1,000 lines / half)`: `half` points per 1,000 lines leave 50."""
    points = sum(POINTS[severity] for severity in severities)
    return float(100 * 2 ** -(points * 1000 / max(lines, LEAST_LINES) / half))


def share(good: float, total: float) -> float:
    """`100 * good / total`. Raises ZeroDivisionError: nothing measured has no score."""
    return 100 * good / total


def within(measured: float, limit: float) -> float:
    """100 up to the limit, then `100 * limit / measured`: twice the limit leaves 50."""
    return 100.0 if measured <= limit else 100 * limit / measured


def points(score: float) -> str:
    """A score for people: one decimal, rounded down, so that 89.97 never shows as 90."""
    return f"{int(score * 10 + 1e-6) / 10:.1f}"


def density_terms(lines: int, half: float) -> dict[str, object]:
    """A gate's metric `formula`, from which `gate.explain` works out what a fix would gain."""
    return {"kind": "density", "lines": lines, "half": half}


def share_terms(good: float, total: float, unit: str) -> dict[str, object]:
    """As `density_terms`, for `share`. `unit` is what one fix mends: finding, file or line."""
    return {"kind": "share", "good": good, "total": total, "unit": unit}


def mean_terms(scores: Mapping[str, float]) -> dict[str, object]:
    """As `density_terms`, for a mean of parts; the keys are the `context` of their findings."""
    return {"kind": "mean", "scores": dict(scores)}


def counted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those of the findings that cost points."""
    return tuple(finding for finding in findings if finding.rule not in FREE)


def decided_by_findings(terms: object) -> bool:
    """True when a gate's findings decide its score, by its metric `formula`."""
    return isinstance(terms, Mapping) and (
        terms.get("kind") in ("density", "mean") or terms.get("unit") in ("file", "finding")
    )


def without(
    score: float, terms: object, gone: Collection[Finding], left: Collection[Finding]
) -> tuple[float, object]:
    """The score, and its terms, had there only been the findings in `left` and none of `gone`.

    What no finding decides (covered lines, a number that a program reports) stays as it is.
    """
    if not isinstance(terms, Mapping) or not gone:
        return score, terms
    match terms:
        case {"kind": "density", "lines": int(lines), "half": float() | int() as half}:
            return density((f.severity for f in counted(left)), lines, half), terms
        case {"kind": "share", "unit": "finding", "good": good, "total": total}:
            good = min(good + len(counted(gone)), total)
            return share(good, total), share_terms(good, total, "finding")
        case {"kind": "share", "unit": "file", "total": total}:
            good = total - len({finding.location.path for finding in counted(left)})
            return share(good, total), share_terms(good, total, "file")
        case {"kind": "mean", "scores": Mapping() as scores}:
            mended = {**scores, **{f.context: 100.0 for f in gone if f.context in scores}}
            return sum(mended.values()) / len(mended), mean_terms(mended)
    return score, terms
