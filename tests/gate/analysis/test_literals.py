"""Many short texts are found as one search for each would find them."""

import random

import pytest

from sdlc_cli.gate.analysis import literals
from sdlc_cli.gate.analysis.literals import Literals


@pytest.fixture(autouse=True, params=[0, 10**9], ids=["by pairs", "one by one"])
def _little(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(literals, "_LITTLE", request.param)


WORDS = (b"ab", b"abc", b"-key", b"\0\xff", b"AGE-SECRET", b"zz")


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", set()),
        (b"a", set()),
        (b"ab", {b"ab"}),
        (b"abc", {b"ab", b"abc"}),
        (b"abxbc", {b"ab"}),
        (b"-k-ke-ey", set()),
        (b"..\0\xff", {b"\0\xff"}),
        (b"zzz", {b"zz"}),
    ],
)
def test_what_stands_in_the_data_is_found(data: bytes, found: set[bytes]) -> None:
    assert Literals(WORDS).within(data) == found


def test_what_lies_across_the_border_of_a_stretch_is_found() -> None:
    for before in range(literals._STRETCH - 12, literals._STRETCH + 2):
        assert Literals(WORDS).within(b"." * before + b"AGE-SECRET...") == {b"AGE-SECRET"}


def test_random_data_gives_what_one_search_for_each_gives() -> None:
    chance = random.Random(7)
    for size in (3, 50, 700, 40_000):
        for _ in range(20):
            data = bytes(chance.choices(b"abcz-key\0\xffAGE-SECRET", k=size))
            assert Literals(WORDS).within(data) == {word for word in WORDS if word in data}


def test_one_byte_is_no_text_to_look_for() -> None:
    with pytest.raises(ValueError, match="two bytes"):
        Literals([b"a"])
