"""cost.yaml: what is read, and every mistake told at once with its line."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from sdlc_cli.core.config import read
from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.exact import percentage
from sdlc_cli.cost import config
from sdlc_cli.cost.config import CostConfig, CostFile

FULL = """\
version: 1
sources: [logs/, "usage/*.jsonl.gz"]
timezone: Europe/Berlin
prices:
  - {provider: openai, model: "gpt-4o*", valid_from: 2026-01-01, valid_to: 2026-06-30, tier: batch,
     input: 2.50, output: 10, cache_read: 0.000001}
  - {model: "llama*", free: true}
  - {provider: anthropic, discount: 12.5%}
aliases: {my-deployment: openai/gpt-4o}
attribute:
  - {match: {key: "svc-*", path: "*/shop/*", tag: {env: prod}}, project: shop, team: web}
budgets:
  - {name: shop-month, project: shop, limit_usd: 500}
  - {name: everything, period: year, limit_usd: 1e4, warn_at: 95%, tag: {env: prod}}
route:
  ladders:
    chat: {primary: gpt-4o, fallback: gpt-4o-mini, swap_at: 75%}
columns: {ts: created_at, input: prompt, output: completion, fixed: {model: gpt-4o}}
privacy: {users: hash, key: "${SDLC_PRIVACY_KEY}"}
"""
KEY = {"SDLC_PRIVACY_KEY": "0123456789abcdef"}


def loaded(tmp_path: Path, text: str) -> CostConfig:
    file = tmp_path / "cost.yaml"
    file.write_text(text, encoding="utf-8")
    return config.load(file, tmp_path, KEY)


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text, "cost.yaml", CostFile, {})
    return [problem.removeprefix("cost.yaml:") for problem in caught.value.problems]


def test_the_whole_file_is_read(tmp_path: Path) -> None:
    made = loaded(tmp_path, FULL)

    first, free, less = made.prices
    assert (first.valid_from, first.valid_to) == (date(2026, 1, 1), date(2026, 6, 30))
    assert first.rates == {
        "input": Decimal("2.50"),
        "cache_read": Decimal("0.000001"),
        "output": Decimal(10),
    }
    assert (free.free, less.discount) == (True, Decimal("0.125"))
    assert made.attribute[0].match.tag == {"env": "prod"}
    assert [b.limit_usd for b in made.budgets] == [Decimal(500), Decimal(10_000)]
    assert [b.warn_at for b in made.budgets] == [Decimal("0.8"), Decimal("0.95")]
    assert made.route.ladders["chat"].swap_at == Decimal("0.75")
    assert made.columns is not None
    assert made.columns.fixed == {"model": "gpt-4o"}
    assert made.privacy.key == KEY["SDLC_PRIVACY_KEY"]
    assert (made.root, made.timezone) == (tmp_path, "Europe/Berlin")


def test_a_price_knows_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    places = [price.place for price in loaded(tmp_path, FULL).prices]

    assert places == ["cost.yaml:5", "cost.yaml:7", "cost.yaml:8"]


def test_money_never_passes_through_a_float(tmp_path: Path) -> None:
    text = "version: 1\nprices: [{model: m, input: 0.1234567890123456789, output: 0}]\n"

    (price,) = loaded(tmp_path, text).prices

    assert price.rates["input"] == Decimal("0.1234567890123456789")


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    made = config.load(None, tmp_path)

    assert made == CostConfig(root=tmp_path)
    assert (made.timezone, made.columns) == ("UTC", None)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sorces: []", "2: sorces: unknown key (nearest: 'sources')"),
        ("timezone: Europe/Berln", ("2: timezone: unknown time zone 'Europe/Berln'"
         " (nearest: 'Europe/Berlin')")),
        ("timezone: berlin", "2: timezone: unknown time zone 'berlin' (nearest: 'Europe/Berlin')"),
        ("timezone: ../../etc/passwd", ("2: timezone: unknown time zone '../../etc/passwd';"
         " use a name as Europe/Berlin")),
        ("prices: [{input: 1, output: 1}]",
         "2: prices[0]: needs model or provider, to know which calls it prices"),
        ("prices: [{model: m}]", "2: prices[0]: needs one of: rates, discount, free"),
        ("prices: [{model: m, free: true, discount: 5%}]",
         "2: prices[0]: needs one of: rates, discount, free"),
        ("prices: [{model: m, input: 1}]",
         "2: prices[0].output: missing, and needed here; write 0 if it costs nothing"),
        ("prices: [{model: m, input: -1, output: 1}]",
         "2: prices[0].input: must be at least 0, found -1"),
        ("prices: [{model: m, input: two, output: 1}]",
         "2: prices[0].input: wants an amount of US dollars such as 2.50, found the text 'two'"),
        ("prices: [{model: m, input: .nan, output: 1}]",
         "2: prices[0].input: wants an amount of US dollars such as 2.50, found '.nan'"),
        ("prices: [{model: m, input: 2000000000, output: 1}]",
         "2: prices[0].input: must be at most 1,000,000,000, found 2000000000"),
        ("prices: [{model: m, discount: 0.1}]",
         "2: prices[0].discount: wants a percentage such as 80%, found the number 0.1"),
        ("prices: [{model: m, discount: 110%}]",
         "2: prices[0].discount: must be from 0% to 100%, found 110%"),
        ("prices: [{model: m, discount: lots}]",
         "2: prices[0].discount: wants a percentage such as 80%, found 'lots'"),
        ("prices: [{model: m, free: true, valid_from: 1.2.2026}]",
         "2: prices[0].valid_from: wants a day such as 2026-01-31, found '1.2.2026'"),
        ("prices: [{model: m, free: true, valid_from: 2026-02-30}]",
         "2: prices[0].valid_from: wants a day such as 2026-01-31, found '2026-02-30'"),
        ("prices: [{model: m, free: true, valid_from: 2026-02-02, valid_to: 2026-02-01}]",
         "2: prices[0].valid_to: lies before valid_from"),
        ("attribute: [{match: {}, project: p}]",
         "2: attribute[0].match: needs a condition: key, path, user, model, project or tag"),
        ("attribute: [{match: {key: k}}]",
         "2: attribute[0]: needs project or team: it sets nothing"),
        ("budgets: [{name: a, limit_usd: 1}, {name: a, limit_usd: 2}]",
         "2: budgets[1].name: 'a' is used twice"),
        ("budgets: [{name: a, limit_usd: 1, period: monthly}]",
         ("2: budgets[0].period: must be one of day, month, quarter, total, week, year,"
         " found the text 'monthly' (nearest: 'month')")),
        ("budgets: [{name: a, limit_usd: 1, warn_at: 200%}]",
         "2: budgets[0].warn_at: must be from 0% to 100%, found 200%"),
        ("route: {ladders: {c: {primary: a, fallback: b, swap_at: 90%, emergency_at: 80%}}}",
         "2: route.ladders.c.emergency_at: lies below swap_at"),
        ("columns: {input: i, cache_read: c}", ("2: columns.input_includes_cache: missing: true or"
         " false, else tokens might be counted twice")),
        ("columns: {ts: t}", "2: columns: needs input or output: the columns of the token counts"),
        ("columns: {input: i, model: m, fixed: {model: x}}",
         "2: columns.fixed.model: has a column already"),
        ("privacy: {users: hash}", ("2: privacy.key: missing: hashes without a secret key can be"
         " undone by trying names")),
        ("privacy: {users: hash, key: short}", "2: privacy.key: must have at least 16 letters"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(line: str, expected: str) -> None:
    assert problems(f"version: 1\n{line}\n") == [expected]


def test_the_place_of_a_price_cannot_be_written() -> None:
    (problem,) = problems("version: 1\nprices: [{model: m, free: true, place: x}]\n")

    assert problem.startswith("2: prices[0].place: unknown key; there are: provider, model,")


def test_all_mistakes_are_told_at_once() -> None:
    text = "version: 2\ntimezone: X\nprices: [{model: m, input: x}]\nbudgets: [{limit_usd: 1}]\n"

    assert [problem.split(":")[0] for problem in problems(text)] == ["1", "2", "3", "4"]


def test_a_secret_from_the_environment_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        read("version: 1\nprivacy: {key: '${K}'}\n", "cost.yaml", CostFile, {"K": "geheim"})

    assert "geheim" not in str(caught.value.problems)


def test_the_file_is_looked_for_upward(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "cost.yaml").write_text("version: 1\n")

    assert config.find(tmp_path / "a/b", tmp_path) == tmp_path / "cost.yaml"
    assert config.find(tmp_path / "a/b", tmp_path / "a") is None


def test_a_link_out_of_the_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "cost.yaml").write_text("version: 1\n")
    (tmp_path / "repo/cost.yaml").symlink_to(tmp_path / "cost.yaml")

    with pytest.raises(ConfigError, match="symlink out of the repository"):
        config.find(tmp_path / "repo", tmp_path / "repo")


def test_prices_of_their_own_file(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text("version: 1\nprices: [{model: m, input: 1, output: 2}]\n")

    (price,) = config.load_prices(file).prices

    assert price.place == f"{file}:2"


@pytest.mark.parametrize(
    ("share", "text"), [("0.8", "80%"), ("1", "100%"), ("0.125", "12.5%"), ("0", "0%")]
)
def test_a_share_is_written_as_a_percentage(share: str, text: str) -> None:
    assert percentage(Decimal(share)) == text
