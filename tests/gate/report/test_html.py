"""The page as text: self-contained, escaped, readable."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sdlc_cli.core import i18n
from sdlc_cli.gate.model import GateReport
from sdlc_cli.gate.report import html

Reports = dict[str, Callable[[], GateReport]]
CSS = Path(html.__file__).parent / "templates" / "report.css"
COLOR = re.compile(r"--([a-z-]+): (#[0-9a-f]{6})")


@pytest.mark.parametrize("name", ["realistic", "hostile", "huge"])
def test_the_page_asks_for_nothing(reports: Reports, name: str) -> None:
    page = html.render(reports[name]())

    assert "default-src 'none'" in page
    assert not re.search(r"<(?:img|link|iframe|object|embed|base)\b|\bsrc=|url\(|@import", page)
    assert not re.search(r'\s(?:style|on\w+)="', page)


@pytest.mark.parametrize("tag", ["style", "script"])
def test_the_policy_names_the_hash_of_what_is_inside(reports: Reports, tag: str) -> None:
    page = html.render(reports["realistic"]())
    inside = page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()

    assert f"{tag}-src 'sha256-{digest}'" in page


def test_the_page_says_its_language(reports: Reports) -> None:
    i18n.use("ja")
    try:
        assert '<html lang="ja">' in html.render(reports["realistic"]())
    finally:
        i18n.use("en")


@pytest.mark.parametrize(("number", "label"), [(1, "1 finding"), (2, "2 findings")])
def test_one_finding_is_one_finding(reports: Reports, number: int, label: str) -> None:
    report = reports["realistic"]()
    result = next(one for one in report.results if one.findings)
    result = replace(result, findings=result.findings[:1] * number)

    page = html.render(replace(report, results=(result,)))

    assert f'data-label="{label}"' in page


def test_the_worst_5000_are_shown_and_the_others_counted(reports: Reports) -> None:
    page = html.render(reports["huge"]())

    assert page.count("<li data-severity=") == 5000
    assert "The worst 5,000 of 6,000 findings" in page


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_is_readable_on_its_ground(scheme: int) -> None:
    blocks = CSS.read_text(encoding="utf-8").split("prefers-color-scheme: dark")
    colors = dict(COLOR.findall(blocks[scheme]))
    pairs = [(name, f"{name}-bg") for name in colors if f"{name}-bg" in colors]
    pairs += [(name, ground) for name in ("text", "soft", "link") for ground in ("card", "page")]
    pairs += [("passed", "page"), ("failed", "page"), ("error", "page"), ("skipped", "page")]
    poor = {p: round(_contrast(colors[p[0]], colors[p[1]]), 2) for p in pairs}

    # WCAG 2.2, 1.4.3: 4.5 to 1 for text.
    assert {p: c for p, c in poor.items() if c < 4.5} == {}
    assert len(pairs) == 19


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
