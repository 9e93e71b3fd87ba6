"""Packed bodies: what they say is unpacked, and what costs more than it says is refused."""

import gzip
import random
import zlib

import pytest

from sdlc_cli.serve import body as bodies
from sdlc_cli.serve.body import BadBody, TooLarge, unpack, unpacked_size

MOST = 20 * 2**20
NOISE = random.Random(5).randbytes(300_000)


@pytest.mark.parametrize(
    "plain",
    [b"", b"x", b"a" * 65_536, b"b" * 65_537, NOISE, NOISE[:65_536], b"c" * 3_000_000],
    ids=["none", "one", "a piece", "a piece and one", "noise", "a piece of noise", "large"],
)
@pytest.mark.parametrize("parts", [1, 3])
def test_what_was_packed_is_unpacked(plain: bytes, parts: int) -> None:
    size = len(plain) // parts + 1
    packed = b"".join(gzip.compress(plain[i * size : (i + 1) * size]) for i in range(parts))

    assert unpack(packed, MOST) == plain
    assert unpacked_size(packed, MOST) == len(plain)
    with pytest.raises(TooLarge):
        unpack(gzip.compress(plain + b"."), len(plain))


@pytest.mark.parametrize("cut", [1, 8, 20, 70_000])
def test_what_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(BadBody, match="cut off"):
        unpack(gzip.compress(b"first") + gzip.compress(NOISE)[:-cut], MOST)


def test_what_follows_that_is_not_packed_is_refused() -> None:
    with pytest.raises(BadBody, match="not gzip"):
        unpack(gzip.compress(b"first") + b"second", MOST)


def test_many_members_with_nothing_in_them_are_refused_before_they_cost_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[int] = []
    real = zlib.decompressobj

    class Counting:
        def __init__(self, bits: int) -> None:
            self._stream = real(bits)

        def decompress(self, packed: bytes, most: int) -> bytes:
            given.append(len(packed))
            return self._stream.decompress(packed, most)

        def __getattr__(self, name: str) -> object:
            return getattr(self._stream, name)

    monkeypatch.setattr(bodies.zlib, "decompressobj", Counting)  # type: ignore[attr-defined]
    one = gzip.compress(b"")

    with pytest.raises(BadBody, match="1000 members"):
        unpack(one * 100_000, MOST)

    assert len(given) == 1_000
    assert max(given) <= 65_536
    assert unpack(one * 1_000, MOST) == b""
