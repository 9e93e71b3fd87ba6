"""Suggestions: what each saves, and that nothing is counted twice."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.advise import Advice, Question, Suggestion, advise, questions
from sdlc_cli.cost.model import COUNTS, PICO, Amounts, Group, Price, Rate, Unpriced

CENT = 10**10
RATE = Rate(
    per_unit={
        **dict.fromkeys(COUNTS, 0),
        "input": 3_000_000,
        "cache_read": 300_000,
        "cache_write_5m": 3_750_000,
        "cache_write_1h": 6_000_000,
    }
)


class Call(NamedTuple):
    ts: int | None
    request_hash: str
    pico: int = CENT
    provider: str = "openai"
    model: str = "gpt-4o"
    prefix_hash: str = ""
    prefix_tokens: int = 0
    tokens_in: int = 12_000
    tokens_uncached: int = 12_000


def group(model: str, dollars: int, tier: str = "", calls: int = 10, unpriced: int = 0) -> Group:
    return Group(
        keys={"provider": "openai", "model": model, "tier": tier},
        amounts=Amounts(calls=calls, pico=dollars * PICO, unpriced_calls=unpriced),
    )


def price(model: str, family: str = "") -> Price:
    return Price(provider="openai", model=model, rates=(RATE,), source="test", family=family)


def cheaper_question(**targets: str) -> Question:
    pairs = {("openai", old): ("openai", new) for old, new in targets.items()}
    return Question(kind="cheaper-model", replace={}, targets=pairs)


BATCH = Question(kind="batch", replace={}, targets={}, tier="batch")


def seen(advice: Advice) -> list[tuple[str, str, int, bool]]:
    return [(s.kind, s.model, s.saved_pico // CENT, s.chosen) for s in advice.suggestions]


def test_the_same_family_the_nearest_of_the_others_and_batch_are_asked_about() -> None:
    cheaper = {
        "a-1": [price("b"), price("a-2", family="a"), price("c")],
        "b": [price("c")],
        "z": [price("y")],
    }
    slices = [group("b", 5), group("a-1", 9), group("a-1", 1, tier="batch"), group("z", 0)]

    asked = questions(slices, lambda provider, model: cheaper.get(model, []))

    assert [(q.kind, dict(q.replace), q.tier, q.same_family) for q in asked] == [
        ("cheaper-model", {"openai/a-1": "openai/a-2"}, None, True),
        ("cheaper-model", {"openai/a-1": "openai/b", "openai/b": "openai/c"}, None, False),
        ("batch", {}, "batch", False),
    ]


@given(st.text(alphabet="ab*?[]!-/.", min_size=1, max_size=8))
def test_a_models_name_is_asked_for_as_it_is(name: str) -> None:
    first, *_ = questions([group(name, 1)], lambda provider, model: [price("other")])

    (glob,) = first.replace
    assert fnmatchcase(f"openai/{name}", glob)
    assert not fnmatchcase(f"openai/{name}x", glob)
    assert not fnmatchcase("openai/" + "q" * len(name), glob)


def test_a_cheaper_model_saves_the_difference_in_every_tier() -> None:
    now = [group("gpt-4o", 8), group("gpt-4o", 4, tier="batch")]
    then = [group("gpt-4o", 2), group("gpt-4o", 1, tier="batch")]

    advice = advise(now, [(cheaper_question(**{"gpt-4o": "gpt-4o-mini"}), then)])

    (one,) = advice.suggestions
    assert (one.target, one.calls, one.spent_pico, one.saved_pico) == (
        "gpt-4o-mini",
        20,
        12 * PICO,
        9 * PICO,
    )
    assert "try it" in one.assumption


def test_batch_is_suggested_for_calls_of_the_standard_tier_alone() -> None:
    now = [group("gpt-4o", 8, "default"), group("gpt-4o", 4, tier="flex"), group("o3", 5)]
    then = [group("gpt-4o", 4, "default"), group("gpt-4o", 2, tier="flex"), group("o3", 5)]

    advice = advise(now, [(BATCH, then)])

    assert seen(advice) == [("batch", "gpt-4o", 400, True)]
    assert advice.suggestions[0].calls == 10


@pytest.mark.parametrize(
    "then",
    [
        pytest.param([group("gpt-4o", 8)], id="as dear"),
        pytest.param([group("gpt-4o", 9)], id="dearer"),
        pytest.param([group("gpt-4o", 0, unpriced=10)], id="unpriced, not free"),
        pytest.param([], id="not answered"),
    ],
)
def test_what_saves_nothing_for_certain_is_not_suggested(then: list[Group]) -> None:
    advice = advise([group("gpt-4o", 8)], [(cheaper_question(**{"gpt-4o": "x"}), then)])

    assert advice.suggestions == ()
    assert advice.saved_pico == 0


def at(hours: float) -> int:
    return round(hours * 3600e6)


def test_a_repeated_request_is_saved_within_a_day_of_its_answer() -> None:
    calls = [
        Call(at(0), "a", 5 * CENT),
        Call(at(1), "a", 6 * CENT),
        Call(at(23), "a", 7 * CENT),
        Call(at(24), "a", 9 * CENT),  # a day old: asked again
        Call(at(25), "a", 2 * CENT),
        Call(at(2), "b"),
        Call(at(3), "", 100 * CENT),
        Call(None, "a", 100 * CENT),
        Call(at(4), "a", 50 * CENT, model="other"),  # another model, another answer
    ]

    advice = advise([group("gpt-4o", 2)], calls=calls)

    (one,) = advice.suggestions
    assert (one.kind, one.calls, one.saved_pico) == ("response-cache", 3, 15 * CENT)
    assert advice.told_calls == 9


# 10,000 tokens at $3: written once, $0.0075 more; read twice, 2 * $0.027 less.
def test_repeated_beginnings_are_worth_a_prompt_cache() -> None:
    calls = [
        Call(at(minute / 60), f"r{minute}", prefix_hash="p", prefix_tokens=10_000)
        for minute in (0, 2, 4)
    ]

    advice = advise([group("gpt-4o", 1)], calls=calls, price=lambda provider, model: price(model))

    (one,) = advice.suggestions
    assert one.kind == "prompt-cache"
    assert one.saved_pico == 46_500_000_000
    assert one.caching is not None
    assert (one.caching.writes, one.caching.reads) == (1, 2)


def test_a_prompt_cache_is_not_priced_for_calls_that_may_be_in_batch() -> None:
    calls = [Call(at(0), f"{i}", prefix_hash="p", prefix_tokens=10_000) for i in range(3)]
    now = [group("gpt-4o", 1), group("gpt-4o", 1, tier="batch")]

    assert advise(now, calls=calls, price=lambda provider, model: price(model)).suggestions == ()


def test_answers_that_cost_nothing_save_no_prompt_cache() -> None:
    calls = [Call(at(0), "a", 0, prefix_hash="p", prefix_tokens=10_000) for _ in range(3)]

    advice = advise([group("gpt-4o", 1)], calls=calls, price=lambda provider, model: price(model))

    assert advice.suggestions == ()


def test_of_suggestions_for_the_same_calls_only_the_best_is_counted() -> None:
    now = [group("gpt-4o", 8), group("o3", 10)]
    smaller = cheaper_question(**{"gpt-4o": "mini", "o3": "o4-mini"})
    answers = [
        (smaller, [group("gpt-4o", 2), group("o3", 9)]),
        (BATCH, [group("gpt-4o", 4), group("o3", 5)]),
    ]

    advice = advise(now, answers)

    assert seen(advice) == [
        ("cheaper-model", "gpt-4o", 600, True),
        ("batch", "o3", 500, True),
        ("batch", "gpt-4o", 400, False),
        ("cheaper-model", "o3", 100, False),
    ]
    assert advice.saved_pico == 11 * PICO
    assert advice.spent_pico == 18 * PICO


def test_savings_below_a_thousandth_are_not_worth_a_line() -> None:
    now = [group("gpt-4o", 2_000), group("o3", 3)]

    assert advise(now, [(BATCH, [group("gpt-4o", 2_000), group("o3", 1)])]).suggestions == ()
    assert len(advise(now, [(BATCH, [group("gpt-4o", 2_000), group("o3", 0)])]).suggestions) == 1


def test_what_is_not_priced_or_not_told_is_named_beside_the_savings() -> None:
    unpriced = Unpriced(
        provider="", model="llama", calls=7, input_tokens=1, output_tokens=1, at_most_pico=PICO,
        reason=msg("no price is known for it"),
    )  # fmt: skip
    total = Amounts(calls=20, unknown_calls=3)

    advice = advise([], unpriced=[unpriced, replace(unpriced, model="")], total=total)

    assert [(g.kind, g.calls, g.at_most_pico) for g in advice.gaps] == [
        ("unpriced", 7, PICO),
        ("unpriced", 7, PICO),
        ("unknown-usage", 3, None),
    ]
    assert "declare the price of llama" in advice.gaps[0].what
    assert advice.saved_pico == 0


MODELS = st.sampled_from(["a", "b", "c"])


@given(
    st.dictionaries(MODELS, st.integers(0, 1000)),
    st.lists(st.tuples(st.booleans(), st.dictionaries(MODELS, st.integers(0, 1000))), max_size=4),
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("xyz"), MODELS), max_size=20),
)
def test_together_nothing_saves_more_than_was_spent_and_no_model_counts_twice(
    now: dict[str, int],
    answered: list[tuple[bool, dict[str, int]]],
    asked: Sequence[tuple[int, str, str]],
) -> None:
    calls = [Call(at(hour), key, PICO // 100, model=model) for hour, key, model in asked]
    spent = {model: dollars + len(calls) for model, dollars in now.items()}
    smaller = cheaper_question(a="x", b="x", c="x")
    answers = [
        (BATCH if batch else smaller, [group(m, d) for m, d in then.items()])
        for batch, then in answered
    ]

    advice = advise([group(m, d) for m, d in spent.items()], answers, calls=calls)

    chosen: list[Suggestion] = [one for one in advice.suggestions if one.chosen]
    assert len({one.model for one in chosen}) == len(chosen)
    assert advice.saved_pico == sum(one.saved_pico for one in chosen)
    for one in advice.suggestions:
        best = next(c for c in chosen if c.model == one.model)
        assert 0 < one.saved_pico <= best.saved_pico
    priced = [one for one in chosen if one.model in spent]
    assert sum(one.saved_pico for one in priced) <= advice.spent_pico
