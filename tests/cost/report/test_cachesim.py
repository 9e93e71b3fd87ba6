"""What `sdlc cost cache` shows."""

import json
from collections.abc import Callable
from typing import NamedTuple

from sdlc_cli.core import render
from sdlc_cli.cost import cachesim
from sdlc_cli.cost.report import cachesim as report

CENT = 10**10


class Request(NamedTuple):
    ts: int | None
    request_hash: str
    pico: int


CALLS = [Request(i * 1_000_000, key, CENT) for i, key in enumerate("abacba")]


def test_the_table_and_its_json(golden: Callable[[str, str], None]) -> None:
    result = cachesim.simulate([*CALLS, Request(None, "", 5 * CENT)], sizes=[2], ttl_seconds=3600)

    (table,) = report.tables(result)
    notes = "".join(f"- {note}\n" for note in report.notes(result))
    golden("cost/cache.md", f"{report.headline(result)}\n\n{render.markdown(table)}\n{notes}")
    golden("cost/cache.json", json.dumps(report.document(result), indent=2) + "\n")
