"""The committed price catalogue: its types, and how it is read."""

from collections.abc import Mapping
from datetime import date
from functools import cache, cached_property
from pathlib import Path

import msgspec

FILE = Path(__file__).parent / "catalogue.json"

# US dollars for a unit as decimal text, or that and what holds for the whole call once its total
# input is above so many tokens: ["3", [[200000, "6"]]].
Amount = str | tuple[str, tuple[tuple[int, str], ...]]


class Clause(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a name is recognised. One field is set. All but `regex` are in lower case."""

    equals: str | None = None
    starts_with: str | None = None
    ends_with: str | None = None
    contains: str | None = None
    regex: str | None = None
    any: tuple["Clause", ...] | None = None
    all: tuple["Clause", ...] | None = None


class Stretch(msgspec.Struct, frozen=True, omit_defaults=True):
    """Prices by their unit, and when they hold: the last of a model's that does counts.

    `since` is the first day (UTC); `hours` are minutes of the UTC day, [from, to), and may wrap
    midnight. The units are those of genai-prices: `input_mtok` is a million input tokens.
    """

    usd: dict[str, Amount]
    since: date | None = None
    hours: tuple[int, int] | None = None


class Variant(msgspec.Struct, frozen=True, omit_defaults=True):
    """Prices that replace those of the same unit when the call was made as `when` says.

    Of several that hold, the first one that has the unit counts.
    """

    when: dict[str, str]
    usd: dict[str, Amount]
    since: date | None = None
    hours: tuple[int, int] | None = None


class Model(msgspec.Struct, frozen=True, omit_defaults=True):
    """One model of a provider. `context` is its window in tokens."""

    id: str
    match: Clause
    prices: tuple[Stretch, ...]
    variants: tuple[Variant, ...] = ()
    context: int | None = None
    deprecated: bool = False


class Provider(msgspec.Struct, frozen=True, omit_defaults=True):
    """One provider. The order of `models` counts: the first that matches a name is the one.

    `match` recognises the provider's own name, `model_match` a model's name that stands alone.
    `fallback` names the providers whose models it offers too, at their prices.
    """

    id: str
    models: tuple[Model, ...]
    match: Clause | None = None
    model_match: Clause | None = None
    fallback: tuple[str, ...] = ()


class Catalogue(msgspec.Struct, frozen=True, dict=True):
    """All prices of one release of genai-prices. `sha256` is of the canonical JSON of the rest."""

    source: str
    version: str
    sha256: str
    providers: tuple[Provider, ...]

    @property
    def title(self) -> str:
        """What reports print as the source of a price."""
        return f"catalogue {self.source} {self.version}"

    @cached_property
    def by_id(self) -> Mapping[str, Provider]:
        """Providers by their id."""
        return {provider.id: provider for provider in self.providers}


def read(path: Path) -> Catalogue:
    """The catalogue in `path`. Raises msgspec.DecodeError for a file of another form."""
    return msgspec.json.decode(path.read_bytes(), type=Catalogue)


@cache
def catalogue() -> Catalogue:
    """The catalogue that came with this release. Read once, in some milliseconds."""
    return read(FILE)
