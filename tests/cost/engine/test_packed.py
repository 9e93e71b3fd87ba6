"""Compressed logs say what they say unpacked, and what is damaged costs no record before it."""

import gzip
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.engine import ingest
from sdlc_cli.cost.engine.usage import open_usage
from sdlc_cli.cost.model import CostReport, Price

if sys.version_info < (3, 14):
    from backports import zstd
else:
    from compression import zstd

EXAMPLES = Path(__file__).parents[3] / "examples" / "cost"
LOGS = sorted(
    file.relative_to(EXAMPLES)
    for folder in (".", "claude-code", "codex")
    for file in (EXAMPLES / folder).glob("*.json*" if folder == "." else "**/*.jsonl")
)
PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "zst": zstd.compress}


class NoPrices:
    """Of no interest here."""

    def price(self, provider: str, model: str, tier: str = "") -> Price:
        return Price(provider=provider, model=model, rates=(), source="")


def report(file: Path, tmp: Path) -> CostReport:
    tmp.mkdir()
    with open_usage([str(file)], config=CostConfig(), prices=NoPrices(), tmp=tmp) as usage:
        return usage.report(("model", "day"))


def test_there_is_an_example_of_many_formats() -> None:
    assert len(LOGS) >= 20


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("log", LOGS, ids=str)
def test_every_format_is_read_compressed(tmp_path: Path, log: Path, packing: str) -> None:
    plain = tmp_path / "plain" / log
    plain.parent.mkdir(parents=True)
    shutil.copy(EXAMPLES / log, plain)
    packed = tmp_path / "packed" / f"{log}.{packing}"
    packed.parent.mkdir(parents=True)
    packed.write_bytes(PACKERS[packing](plain.read_bytes()))

    said, told = report(plain, tmp_path / "a"), report(packed, tmp_path / "b")

    assert all(source.format for source in said.sources)
    assert (told.groups, told.duplicates) == (said.groups, said.duplicates)
    assert [r.line for r in told.rejected] == [r.line for r in said.rejected]
    assert [s.format for s in told.sources] == [s.format for s in said.sources]


@pytest.mark.parametrize("bulk", [False, True], ids=["exactly", "in bulk"])
@pytest.mark.parametrize(
    ("spoil", "least", "reason"),
    [
        pytest.param(lambda data: data, 20_000, "", id="whole"),
        pytest.param(lambda data: data + data, 20_000, "", id="two frames"),
        pytest.param(lambda data: data[:-500], 10_000, "ends early", id="cut off"),
        pytest.param(lambda data: data + b"more", 20_000, "damaged", id="more behind it"),
        pytest.param(
            lambda data: data[: len(data) // 2] + b"\xff" * 99 + data[len(data) // 2 + 99 :],
            5_000,
            "damaged",
            id="other bytes in it",
        ),
    ],
)
def test_zstd_that_is_damaged_costs_the_records_behind_the_damage(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bulk: bool,
    spoil: Callable[[bytes], bytes],
    least: int,
    reason: str,
) -> None:
    monkeypatch.setattr(ingest, "SMALL", 0 if bulk else 2**40)
    usage = {"prompt_tokens": 7, "completion_tokens": 1}
    body = {"object": "chat.completion", "created": 1_764_000_000, "model": "m", "usage": usage}
    lines = [json.dumps({"id": f"chatcmpl-{n * 7919 % 99991}"} | body) for n in range(20_000)]
    log = tmp_path / "log.jsonl.zst"
    log.write_bytes(spoil(zstd.compress("".join(f"{line}\n" for line in lines).encode())))

    told = report(log, tmp_path / "tmp")

    assert least <= told.totals.calls <= 20_000
    assert told.totals.tokens["input"] == 7 * told.totals.calls
    assert [reason in str(one.reason) for one in told.rejected] == ([True] if reason else [])
