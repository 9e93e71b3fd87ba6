"""Help pages at any width, in any script."""

from collections.abc import Callable

import pytest

from sdlc_cli.cli.page import Page, Section, render
from sdlc_cli.core.columns import columns

ENGLISH = Page(
    usage="sdlc gate run [options] [PATH]",
    text="Run the gates and give one score.\n\nBegin like this:\n  sdlc gate run --only syntax",
    sections=(
        Section(title="Arguments", rows=(("[PATH]", "The folder to judge. [default: .]"),)),
        Section(
            title="Options",
            rows=(
                ("-f, --format FORMAT", "The form of the result. One of: text, json, sarif."),
                ("--report-of-a-rather-long-name FORMAT=FILE", "Write this form to a file too."),
                ("-h, --help", "Show this page."),
            ),
        ),
    ),
    footer="With every command: -q, --quiet, -v, --verbose.",
)
JAPANESE = Page(
    usage="sdlc gate run [オプション] [PATH]",
    text="ゲートを実行し、一つの点数を出します。終了コードは、合格なら零、不合格なら一です。",
    sections=(
        Section(
            title="オプション",
            rows=(("-f, --format FORMAT", "結果の形式です。次のいずれか：text、json、sarif。"),),
        ),
    ),
)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize(("name", "page"), [("en", ENGLISH), ("ja", JAPANESE)])
def test_a_page_reads_well(
    name: str, page: Page, width: int, golden: Callable[[str, str], None]
) -> None:
    golden(f"help/{name}-{width}.txt", render(page, width))


@pytest.mark.parametrize("width", [50, 60, 80, 100, 300])
@pytest.mark.parametrize("page", [ENGLISH, JAPANESE], ids=["en", "ja"])
def test_no_line_is_wider_than_the_page(page: Page, width: int) -> None:
    lines = render(page, width).splitlines()

    assert max(map(columns, lines)) <= min(width, 100)


def test_colour_changes_nothing_but_escape_codes() -> None:
    plain, colored = render(ENGLISH, 80), render(ENGLISH, 80, color=True)

    assert plain != colored
    assert colored.replace("\x1b[1m", "").replace("\x1b[0m", "") == plain
