"""What was read is kept for the next time, and never trusted when it may be wrong."""

import json
import os
from pathlib import Path

import pytest

from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.engine import ingest, keep, large
from sdlc_cli.cost.engine.usage import open_usage
from sdlc_cli.cost.model import CostReport, Price


class NoPrices:
    """Of no interest here."""

    def price(self, provider: str, model: str, tier: str = "") -> Price:
        return Price(provider=provider, model=model, rates=(), source="")


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of some lines are cached as those of a gigabyte."""
    monkeypatch.setattr(ingest, "SMALL", 0)
    monkeypatch.setattr(large, "ALONE", 2_000)


def chat(number: int, tokens: int = 10) -> str:
    usage = {"prompt_tokens": tokens, "completion_tokens": 1}
    body = {"id": f"chatcmpl-{number}", "object": "chat.completion", "created": 1_764_000_000}
    return json.dumps(body | {"model": "gpt-4o", "usage": usage}) + "\n"


class Runs:
    """Reports over a folder of logs, one after another, with one cache."""

    def __init__(self, folder: Path) -> None:
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.cache = folder / "cache"
        self.folder = folder
        self.count = 0

    def __call__(self) -> CostReport:
        self.count += 1
        tmp = self.folder / f"tmp{self.count}"
        tmp.mkdir()
        with open_usage(
            [str(self.logs)], config=CostConfig(), prices=NoPrices(), tmp=tmp, cache=self.cache
        ) as usage:
            return usage.report()

    def parts(self) -> list[Path]:
        return sorted(self.cache.rglob("*.parquet"))


@pytest.fixture
def run(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def reused(report: CostReport) -> list[bool]:
    return [source.reused for source in report.sources]


def test_a_second_run_reads_nothing_and_says_the_same(run: Runs) -> None:
    (run.logs / "a.jsonl").write_text("".join(map(chat, range(40))) + "nonsense\n")

    first, second = run(), run()

    assert (reused(first), reused(second)) == ([False], [True])
    assert second.totals == first.totals
    assert second.rejected == first.rejected
    assert second.rejected_count == 1


@pytest.mark.parametrize("lines", [3, 60], ids=["a little", "a lot"])
def test_a_file_that_grew_is_read_on_from_its_old_end(run: Runs, lines: int) -> None:
    log = run.logs / "a.jsonl"
    log.write_text("".join(map(chat, range(40))))
    run()
    with log.open("a") as file:
        file.write("\n" + "".join(map(chat, range(30, 40 + lines))) + "nonsense\n")

    report = run()

    assert reused(report) == [True]
    assert report.totals.calls == 40 + lines
    assert report.duplicates == 10
    assert [r.line for r in report.rejected] == [40 + 1 + 10 + lines + 1]
    again = run()
    assert (again.totals, again.rejected) == (report.totals, report.rejected)


def test_a_file_that_changed_is_read_anew(run: Runs) -> None:
    log = run.logs / "a.jsonl"
    log.write_text(chat(1) + chat(2))
    other = run.logs / "b.jsonl"
    other.write_text(chat(3))
    run()
    log.write_text(chat(1, tokens=99) + chat(2))
    os.utime(log, ns=(1, 1))

    report = run()

    assert reused(report) == [False, True]
    assert report.totals.tokens["input"] == 99 + 10 + 10


def test_a_last_line_that_was_not_ended_is_read_again_when_it_is(run: Runs) -> None:
    log = run.logs / "a.jsonl"
    log.write_text(chat(1) + chat(2)[:50])
    assert run().rejected_count == 1

    log.write_text(chat(1) + chat(2))

    report = run()
    assert (report.totals.calls, report.rejected_count) == (2, 0)


def test_a_file_that_is_gone_counts_no_more(run: Runs) -> None:
    for name in ("a", "b", "c"):
        (run.logs / f"{name}.jsonl").write_text(chat(ord(name)))
    assert run().totals.calls == 3
    (run.logs / "b.jsonl").unlink()

    report = run()

    assert (report.totals.calls, reused(report)) == (2, [True, True])


@pytest.mark.parametrize("damage", ["cut off", "other bytes", "gone", "no list", "bad list"])
def test_a_damaged_cache_is_made_again(run: Runs, damage: str) -> None:
    (run.logs / "a.jsonl").write_text("".join(map(chat, range(40))))
    first = run()
    (part,) = run.parts()
    data = part.read_bytes()
    if damage == "cut off":
        part.write_bytes(data[:100])
    elif damage == "other bytes":
        part.write_bytes(bytes(len(data)))
    elif damage == "gone":
        part.unlink()
    elif damage == "no list":
        part.with_suffix(".json").unlink()
    else:
        part.with_suffix(".json").write_text("{")

    report = run()

    assert (report.totals, reused(report)) == (first.totals, [False])
    assert reused(run()) == [True]


def test_what_a_killed_run_left_does_no_harm(run: Runs) -> None:
    (run.logs / "a.jsonl").write_text(chat(1))
    run()
    (part,) = run.parts()
    part.with_name("0123.parquet").write_bytes(b"half of a part")

    assert (run().totals.calls, reused(run())) == (1, [True])


def test_no_cache_leaves_nothing_behind(run: Runs, tmp_path: Path) -> None:
    (run.logs / "a.jsonl").write_text("".join(map(chat, range(40))))
    tmp = tmp_path / "tmp"
    tmp.mkdir()
    with open_usage([str(run.logs)], config=CostConfig(), prices=NoPrices(), tmp=tmp) as usage:
        assert usage.report().totals.calls == 40

    assert not run.cache.exists()


def test_old_parts_go_when_there_is_too_much(run: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    (run.logs / "a.jsonl").write_text("".join(map(chat, range(40))))
    run()
    (old,) = run.parts()
    for file in run.cache.rglob("*.*"):
        os.utime(file, (1, 1))
    (run.logs / "a.jsonl").unlink()
    (run.logs / "b.jsonl").write_text("".join(map(chat, range(40))))
    monkeypatch.setattr(keep, "MOST_BYTES", 1_000)

    run()

    assert not old.exists()
    assert len(run.parts()) == 1
    assert reused(run()) == [True]


def test_a_cache_that_cannot_be_written_is_done_without(run: Runs) -> None:
    (run.logs / "a.jsonl").write_text("".join(map(chat, range(40))))
    run.cache.write_text("a file where the folder should be")

    assert run().totals.calls == 40
