"""What the LLM calls of a mode cost: tokens times the catalogue's price, or the file's own."""

from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from functools import cached_property

from msgspec import UNSET

from sdlc_cli.core import money
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.sections import Key
from sdlc_cli.cost.prices.receipt import applicable
from sdlc_cli.cost.prices.resolve import Prices
from sdlc_cli.plan.model import ZERO
from sdlc_cli.plan.options import ModeSpec, TaskSpec
from sdlc_cli.plan.readers.draft import Draft

_HINT = msg("write cost_usd, or the model's price into prices")


class ModelPrices:
    """Prices as of the start of the project. The catalogue is loaded when it is first asked."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft

    @cached_property
    def _prices(self) -> Prices:
        return Prices(overrides=self.draft.file.prices)

    def cost(self, mode: ModeSpec | TaskSpec, path: Key, at: Mapping[str, Key]) -> Decimal:
        """Dollars for all calls of the mode. Without a price that is a mistake, never nothing."""
        written = {name: getattr(mode, name) for name in ("input_tokens", "output_tokens", "calls")}
        for name in ("input_tokens", "output_tokens"):
            if written[name] is UNSET:
                self.draft.add((*path, name), msg("missing, and needed for the price of the model"))
        inward, outward, calls = (0 if n is UNSET else int(n) for n in written.values())
        provider = "" if mode.provider is UNSET else mode.provider
        tier = "" if mode.tier is UNSET else mode.tier
        assert isinstance(mode.model, str)
        price = self._prices.price(provider, mode.model, tier)
        # What many calls have in all says nothing of each: none is taken to be above a threshold.
        each = -(-inward // calls) if calls else 0
        rate = applicable(price, self.draft.grid.start.astimezone(UTC), each)
        if rate is None:
            reason = price.reason or msg("no price is known for the start of the project")
            self.draft.add(at["model"], msg("{reason}; {hint}", reason=reason, hint=_HINT))
            return ZERO
        if rate.request and not calls:
            message = msg("missing, and needed: the model has a price for each call")
            self.draft.add((*path, "calls"), message)
        pico = inward * rate.per_unit["input"] + outward * rate.per_unit["output"]
        return money.usd(pico + calls * rate.request)
