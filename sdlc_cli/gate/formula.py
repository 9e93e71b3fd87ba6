"""From what was found to points from 0 to 100: one place for all gates' arithmetic.

Each formula is monotonic (one more finding never raises the score) and does not depend on the
order of its input. docs/gate.md states them with examples.
"""

from collections.abc import Iterable, Mapping

from sdlc_cli.core.finding import Severity

POINTS: Mapping[Severity, int] = {
    Severity.LOW: 1,
    Severity.MEDIUM: 5,
    Severity.HIGH: 20,
    Severity.CRITICAL: 100,
}
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
