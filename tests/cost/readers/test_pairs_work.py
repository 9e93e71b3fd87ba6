"""What pairing takes grows with what comes, whatever its shape and however much is remembered."""

import time
from collections.abc import Iterator

import pytest

from sdlc_cli.cost.merge import OWN
from sdlc_cli.cost.model import Row, Told
from sdlc_cli.cost.readers import pairs
from sdlc_cli.cost.readers.pairs import Pairs, told_of

SECOND = 1_000_000


class Parents(dict[str, str]):
    """Counts how often it is asked."""

    asked = 0

    def get(self, key: str, default: str = "") -> str:  # type: ignore[override]
        self.asked += 1
        return super().get(key, default)


def chain(calls: int) -> tuple[list[Told], int]:
    """Calls each below the one before, and the number of looks that took."""
    parents = Parents({f"span:t:{n}": f"span:t:{n - 1}" if n else "" for n in range(calls)})
    told = [told_of(Row(dedupe=key), key, parents) for key in list(parents)]
    return told, parents.asked


def test_a_chain_of_calls_takes_steps_in_proportion_to_its_length() -> None:
    (_, few), (deep, many) = chain(500), chain(1_000)

    assert many < 2.2 * few
    assert deep[3].above == ("span:t:2", "span:t:1", "span:t:0")
    assert deep[-1].above[:2] == ("span:t:998", "span:t:997")


def test_spans_that_are_above_each_other_end() -> None:
    parents = {"span:t:a": "span:t:b", "span:t:b": "span:t:a"}

    assert told_of(Row(), "span:t:a", parents).above == ("span:t:b", "span:t:a")


def test_identities_that_took_each_others_place_are_found_in_few_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each span below the one before, each in an export of its own; then the first one again."""
    kept = Pairs()
    for n in range(300):
        above = (f"span:t:{n - 1}",) if n else ()
        row = Row(dedupe=f"span:t:{n}", known=True, input=5)
        kept.settle([Told(row=row, span=row.dedupe, above=above)])
    asked = Parents(kept._same)
    monkeypatch.setattr(kept, "_same", asked)

    again = [Told(row=Row(dedupe="span:t:0", input=5), span="span:t:0") for _ in range(20)]
    kept.settle(again)

    assert asked.asked < 2 * 300
    assert {told.row.dedupe for told in again} == {"span:t:299"}


def wrappers(first: int, number: int) -> list[Told]:
    """Wrappers' spans without an id, alike in all but their time: no two are of one call."""
    return [
        Told(
            row=Row(
                ts=n * 2 * SECOND, provider="anthropic", model="claude-sonnet-4-5", project="p",
                dedupe=f"span:t:{n}", input=100, output=1,
            ),
            span=f"span:t:{n}",
        )
        for n in range(first, first + number)
    ]  # fmt: skip


def spent(kept: Pairs, batches: Iterator[list[Told]]) -> float:
    began = time.process_time()
    for batch in batches:
        kept.settle(batch)
    return time.process_time() - began


def test_forgetting_the_oldest_takes_no_longer_than_remembering(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pairs, "REMEMBERED", 20_000)
    kept = Pairs()
    places = iter(range(0, 40_000, 200))

    filling = spent(kept, (wrappers(next(places), 200) for _ in range(100)))
    full = spent(kept, (wrappers(next(places), 200) for _ in range(10)))

    # A tenth as many; when each was looked for among all, they took a hundred times as long.
    assert full < 3 * filling
    assert len(kept._twins._places) == 20_000


def test_a_wrapper_that_was_remembered_long_ago_finds_its_other_half(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pairs, "REMEMBERED", 1_000)
    kept = Pairs()
    kept.settle(wrappers(0, 1_500))
    own = Row(
        ts=600 * 2 * SECOND + SECOND // 2, provider="anthropic", model="claude-sonnet-4-5",
        project="p", dedupe="msg_1", rank=OWN, input=100, output=1,
    )  # fmt: skip
    gone = Row(
        ts=100 * 2 * SECOND, provider="anthropic", model="claude-sonnet-4-5",
        project="p", dedupe="msg_2", rank=OWN, input=100, output=1,
    )  # fmt: skip

    found = [Told(row=own, span="span:u:1"), Told(row=gone, span="span:u:2")]
    kept.settle(found)

    assert [told.replaces for told in found] == [("span:t:600",), ()]
