"""The same calls, priced otherwise."""

import pytest

from sdlc_cli.core.errors import WorkError
from sdlc_cli.cost.model import PICO, Amounts, Group
from sdlc_cli.cost.prefixes import Caching
from sdlc_cli.cost.whatif import changed, compare


def group(model: str, dollars: int, calls: int = 10, unpriced_calls: int = 0) -> Group:
    return Group(
        keys={"provider": "openai", "model": model},
        amounts=Amounts(calls=calls, pico=dollars * PICO, unpriced_calls=unpriced_calls),
    )


BEFORE = (group("gpt-4o", 100), group("gpt-4o-mini", 5), group("mystery", 0, unpriced_calls=10))
CACHING = Caching(
    lifetime_s=300, prefixes=1, calls=9, writes=1, tokens_written=1, reads=8, tokens_read=8,
    saved_pico=2 * PICO,
)  # fmt: skip


def test_what_is_saved_is_the_difference_of_each_group_and_of_all() -> None:
    after = (group("gpt-4o", 6), group("gpt-4o-mini", 7), group("mystery", 0, unpriced_calls=10))

    result = compare(BEFORE, after, replaced={"gpt-4o": "gpt-4o-mini"})

    assert [(d.keys["model"], d.saved_pico and d.saved_pico // PICO) for d in changed(result)] == [
        ("gpt-4o", 94),
        ("gpt-4o-mini", -2),
    ]
    assert (result.before_pico, result.after_pico) == (105 * PICO, 13 * PICO)
    assert result.saved_pico == 92 * PICO
    assert result.not_comparable == 0


def test_a_group_that_has_a_price_on_one_side_only_is_left_out_of_the_sums() -> None:
    after = (group("gpt-4o", 0, unpriced_calls=10), group("gpt-4o-mini", 4), group("mystery", 3))

    result = compare(BEFORE, after)

    assert [d.saved_pico for d in result.differences].count(None) == 2
    assert (result.before_pico, result.after_pico) == (5 * PICO, 4 * PICO)
    assert result.not_comparable == 2


def test_prompt_caching_is_taken_off_where_the_price_stays() -> None:
    after = (group("gpt-4o", 50), group("gpt-4o-mini", 5), group("mystery", 0, unpriced_calls=10))
    caching = {("openai", "gpt-4o"): CACHING, ("openai", "gpt-4o-mini"): CACHING}

    result = compare(BEFORE, after, caching=caching)

    # gpt-4o is priced otherwise: what its cache would save there was not worked out.
    assert result.saved_pico == (50 + 2) * PICO


@pytest.mark.parametrize(
    "after",
    [
        pytest.param((group("gpt-4o", 1), group("gpt-4o-mini", 5)), id="a group is gone"),
        pytest.param((*BEFORE, group("new", 1)), id="a group is new"),
        pytest.param((group("gpt-4o", 1, calls=9), *BEFORE[1:]), id="a call is gone"),
    ],
)
def test_different_calls_are_not_compared(after: tuple[Group, ...]) -> None:
    with pytest.raises(WorkError, match="not the same"):
        compare(BEFORE, after)


def test_no_calls_save_nothing() -> None:
    result = compare((), ())

    assert (result.saved_pico, result.differences) == (0, ())
