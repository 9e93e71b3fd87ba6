"""What may be written under `tune:` in gates.yaml."""

from typing import Annotated

from msgspec import Meta, Struct

from sdlc_cli.core.i18n import msg
from sdlc_cli.gate.options import Environment, Mistakes, Text

# Its kind (number, text, true or false) is that of the value it takes the place of.
Value = Annotated[str, Meta(examples=["64"])]


class Setting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another `value` for a `key` (`cache.size`) that stands in a JSON, TOML, YAML or INI file."""

    file: Text
    key: Text
    value: bool | Value


class Variant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be tried: environment variables, settings, a `patch` (a diff), or all of them."""

    name: Text
    environment: Environment = {}
    settings: tuple[Setting, ...] = ()
    patch: str = ""

    def mistakes(self) -> Mistakes:
        """A variant that changes nothing would be tried against itself."""
        if not self.environment and not self.settings and not self.patch:
            yield (), msg("changes nothing: give it environment, settings or patch")


class Tune(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`variants` are compared with the unchanged state by the performance gate's benchmarks.

    `benchmarks` names some of them; else all are run.
    """

    variants: Annotated[tuple[Variant, ...], Meta(min_length=1)]
    benchmarks: tuple[Text, ...] = ()

    def mistakes(self) -> Mistakes:
        """A name is what a variant's result is told by."""
        seen: set[str] = set()
        for i, variant in enumerate(self.variants):
            if variant.name in seen:
                yield ("variants", i, "name"), msg("'{name}' is used twice", name=variant.name)
            seen.add(variant.name)
