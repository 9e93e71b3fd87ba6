"""Prices are there at once: nothing heavy is loaded for them."""

import subprocess
import sys

HEAVY = ("genai_prices", "pydantic", "duckdb", "numpy", "yaml", "difflib", "urllib.request")


def test_pricing_a_call_loads_neither_genai_prices_nor_anything_heavy() -> None:
    code = (
        "import sys\n"
        "from sdlc_cli.cost.prices.resolve import Prices\n"
        "assert Prices().price('openai', 'gpt-4o').rates\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == []
