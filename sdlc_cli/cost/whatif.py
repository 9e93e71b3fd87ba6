"""What the same calls would have cost otherwise: on another model, in batch, with a cache."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Amounts, Group
from sdlc_cli.cost.prefixes import Caching

Keys = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One group of calls, as it was priced and as it would have been."""

    keys: Mapping[str, str]
    calls: int
    before: Amounts
    after: Amounts
    caching: Caching | None = None

    @property
    def comparable(self) -> bool:
        """False where calls have a price on one side only: the difference would mean nothing."""
        return _uncertain(self.before) == _uncertain(self.after)

    @property
    def saved_pico(self) -> int | None:
        """Pico-dollars saved, below 0 where it costs more; None where nothing is comparable."""
        if not self.comparable:
            return None
        return self.before.pico - self.after.pico + (self.caching.saved_pico if self.caching else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What `sdlc cost whatif` prints. The sums hold the comparable differences alone."""

    differences: tuple[Difference, ...]  # what changes most stands first
    replaced: Mapping[str, str]  # model, or a glob of models -> the model instead
    tier: str  # "batch", or "" for the tier as it was
    before_pico: int
    after_pico: int
    not_comparable: int  # groups

    @property
    def saved_pico(self) -> int:
        """Pico-dollars saved; below 0 where it costs more."""
        return self.before_pico - self.after_pico


def compare(
    before: Iterable[Group],
    after: Iterable[Group],
    *,
    replaced: Mapping[str, str] | None = None,
    tier: str = "",
    caching: Mapping[tuple[str, str], Caching] | None = None,
) -> WhatIf:
    """`compare(usage.slices(by=by), usage.with_prices(replaced, tier).slices(by=by), …)`.

    Each call is priced anew by the engine, at its own time and size; here the groups are set side
    by side. `with_prices` prices differently and names as before: a call is in the same group on
    both sides. Raises WorkError where it is not.

    Assumes as many tokens, cached as they were. `tier="batch"` assumes that every call can wait
    for its answer (up to a day). `caching` holds `prefixes.best_caching` by (provider, model), for
    groups that have just these keys and a price that `after` does not change.
    """
    old, new = _by_keys(before), _by_keys(after)
    moved = [dict(keys) for keys in old if keys not in new or old[keys].calls != new[keys].calls]
    if moved or len(old) != len(new):
        raise WorkError(msg("the calls before and after are not the same: {keys}", keys=moved[:3]))
    differences = [
        Difference(
            keys=dict(keys),
            calls=amounts.calls,
            before=amounts,
            after=new[keys],
            caching=_cached(keys, amounts, new[keys], caching or {}),
        )
        for keys, amounts in old.items()
    ]
    ranked = sorted(differences, key=_rank)
    certain = [one for one in ranked if one.saved_pico is not None]
    spent = sum(one.before.pico for one in certain)
    return WhatIf(
        differences=tuple(ranked),
        replaced=dict(replaced or {}),
        tier=tier,
        before_pico=spent,
        after_pico=spent - sum(one.saved_pico or 0 for one in certain),
        not_comparable=len(ranked) - len(certain),
    )


def changed(result: WhatIf) -> Sequence[Difference]:
    """The groups that the change touches."""
    return [one for one in result.differences if one.saved_pico != 0]


def _by_keys(groups: Iterable[Group]) -> dict[Keys, Amounts]:
    return {tuple(sorted(group.keys.items())): group.amounts for group in groups}


def _cached(
    keys: Keys, before: Amounts, after: Amounts, caching: Mapping[tuple[str, str], Caching]
) -> Caching | None:
    if {key for key, _ in keys} != {"provider", "model"} or before.pico != after.pico:
        return None
    names = dict(keys)
    return caching.get((names["provider"], names["model"]))


def _rank(one: Difference) -> tuple[int, Keys]:
    return -abs(one.saved_pico or 0), tuple(sorted(one.keys.items()))


def _uncertain(amounts: Amounts) -> int:
    return amounts.unknown_calls + amounts.unpriced_calls
