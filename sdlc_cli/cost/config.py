"""cost.yaml -> CostConfig: where the logs are, what calls cost, whose they are, what is allowed."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.options import (
    RATES,
    TOKEN_RATES,
    Budget,
    Columns,
    Ladder,
    Match,
    Mistakes,
    Period,
    PriceEntry,
    Privacy,
    Route,
    Rule,
    Text,
    Webhook,
)
from sdlc_cli.cost.zones import UnknownZone, zone

__all__ = [
    "FILE_NAME",
    "RATES",
    "TOKEN_RATES",
    "Budget",
    "Columns",
    "CostConfig",
    "CostFile",
    "Ladder",
    "Match",
    "Period",
    "PriceEntry",
    "PricesFile",
    "Privacy",
    "Route",
    "Rule",
    "Webhook",
    "find",
    "load",
    "load_prices",
]

FILE_NAME = "cost.yaml"
_HINT = msg("'sdlc schema cost' describes every key of the file")


class CostFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """cost.yaml as it is written.

    `sources` are read when no PATH is given: files, folders, globs, store addresses, relative to
    the file. `source_format` is detected when it is not written. Days begin at midnight in
    `timezone`, a name of the IANA database. `aliases` maps a deployment's name to the model it is.
    """

    version: Literal[1]
    sources: tuple[Text, ...] = ()
    source_format: str = ""
    timezone: Text = "UTC"
    prices: tuple[PriceEntry, ...] = ()
    aliases: dict[Text, Text] = {}
    attribute: tuple[Rule, ...] = ()
    budgets: tuple[Budget, ...] = ()
    route: Route = Route()
    columns: Columns | UnsetType = UNSET
    privacy: Privacy = Privacy()
    webhook: Webhook = Webhook()

    def mistakes(self) -> Mistakes:
        """A zone that exists, and names that are used once."""
        try:
            zone(self.timezone)
        except UnknownZone as error:
            yield ("timezone",), error.message
        yield from _twice("budgets", [budget.name for budget in self.budgets])


class PricesFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `--prices` reads: the same keys as in cost.yaml, and they come after those."""

    version: Literal[1]
    prices: Annotated[tuple[PriceEntry, ...], Meta(min_length=1)]
    aliases: dict[Text, Text] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class CostConfig:
    """cost.yaml with every default in its place.

    `file` is where it was read, or None without one; `root` is the folder that its `sources` are
    relative to.
    """

    file: Path | None = None
    root: Path = Path()
    sources: tuple[str, ...] = ()
    source_format: str = ""
    timezone: str = "UTC"
    prices: tuple[PriceEntry, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    attribute: tuple[Rule, ...] = ()
    budgets: tuple[Budget, ...] = ()
    route: Route = field(default_factory=Route)
    columns: Columns | None = None
    privacy: Privacy = field(default_factory=Privacy)
    webhook: Webhook = field(default_factory=Webhook)


def find(start: Path, stop: Path) -> Path | None:
    """The nearest cost.yaml in the folder `start`, else upward to `stop`, which is the last.

    Raises ConfigError for one that is a symlink out of `stop`.
    """
    start, stop = start.absolute(), stop.absolute()
    for folder in (start, *start.parents):
        found = folder / FILE_NAME
        if found.exists():
            if not found.resolve().is_relative_to(stop.resolve()):
                raise ConfigError(
                    msg("{path} is a symlink out of the repository", path=str(found)),
                    hint=msg("copy the file, or name it with --config"),
                )
            return found
        if folder == stop:
            break
    return None


def load(file: Path | None, root: Path, environ: Mapping[str, str] = os.environ) -> CostConfig:
    """The configuration in `file`, or the defaults for `root` without one.

    Raises ConfigError with every mistake in the file.
    """
    if file is None:
        return CostConfig(root=root)
    from sdlc_cli.core import config  # loads PyYAML, which is not needed where there is no file

    written = config.load(file, CostFile, environ, hint=_HINT)
    return CostConfig(
        file=file,
        root=file.absolute().parent,
        sources=written.sources,
        source_format=written.source_format,
        timezone=written.timezone,
        prices=written.prices,
        aliases=written.aliases,
        attribute=written.attribute,
        budgets=written.budgets,
        route=written.route,
        columns=None if written.columns is UNSET else written.columns,
        privacy=written.privacy,
        webhook=written.webhook,
    )


def load_prices(file: Path, environ: Mapping[str, str] = os.environ) -> PricesFile:
    """The file that `--prices` names. Raises ConfigError with every mistake in it."""
    from sdlc_cli.core import config

    return config.load(file, PricesFile, environ, hint=_HINT)


def _twice(key: str, names: Iterable[str]) -> Mistakes:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            yield (key, i, "name"), msg("'{name}' is used twice", name=name)
        seen.add(name)
