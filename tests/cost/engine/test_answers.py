"""A question asked again of the same logs is answered from what is kept, and never otherwise."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.cost.config import CostConfig, Match, Rule
from sdlc_cli.cost.engine import answers, ingest, large, store
from sdlc_cli.cost.engine.settle import settle
from sdlc_cli.cost.engine.usage import open_usage
from sdlc_cli.cost.model import COUNTS, CostReport, Price, Rate, Where

START = datetime(2026, 3, 27, tzinfo=UTC)  # two days before the clocks change in Berlin
MODELS = ("small", "large", "unheard-of")
QUESTIONS = [
    *(("model",), ("day",), ("hour", "user"), ("project", "team"), ("tag:env", "tier"), ()),
    *(("bucket", "provider"), ("month", "week", "status"), ("user",), ("path", "key")),
]
WHERES = [
    Where(),
    Where(since=START + timedelta(hours=30)),
    Where(until=START + timedelta(hours=60), model="s*"),
    Where(project="shop"),
    Where(team="web"),
    Where(tag=("env", "prod")),
    Where(user="u1"),
]
RULES = (
    (),
    (Rule(match=Match(user="u1"), project="one", team="web"),),
    (Rule(match=Match(tag={"env": "test"}), team="web"), Rule(match=Match(model="l*"), team="b")),
)


class Book:
    """Prices that rise at a moment, and above a size."""

    def __init__(self, cents: int, rise: datetime, above: int) -> None:
        self._rates = (
            self._rate(cents, until=rise),
            self._rate(cents * 2, since=rise),
            self._rate(cents * 3, since=rise, above=above),
        )

    def _rate(self, cents: int, **more: object) -> Rate:
        units = {name: cents * (place + 1) for place, name in enumerate(COUNTS)}
        return Rate(per_unit=units, source="book", **more)  # type: ignore[arg-type]

    def price(self, provider: str, model: str, tier: str = "") -> Price:
        rates = {"small": self._rates[:1], "large": self._rates}.get(model, ())
        if model == "small":
            rates = (replace(rates[0], until=None),)
        return Price(provider=provider, model=model, rates=rates, source="book")


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of some lines are cached as those of a gigabyte."""
    monkeypatch.setattr(ingest, "SMALL", 0)
    monkeypatch.setattr(large, "ALONE", 2_000)


class Logs:
    """A folder of logs that changes, and what is asked of it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder / "logs"
        self.folder.mkdir()
        self.cache = folder / "cache"
        self.random = random.Random(seed)
        self.config = CostConfig()
        self.book = Book(100, START + timedelta(days=1), 4_000)
        self._tmp = folder
        self._asked = 0

    def line(self) -> str:
        draw = self.random
        number = draw.randrange(120)  # so that many calls are told of twice, and not alike
        usage = {"prompt_tokens": draw.randrange(9_000), "completion_tokens": draw.randrange(50)}
        at = START + timedelta(minutes=draw.randrange(5 * 24 * 60))
        body: dict[str, object] = {"id": f"chatcmpl-{number}", "object": "chat.completion"}
        body |= {"created": int(at.timestamp()), "model": draw.choice(MODELS), "usage": usage}
        said = {"user": f"u{number % 3}", "project": draw.choice(("shop", "", None))}
        return json.dumps({"response": body, "env": draw.choice(("prod", "test")), **said}) + "\n"

    def lines(self) -> str:
        bad = "nonsense\n" if self.random.random() < 0.2 else ""
        return "".join(self.line() for _ in range(self.random.randint(5, 40))) + bad

    def change(self) -> None:
        """One of the things that change between two reports."""
        files = sorted(self.folder.iterdir())
        match self.random.randrange(7):
            case 0 if files:
                with self.random.choice(files).open("a") as file:
                    file.write(self.lines())
            case 1 if files:
                self.random.choice(files).write_text(self.lines())
            case 2 if len(files) > 1:
                self.random.choice(files).unlink()
            case 3:
                rise = START + timedelta(hours=self.random.randrange(100))
                self.book = Book(self.random.choice((100, 7)), rise, self.random.randrange(9_000))
            case 4:
                self.config = CostConfig(attribute=self.random.choice(RULES))
            case _:
                (self.folder / f"{self.random.randrange(6)}.jsonl").write_text(self.lines())

    def ask(self, by: tuple[str, ...], where: Where, zone: str, *, cached: bool) -> CostReport:
        self._asked += 1
        tmp = self._tmp / f"tmp{self._asked}"
        tmp.mkdir()
        cache = self.cache if cached else None
        with open_usage(
            [str(self.folder)], config=self.config, prices=self.book, tmp=tmp, cache=cache
        ) as usage:
            made = usage.report(by, where, zone)
        return replace(made, sources=tuple(replace(each, reused=False) for each in made.sources))

    def kept(self) -> list[Path]:
        return sorted(self.cache.rglob("*.answer"))


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    made = Logs(tmp_path, seed=1)
    (made.folder / "0.jsonl").write_text(made.lines() + made.lines())
    return made


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A number for each time that calls are told apart."""
    found: list[int] = []

    def counting(*words: Any) -> int:
        found.append(1)
        return settle(*words)

    monkeypatch.setattr(store, "settle", counting)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_what_was_kept_says_what_the_logs_say(tmp_path: Path, seed: int) -> None:
    logs = Logs(tmp_path, seed)
    asked = logs.random.sample(QUESTIONS, 3)
    for _ in range(8):
        logs.change()
        if not any(logs.folder.iterdir()):
            continue
        by, where = logs.random.choice(asked), logs.random.choice(WHERES)
        zone = logs.random.choice(("UTC", "Europe/Berlin", "Asia/Kolkata"))

        told = logs.ask(by, where, zone, cached=False)

        assert logs.ask(by, where, zone, cached=True) == told
        assert logs.ask(by, where, zone, cached=True) == told


