"""The chart of days where the extra `charts` is missing: one plain bar for each, drawn here.

Like those of `core.charts` it has no script and no style of its own: colours and letters come
from the page's style sheet, by class.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from markupsafe import Markup

from sdlc_cli.core.charts import Bar, Chart

WIDTH, HEIGHT = 960, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 8, 14, 30
_TICKS = 4
_LABELS = 7  # below the bars


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    top: float
    step: float

    def y(self, value: float) -> float:
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - value / self.top)


def svg(chart: Chart) -> Markup:
    """The chart as an inline `<svg class="chart">`, each bar in one piece."""
    bars = chart.bars
    axis = _axis(max((bar.value for bar in bars), default=0))
    slot = (WIDTH - _LEFT - _RIGHT) / max(len(bars), 1)
    width = max(slot * 0.78, 1)
    parts = [
        Markup(
            '<svg class="chart" viewBox="0 0 {w} {h}" role="img" aria-label="{title}">'
            "<desc>{about}</desc>\n"
        ).format(w=WIDTH, h=HEIGHT, title=chart.title, about=chart.about)
    ]
    parts += _grid(axis)
    for i, bar in enumerate(bars):
        x = _LEFT + slot * i + (slot - width) / 2
        parts.append(_column(bar, x, width, axis))
    parts += _labels(bars, slot)
    return Markup("").join([*parts, Markup("</svg>")])


def _grid(axis: _Axis) -> list[Markup]:
    lines: list[Markup] = []
    count = round(axis.top / axis.step)
    for i in range(count + 1):
        value = i * axis.step
        lines.append(
            Markup(
                '<line class="grid" x1="{x1}" x2="{x2}" y1="{y:.1f}" y2="{y:.1f}"/>'
                '<text class="tick" x="{tx}" y="{ty:.1f}" text-anchor="end">${value}</text>\n'
            ).format(
                x1=_LEFT,
                x2=WIDTH - _RIGHT,
                y=axis.y(value),
                tx=_LEFT - 8,
                ty=axis.y(value) + 4,
                value=_short(value, axis.step),
            )
        )
    return lines


def _column(bar: Bar, x: float, width: float, axis: _Axis) -> Markup:
    # A thin line for what cost next to nothing: it is not nothing.
    height = max(axis.y(0) - axis.y(bar.value), 1 if bar.value else 0)
    return Markup(
        '<rect class="bar" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}">'
        "<title>{text}</title></rect>\n"
    ).format(x=x, y=axis.y(0) - height, w=width, h=height, text=bar.text)


def _labels(bars: Sequence[Bar], slot: float) -> list[Markup]:
    every = max(1, -(-len(bars) // _LABELS))
    made: list[Markup] = []
    for i in range(0, len(bars), every):
        x = _LEFT + slot * (i + 0.5)
        made.append(
            Markup('<text class="tick" x="{x:.1f}" y="{y}" text-anchor="middle">{label}</text>\n')
            .format(x=x, y=HEIGHT - 8, label=bars[i].label)
        )  # fmt: skip
    return made


def _axis(most: float) -> _Axis:
    """Round steps of 1, 2, 2.5 or 5 that end just above `most`."""
    if most <= 0:
        return _Axis(top=1, step=1)
    rough = most / _TICKS
    size = 10.0 ** floor(log10(rough))
    step = size * next(n for n in (1, 2, 2.5, 5, 10) if rough <= n * size * 1.000001)
    count = -(-most // step)
    return _Axis(top=step * max(count, 1), step=step)


def _short(value: float, step: float) -> str:
    """The value with as many decimals as the step needs."""
    decimals = 0 if step >= 1 and step == int(step) else max(1, 1 - floor(log10(step)))
    return f"{value:,.{decimals}f}" if value else "0"
