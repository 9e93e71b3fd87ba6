"""A chart as SVG that stands inside a page: drawn by Vega where the extra `charts` is installed.

The drawing holds no script, no font, no address and no style: the page's style sheet gives colours
and letters by class (`chart`, `bar`, `bar-N`, `grid`, `tick`). No name from a log goes through
Vega: it draws numbers, and the names are put beside them here, escaped.
"""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple
from xml.etree import ElementTree

from markupsafe import Markup

WIDTH, HEIGHT = 880, 220  # of the ground that the bars stand on
_LABELS = 8  # below the bars
_INK = 0x100000  # a part's number as a colour, until it becomes a class
_GEOMETRY = frozenset(("d", "transform", "x2", "y2", "text-anchor", "display"))
_CLASSES = {"text": "tick", "line": "grid"}


class Part(NamedTuple):
    """A piece of a bar: how high it is, and what pointing at it tells; nothing shows of 0."""

    value: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """`label` stands below it, `text` is what it tells as a whole.

    The parts stand on one another, the first one lowest; parts in one place of their bars are of
    one kind and have one colour.
    """

    label: str
    text: str
    parts: tuple[Part, ...]

    @property
    def value(self) -> float:
        """How high the whole bar is."""
        return sum(part.value for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars side by side over an axis of dollars. `title` and `about` are read to who sees none."""

    title: str
    about: str
    bars: tuple[Bar, ...]


@cache
def installed() -> bool:
    """Whether the extra `charts` is."""
    return all(find_spec(name) is not None for name in ("altair", "vl_convert"))


def svg(chart: Chart) -> Markup:
    """The chart as an inline `<svg class="chart">`. Needs the extra `charts`."""
    import vl_convert

    root = ElementTree.fromstring(vl_convert.vegalite_to_svg(_specification(chart)))
    drawing = _bare(root)
    drawing.attrib = {
        "class": "chart",
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-label": chart.title,
    }
    ground = drawing.find("rect")
    if ground is not None:
        drawing.remove(ground)  # the page has its own
    about = ElementTree.Element("desc")
    about.text = chart.about
    drawing.insert(0, about)
    _style(drawing, chart)
    # Our own elements, serialised with every text and attribute escaped.
    return Markup(ElementTree.tostring(drawing, encoding="unicode"))


def _specification(chart: Chart) -> dict[str, object]:
    """The chart in the words of Vega-Lite: numbers, and the labels of the axis."""
    import json

    import altair

    rows = [
        {"bar": i, "part": j, "value": part.value, "at": f"{i} {j}"}
        for i, bar in enumerate(chart.bars)
        for j, part in enumerate(bar.parts)
        if part.value
    ]
    parts = max((len(bar.parts) for bar in chart.bars), default=1)
    labels = json.dumps([bar.label for bar in chart.bars])
    drawn = (
        altair.Chart(altair.InlineData(values=rows), width=WIDTH, height=HEIGHT)
        .mark_bar(minBandSize=1)
        .encode(
            x=altair.X("bar:O")
            .title(None)
            .scale(domain=list(range(len(chart.bars))), paddingInner=0.2)
            .axis(
                labelExpr=f"{labels}[datum.value]",
                labelAngle=0,
                labelOverlap=False,
                values=list(range(0, len(chart.bars), max(1, -(-len(chart.bars) // _LABELS)))),
                labelPadding=6,
                ticks=False,
            ),
            y=altair.Y("value:Q").title(None).stack("zero").axis(format="$,.4~r", tickCount=5),
            order=altair.Order("part:Q"),
            color=altair.Color("part:O")
            .scale(domain=list(range(parts)), range=[f"#{_INK + j:06x}" for j in range(parts)])
            .legend(None),
            description=altair.Description("at:N"),
        )
        .configure_axis(labelFontSize=13, domain=False)
        .configure_view(stroke=None)
    )
    made: dict[str, object] = drawn.to_dict()
    return made


def _bare(element: ElementTree.Element) -> ElementTree.Element:
    """The element without its name space, which HTML does without."""
    for one in element.iter():
        one.tag = one.tag.rpartition("}")[2]
    return element


def _style(drawing: ElementTree.Element, chart: Chart) -> None:
    """Classes in the place of colours, and each bar's own words in the place of its number."""
    for element in drawing.iter():
        if element is drawing:
            continue
        told = element.attrib
        place = told.get("aria-label", "") if told.get("aria-roledescription") == "bar" else ""
        kept = {name: value for name, value in told.items() if name in _GEOMETRY}
        if told.get("fill") == "none":
            kept["fill"] = "none"
        if place:
            bar, part = map(int, place.split())
            kept["class"] = f"bar bar-{part}"
            title = ElementTree.SubElement(element, "title")
            title.text = chart.bars[bar].parts[part].text
        elif element.tag in _CLASSES:
            kept["class"] = _CLASSES[element.tag]
        element.attrib = kept
