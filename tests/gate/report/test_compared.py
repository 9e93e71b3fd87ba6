"""What a comparison with an earlier revision said: each report for people tells it in full."""

import html
from collections.abc import Callable
from dataclasses import replace

import pytest

from sdlc_cli.core.i18n import msg
from sdlc_cli.core.view import View
from sdlc_cli.gate import slowdown, verdicts
from sdlc_cli.gate.compare import Change, Compared
from sdlc_cli.gate.model import CheckResult, GateReport
from sdlc_cli.gate.paired import Interval
from sdlc_cli.gate.report import load

Reports = dict[str, Callable[[], GateReport]]

COMPARED = Compared(
    base="a0fe1c9eaf469260e78676112fe297d714032d62",
    head="697e96e3f01a178b0e78c9ec39935fccea425460",
    changes=(
        Change(
            name="request", verdict="slower", limit=1.03, pairs=16, detectable=1.1,
            interval=Interval(ratio=1.3001, low=1.1294, high=1.4293),
        ),
        Change(
            name="import", verdict="not slower", limit=1.05, pairs=20, detectable=1.04,
            interval=Interval(ratio=0.99, low=0.97, high=1.01), by="wall",
        ),
        Change(
            name="parse", verdict="inconclusive", limit=1.03, pairs=1, detectable=None,
            interval=Interval(ratio=1.0, low=0.0, high=float("inf")), reason=msg("too few"),
        ),
        Change(
            name="count", verdict="not slower", limit=1.03, pairs=1, method="instructions",
            interval=Interval(ratio=1.001, low=1.001, high=1.001), detectable=1.03,
        ),
        Change(name="new", verdict="inconclusive", limit=1.03, reason=msg("it is new")),
    ),
    notes=(msg("files that were never added to git are not part of it: {count}", count=2),),
)  # fmt: skip
LINES = [
    (
        "request: slower, 1.300 times the CPU time (between 1.129 and 1.429); 1.030 is allowed;"
        " in 16 pairs of runs 1.100 or more would have been seen"
    ),
    (
        "import: not slower, 0.990 times the time (between 0.970 and 1.010); 1.050 is allowed;"
        " in 20 pairs of runs 1.040 or more would have been seen"
    ),
    (
        "parse: inconclusive, 1.000 times the CPU time (between ? and ?); 1.030 is allowed;"
        " 1 pair of runs is too few to see anything"
    ),
    "count: not slower, 1.001 times the instructions; 1.030 is allowed",
    "new: inconclusive: it is new",
    "files that were never added to git are not part of it: 2",
]


@pytest.fixture
def compared(reports: Reports) -> GateReport:
    report = reports["good"]()
    performance = replace(
        report.results[0],
        name="performance",
        metrics={"comparison": slowdown.table(COMPARED)},
    )
    return replace(report, results=(*report.results, performance))


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_verdict_ratio_interval_sight_and_pairs_are_in_each_report(
    form: str, compared: GateReport
) -> None:
    text = html.unescape(load(form).render(compared, View(width=200)))

    assert "Compared with a0fe1c9eaf46" in text
    assert [line for line in LINES if line not in text] == []


def test_without_a_comparison_nothing_is_said(reports: Reports, compared: GateReport) -> None:
    unchanged = {"comparison": slowdown.table(replace(COMPARED, changes=(), unchanged=True))}
    foreign = {"comparison": {"left": 1}}
    odd: tuple[CheckResult, ...] = tuple(
        replace(compared.results[0], metrics=metrics) for metrics in (unchanged, foreign)
    )

    assert verdicts.title(reports["good"]()) == ""
    assert verdicts.lines(replace(compared, results=odd)) == []