def test_the_same_question_is_answered_without_telling_calls_apart(
    logs: Logs, settled: list[int]
) -> None:
    first = logs.ask(("model",), Where(), "UTC", cached=True)
    assert (len(settled), len(logs.kept())) == (1, 1)

    assert logs.ask(("model",), Where(), "UTC", cached=True) == first
    assert len(settled) == 1

    logs.book = Book(5, START + timedelta(days=1), 4_000)  # other rates at the same moments
    cheaper = logs.ask(("model",), Where(), "UTC", cached=True)
    assert len(settled) == 1
    assert 0 < cheaper.totals.pico < first.totals.pico


@pytest.mark.parametrize("damage", ["cut off", "other bytes", "of another version"])
def test_a_damaged_answer_is_worked_out_again(logs: Logs, settled: list[int], damage: str) -> None:
    first = logs.ask(("day", "user"), Where(), "UTC", cached=True)
    (answer,) = logs.kept()
    data = answer.read_bytes()
    if damage == "cut off":
        answer.write_bytes(data[:40])
    elif damage == "other bytes":
        answer.write_bytes(data[:-40] + bytes(40))
    else:
        answer.rename(answer.with_name(answer.name.replace("-", ".", 1)))

    assert logs.ask(("day", "user"), Where(), "UTC", cached=True) == first
    assert len(settled) == 2


def test_sums_of_more_than_64_bits_are_kept_whole(logs: Logs) -> None:
    most = 2**53 - 1
    usage = {"prompt_tokens": most, "completion_tokens": most}
    body = {"object": "chat.completion", "created": 1_774_600_000, "model": "large"}
    lines = [json.dumps(body | {"id": f"c-{n}", "usage": usage}) for n in range(1_100)]
    (logs.folder / "0.jsonl").write_text("\n".join(lines) + "\n")

    first = logs.ask((), Where(), "UTC", cached=True)

    assert first.totals.tokens["input"] == 1_100 * most > 2**63
    assert logs.ask((), Where(), "UTC", cached=True) == first


def test_old_answers_go_when_there_are_too_many(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST", 4)
    for by in QUESTIONS:
        logs.ask(by, Where(), "UTC", cached=True)
        assert len(logs.kept()) <= 4

    assert logs.kept()


def test_an_answer_of_very_many_groups_is_not_kept(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST_GROUPS", 10)

    logs.ask(("hour", "user"), Where(), "UTC", cached=True)

    assert logs.kept() == []
