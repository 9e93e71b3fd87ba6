"""What `sdlc cost whatif` shows."""

import json
from collections.abc import Callable

from sdlc_cli.core import render
from sdlc_cli.cost.model import PICO, Amounts, Group
from sdlc_cli.cost.prefixes import Caching
from sdlc_cli.cost.report import whatif as report
from sdlc_cli.cost.whatif import compare


def group(model: str, dollars: int, unpriced_calls: int = 0) -> Group:
    return Group(
        keys={"provider": "openai", "model": model},
        amounts=Amounts(calls=10, pico=dollars * PICO, unpriced_calls=unpriced_calls),
    )


CACHING = Caching(
    lifetime_s=300, prefixes=1, calls=9, writes=1, tokens_written=5_000, reads=8,
    tokens_read=40_000, saved_pico=2 * PICO,
)  # fmt: skip


def test_the_table_and_its_json(golden: Callable[[str, str], None]) -> None:
    before = (group("gpt-4o", 100), group("o3", 30), group("=cmd()|<i>", 3))
    after = (group("gpt-4o", 6), group("o3", 30), group("=cmd()|<i>", 0, unpriced_calls=10))
    result = compare(
        before,
        after,
        replaced={"gpt-4o": "gpt-4o-mini"},
        tier="batch",
        caching={("openai", "o3"): CACHING},
    )

    (table,) = report.tables(result)
    notes = "".join(f"- {note}\n" for note in report.notes(result))
    golden("cost/whatif.md", f"{report.headline(result)}\n\n{render.markdown(table)}\n{notes}")
    golden("cost/whatif.json", json.dumps(report.document(result), indent=2) + "\n")


def test_a_change_for_the_worse_is_called_more() -> None:
    result = compare((group("a", 1),), (group("a", 3),))

    assert report.headline(result) == "$1.00 would be $3.00: $2.00 more"
    assert report.notes(result) == ()


def test_no_calls_make_an_empty_table() -> None:
    (table,) = report.tables(compare((), ()))

    assert len(table.rows) == 1
