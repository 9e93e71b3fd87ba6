"""Which provider and model of the catalogue a name means, by the catalogue's own clauses.

Names are compared in lower case. The answers are those of genai-prices for the same names.
"""

import re
from collections.abc import Iterator
from datetime import date

from sdlc_cli.cost.prices.load import Catalogue, Clause, Model, Provider

_COMPACT_DATE = re.compile(r"-(20\d\d)(\d\d)(\d\d)(?=-|:|$)")


def fits(clause: Clause | None, name: str) -> bool:
    """Whether `name`, in lower case, is what the clause describes; nothing describes nothing."""
    if clause is None:
        return False
    if clause.any is not None:
        return any(fits(part, name) for part in clause.any)
    if clause.all is not None:
        return all(fits(part, name) for part in clause.all)
    return (
        name == clause.equals
        or (clause.starts_with is not None and name.startswith(clause.starts_with))
        or (clause.ends_with is not None and name.endswith(clause.ends_with))
        or (clause.contains is not None and clause.contains in name)
        or (clause.regex is not None and re.search(clause.regex, name) is not None)
    )


def provider_named(catalogue: Catalogue, name: str) -> Provider | None:
    """The provider that calls itself `name`: by its id, else by its clause."""
    name = name.lower().strip()
    if name in catalogue.by_id:
        return catalogue.by_id[name]
    return next((p for p in catalogue.providers if fits(p.match, name)), None)


def provider_of(catalogue: Catalogue, model: str) -> Provider | None:
    """The first provider that claims a model's name standing alone."""
    model = model.lower()
    return next((p for p in catalogue.providers if fits(p.model_match, model)), None)


def model_named(
    catalogue: Catalogue, provider: Provider, name: str
) -> tuple[Provider, Model] | None:
    """The model that `provider` calls `name`, and whose it is: a provider may resell others'."""
    name = name.lower()
    found = _first(catalogue, provider, name)
    if found is None and (dated := _COMPACT_DATE.sub(_dashed, name)) != name:
        found = _first(catalogue, provider, dated)
    return found


def _first(catalogue: Catalogue, provider: Provider, name: str) -> tuple[Provider, Model] | None:
    for owner in _owners(catalogue, provider):
        for model in owner.models:
            if fits(model.match, name):
                return owner, model
    return None


def _owners(catalogue: Catalogue, provider: Provider) -> Iterator[Provider]:
    yield provider
    for other in provider.fallback:
        if other in catalogue.by_id:
            yield catalogue.by_id[other]


def _dashed(found: re.Match[str]) -> str:
    """`-20251211` as `-2025-12-11`; what is no day stays as it is."""
    year, month, day = (int(part) for part in found.groups())
    try:
        return f"-{date(year, month, day).isoformat()}"
    except ValueError:
        return found[0]
