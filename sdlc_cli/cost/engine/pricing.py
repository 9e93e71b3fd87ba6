"""Prices as SQL: which rate holds for a call, and the tables of rates to multiply with.

Groups of calls under one rate are summed first and priced after: whole numbers, so the order does
not matter, and a million calls need a dozen multiplications for each group instead of for each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sdlc_cli.cost.engine import clock
from sdlc_cli.cost.engine.bounds import UNPRICED, ceilings, unknown
from sdlc_cli.cost.engine.table import literal, names
from sdlc_cli.cost.model import INPUTS, Price, Rate

Pricer = Callable[[str, str, str], Price]  # (provider, model, tier) as logged

TOTAL_INPUT = "(" + " + ".join(f'"{name}"' for name in INPUTS) + ")"


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """The models in the logs with their prices. `place` in `prices` is the id in SQL."""

    pms: tuple[str, ...]
    prices: tuple[Price, ...]

    def chosen(self, wanted: Callable[[Price], bool]) -> list[int]:
        """The ids of models that are wanted."""
        return [place for place, price in enumerate(self.prices) if wanted(price)]


def priced(pms: Sequence[str], price: Pricer) -> Priced:
    """The price of each distinct model; `pms` as the column holds them."""
    return Priced(pms=tuple(pms), prices=tuple(price(*names(pm)) for pm in pms))


def seg(found: Priced) -> str:
    """SQL for the place of the rate that holds for a call of `model_id`, `UNPRICED` for none."""
    shapes: dict[str, list[int]] = {}
    for place, price in enumerate(found.prices):
        shapes.setdefault(_choice(price.rates), []).append(place)
    if len(shapes) < 2:
        return next(iter(shapes), str(UNPRICED))
    most = max(shapes, key=lambda shape: len(shapes[shape]))
    cases = " ".join(
        f"WHEN model_id IN ({', '.join(map(str, places))}) THEN {shape}"
        for shape, places in shapes.items()
        if shape != most
    )
    return f"CASE {cases} ELSE {most} END"


def _choice(rates: Sequence[Rate]) -> str:
    if not rates:
        return str(UNPRICED)
    order = sorted(range(len(rates)), key=lambda place: -rates[place].above)
    cases: list[str] = []
    timeless: list[str] = []
    newest = max((clock.micros(rate.since) if rate.since else -1) for rate in rates)
    for place in order:
        rate = rates[place]
        when = _when(rate)
        if rate.above:
            when.append(f"calls = 1 AND {TOTAL_INPUT} > {rate.above}")
        cases.append(f"WHEN {' AND '.join(when) or 'true'} THEN {place}")
        if (clock.micros(rate.since) if rate.since else -1) == newest:
            size = f" AND calls = 1 AND {TOTAL_INPUT} > {rate.above}" if rate.above else ""
            timeless.append(f"WHEN ts IS NULL{size} THEN {place}")
    if len(rates) == 1 and cases == ["WHEN true THEN 0"]:
        return "0"
    return f"CASE {' '.join([*timeless, *cases])} ELSE {UNPRICED} END"


def _when(rate: Rate) -> list[str]:
    """The conditions on a call's own time."""
    when: list[str] = []
    if rate.since:
        when.append(f"ts >= {clock.micros(rate.since)}")
    if rate.until:
        when.append(f"ts < {clock.micros(rate.until)}")
    if rate.hours:
        first, last = rate.hours
        minute = f"(ts // {60 * clock.SECOND}) % 1440"
        both = "AND" if first < last else "OR"
        when.append(f"({minute} >= {first} {both} {minute} < {last})")
    return when


def models_sql(found: Priced) -> str:
    """A table of `pm` and `model_id`."""
    values = ", ".join(f"({literal(pm)}, {place})" for place, pm in enumerate(found.pms))
    nothing = f"({literal('')}, {UNPRICED})"  # of the right types, which some engines insist on
    return f"(VALUES {values or nothing}) AS models(pm, model_id)"


def rates_sql(found: Priced, counts: Sequence[str]) -> str:
    """A table of what every rate costs for `counts`, and of what calls without one cost at most.

    `r_…` are pico-dollars per unit; `c_…` the dearest of the family, NULL where nobody knows.
    `unknown` is what the input of a call of unknown usage costs at most, `unknown_out` a token of
    its output, `most_out` the tokens that it has at most.
    """
    rows: list[str] = []
    for place, price in enumerate(found.prices):
        ceiling = ceilings(price)
        for number, rate in [(UNPRICED, None), *enumerate(price.rates)]:
            cells: list[int | None] = [place, number]
            cells += [rate.per_unit.get(name, 0) if rate else 0 for name in counts]
            cells.append(rate.request if rate else 0)
            cells += [ceiling.get(name) for name in counts]
            cells.append(ceiling.get("request", 0))
            cells += unknown(price, rate, ceiling)
            rows.append("(" + ", ".join("NULL" if c is None else f"{c}" for c in cells) + ")")
    if not rows:
        rows.append("(" + ", ".join(["0"] * (2 + 2 * (len(counts) + 1) + 3)) + ")")
    columns = [f"{sort}_{name}" for sort in "rc" for name in (*counts, "request")]
    columns = ["model_id", "seg", *columns, "unknown", "unknown_out", "most_out"]
    casts = ", ".join(
        name if name in ("model_id", "seg") else f"{name}::HUGEINT AS {name}" for name in columns
    )
    return f"(SELECT {casts} FROM (VALUES {', '.join(rows)}) AS v({', '.join(columns)}))"
