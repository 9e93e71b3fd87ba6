"""What is asked of prices, and what calls without a certain price cost at most. Loads nothing."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Protocol

from sdlc_cli.cost.model import INPUTS, OUTPUTS, TOKENS, Price, Rate

UNPRICED = -1  # the place of no rate


class Prices(Protocol):
    """What `prices.resolve.Prices` can do that is needed here."""

    def price(self, provider: str, model: str, tier: str = "") -> Price:
        """How calls logged as these are priced, at all times."""
        ...


def fits(price: Price, model: str, glob: str) -> bool:
    """Whether `glob` stands for calls logged as `model`, by that or by their canonical name."""
    names = (price.model, f"{price.provider}/{price.model}", model)
    return any(fnmatchcase(name, glob) for name in names)


def ceilings(price: Price) -> Mapping[str, int]:
    """The dearest rate of each class in the family; empty where nobody knows."""
    known = dict(price.ceiling)
    for classes in (INPUTS, OUTPUTS):
        there = [known[name] for name in classes if name in known]
        for name in classes:
            if there:
                known.setdefault(name, max(there))
    return known


def unknown(price: Price, rate: Rate | None, ceiling: Mapping[str, int]) -> list[int | None]:
    """What calls of unknown usage cost at most: `unknown`, `unknown_out`, `most_out` above."""
    per_unit: Mapping[str, int] = ceiling
    if rate:
        per_unit = {name: max(rate.per_unit.get(name, 0), ceiling.get(name, 0)) for name in TOKENS}
    if not per_unit:
        return [None, None, None]
    dearest_in = max(per_unit.get(name, 0) for name in INPUTS)
    dearest_out = max(per_unit.get(name, 0) for name in OUTPUTS)
    request = max(rate.request if rate else 0, ceiling.get("request", 0))
    free = not dearest_in and not dearest_out
    if free:
        return [request, 0, 0]
    most_out = price.max_output or price.context
    whole = price.context * dearest_in + request if price.context else None
    return [whole, dearest_out, most_out]
