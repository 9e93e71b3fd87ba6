"""What `sdlc cost advise` shows."""

import json
from collections.abc import Callable

from sdlc_cli.core import render
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.advise import Question, advise
from sdlc_cli.cost.model import PICO, Amounts, Group, Unpriced
from sdlc_cli.cost.report import advise as report


def group(model: str, dollars: int) -> Group:
    return Group(
        keys={"provider": "openai", "model": model, "tier": ""},
        amounts=Amounts(calls=1_234, pico=dollars * PICO),
    )


UNPRICED = Unpriced(
    provider="", model="<script>|", calls=7, input_tokens=1, output_tokens=1, at_most_pico=PICO,
    reason=msg("no price is known for it"),
)  # fmt: skip


def test_the_tables_and_their_json(golden: Callable[[str, str], None]) -> None:
    smaller = Question(
        kind="cheaper-model",
        replace={},
        targets={("openai", "gpt-4o"): ("openai", "gpt-4o-mini")},
    )
    batch = Question(kind="batch", replace={}, targets={}, tier="batch")
    now = [group("gpt-4o", 800), group("o3", 300)]
    answers = [
        (smaller, [group("gpt-4o", 50)]),
        (batch, [group("gpt-4o", 400), group("o3", 150)]),
    ]
    total = Amounts(calls=20, unknown_calls=3)
    advice = advise(now, answers, unpriced=[UNPRICED], total=total)

    page = "\n".join(
        [
            f"{report.headline(advice)}\n",
            *(f"{table.title}\n\n{render.markdown(table)}" for table in report.tables(advice)),
            *(f"- {note}" for note in report.notes(advice)),
        ]
    )
    golden("cost/advise.md", page + "\n")
    golden("cost/advise.json", json.dumps(report.document(advice), indent=2) + "\n")


def test_nothing_to_save_is_said_so() -> None:
    advice = advise([group("gpt-4o", 10)])

    assert report.tables(advice) == ()
    assert report.headline(advice) == "Nothing found that would save a thousandth of $10.00"
