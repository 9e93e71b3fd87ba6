"""gates.yaml -> GateConfig: which gates, how heavy, how strict."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.nearest import nearest
from sdlc_cli.core.sections import Sections
from sdlc_cli.gate.options import (
    BUILT_IN,
    AllowedSecret,
    Benchmark,
    Budget,
    Budgets,
    CommandGate,
    Coverage,
    Dependencies,
    Deploy,
    Docs,
    Gate,
    Integration,
    Load,
    Maintainability,
    Mistakes,
    Performance,
    Score,
    Secrets,
    Security,
    Service,
    Suppressions,
    Syntax,
    Text,
)
from sdlc_cli.gate.variants import Tune

__all__ = [
    "BUILT_IN",
    "AllowedSecret",
    "Benchmark",
    "Budget",
    "Budgets",
    "CommandGate",
    "Coverage",
    "Dependencies",
    "Deploy",
    "Docs",
    "Gate",
    "GateConfig",
    "GatesFile",
    "GenerationRule",
    "Integration",
    "Load",
    "Maintainability",
    "Performance",
    "Secrets",
    "Security",
    "Service",
    "Suppressions",
    "Syntax",
    "Tune",
    "defaults",
    "find",
    "load",
]

FILE_NAME = "gates.yaml"
DEFAULT_GATES = ("syntax", "security", "secrets", "maintainability", "coverage")

GenerationNumber = Literal[1, 2, 3]


class GenerationRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A generation's name and the score it asks for."""

    name: Text
    score: Score


class GenerationChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file says of a generation; what it leaves out stays as it is."""

    name: Text | None = None
    score: Score | None = None


def _unknown_gate(name: str, nearest: str) -> Message:
    if nearest:
        return msg(
            "unknown gate '{name}' (nearest: '{nearest}'); other names need kind: command",
            name=name,
            nearest=nearest,
        )
    return msg("unknown gate '{name}'; a gate of your own needs kind: command", name=name)


def _misnamed_gate(name: str) -> Message:
    return msg(
        "'{name}' is no name for a gate: use small letters, digits, _ and -, a letter first",
        name=name,
    )


SECTIONS = Sections(
    known=BUILT_IN,
    other=CommandGate,
    tag="kind",
    name="[a-z][a-z0-9_-]*",
    refuse=_unknown_gate,
    misnamed=_misnamed_gate,
)


class GatesFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """gates.yaml as it is written. `gates` lists what is set up; without it, the default ones.

    `required` replaces a generation's own list; what one generation requires, all later ones
    do too.
    """

    version: Literal[1]
    paths: Annotated[tuple[Text, ...], Meta(min_length=1)] = (".",)
    exclude: tuple[Text, ...] = ()
    generation: GenerationNumber = 1
    generations: dict[GenerationNumber, GenerationChange] = {}
    required: dict[GenerationNumber, tuple[Text, ...]] = {}
    suppressions: Suppressions = Suppressions()
    tune: Tune | UnsetType = UNSET
    gates: (
        Annotated[dict[str, Gate], Meta(min_length=1, extra={"sections": SECTIONS})] | UnsetType
    ) = UNSET

    def mistakes(self) -> Mistakes:
        """Names that are no gate, and weights that leave nothing to weigh."""
        gates = {} if self.gates is UNSET else self.gates
        known = [*BUILT_IN, *(name for name in gates if name not in BUILT_IN)]
        for number, names in self.required.items():
            for i, name in enumerate(names):
                if name not in known:
                    yield ("required", str(number), i), _not_required(name, known)
        if self.tune is not UNSET:
            yield from _untunable(self.tune, gates.get("performance"))
        if gates and not any(gate.weight for gate in gates.values()):
            yield ("gates",), msg("every weight is 0, so there is no score; give one a weight")


def _untunable(tune: Tune, performance: Gate | None) -> Mistakes:
    measured = performance.benchmarks if isinstance(performance, Performance) else ()
    known = [benchmark.name for benchmark in measured]
    if not known:
        yield ("tune",), msg("needs benchmarks in gates.performance: there is nothing to try it by")
        return
    for i, name in enumerate(tune.benchmarks):
        if name not in known:
            yield ("tune", "benchmarks", i), _unknown_benchmark(name, known)


def _unknown_benchmark(name: str, known: Iterable[str]) -> Message:
    if near := nearest(name, known):
        return msg("unknown benchmark '{name}' (nearest: '{nearest}')", name=name, nearest=near)
    return msg("unknown benchmark '{name}'", name=name)


def _not_required(name: str, known: Iterable[str]) -> Message:
    if near := nearest(name, known):
        return msg("unknown gate '{name}' (nearest: '{nearest}')", name=name, nearest=near)
    return msg("unknown gate '{name}'; it is not set up in this file", name=name)


GENERATIONS: Mapping[int, GenerationRule] = {
    1: GenerationRule(name=msg("make it work"), score=70),
    2: GenerationRule(name=msg("make it robust"), score=80),
    3: GenerationRule(name=msg("make it scale"), score=90),
}
# What a generation asks for is asked for by all later ones too. Integration joins generation 1
# as soon as it is set up.
REQUIRED: Mapping[int, tuple[str, ...]] = {
    1: ("syntax", "security", "secrets"),
    2: ("coverage", "maintainability"),
    3: ("performance",),
}
# The minimum of a gate whose `minimum` is not written, by generation.
MINIMUM: Mapping[str, Mapping[int, float]] = {
    "coverage": {1: 0, 2: 80, 3: 85},
    "integration": {1: 100, 2: 100, 3: 100},
    "load": {1: 100, 2: 100, 3: 100},
    "performance": {1: 100, 2: 100, 3: 100},
    "security": {1: 0, 2: 0, 3: 80},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """gates.yaml with every default in its place.

    `file` is where it was read, or None without one; `root` is the folder that its paths are
    relative to and its commands run in. `gates` holds what is set up, by name, in order.
    """

    file: Path | None
    root: Path
    paths: tuple[str, ...]
    exclude: tuple[str, ...]
    generation: int
    generations: Mapping[int, GenerationRule]
    required: Mapping[int, frozenset[str]]  # cumulative: 3 holds what 1 and 2 ask for
    gates: Mapping[str, Gate]
    suppressions: Suppressions = field(default_factory=Suppressions)
    tune: Tune | None = None  # what `sdlc gate tune` tries

    def minimum(self, name: str, generation: int) -> float:
        """The least score the gate called `name` may have in `generation`."""
        minimum = self.gates[name].minimum
        if minimum is None:
            gate = self.gates[name]
            if isinstance(gate, CommandGate) and gate.reads in ("exit", "junit"):
                return 100  # else a failing program or test would pass with few points
            return MINIMUM.get(name, {}).get(generation, 0)
        if isinstance(minimum, Mapping):
            known = [minimum[g] for g in sorted(minimum) if g <= generation]
            return known[-1] if known else 0
        return minimum


def find(start: Path, stop: Path) -> Path | None:
    """The nearest gates.yaml in the folder `start`, else upward to `stop`, which is the last.

    Raises ConfigError for one that is a symlink out of `stop`.
    """
    start, stop = start.absolute(), stop.absolute()
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).exists():
            if not (folder / FILE_NAME).resolve().is_relative_to(stop.resolve()):
                raise ConfigError(
                    msg("{path} is a symlink out of the repository", path=str(folder / FILE_NAME)),
                    hint=msg("copy the file, or name it with --config"),
                )
            return folder / FILE_NAME
        if folder == stop:
            break
    return None


def load(file: Path | None, root: Path, environ: Mapping[str, str] = os.environ) -> GateConfig:
    """The configuration in `file`, or the defaults for `root` without one.

    Raises ConfigError with every mistake in the file.
    """
    if file is None:
        return defaults(root)
    from sdlc_cli.core import config  # loads PyYAML: most of a start where there is no file

    hint = msg("'sdlc schema gates' describes every key of the file")
    written = config.load(file, GatesFile, environ, hint=hint)
    gates = _default_gates() if written.gates is UNSET else written.gates
    return GateConfig(
        file=file,
        root=file.absolute().parent,
        paths=written.paths,
        exclude=written.exclude,
        generation=written.generation,
        generations=_generations(written.generations),
        required=_required(written.required, gates),
        gates=gates,
        suppressions=written.suppressions,
        tune=None if written.tune is UNSET else written.tune,
    )


def defaults(root: Path) -> GateConfig:
    """What holds where there is no gates.yaml: gates that run nothing of the repository."""
    gates = _default_gates()
    return GateConfig(
        file=None,
        root=root,
        paths=(".",),
        exclude=(),
        generation=1,
        generations=GENERATIONS,
        required=_required({}, gates),
        gates=gates,
    )


def _default_gates() -> Mapping[str, Gate]:
    return {name: BUILT_IN[name]() for name in DEFAULT_GATES}


def _generations(
    changes: Mapping[GenerationNumber, GenerationChange],
) -> Mapping[int, GenerationRule]:
    rules = dict(GENERATIONS)
    for number, change in changes.items():
        old = rules[number]
        rules[number] = GenerationRule(
            name=change.name or old.name,
            score=old.score if change.score is None else change.score,
        )
    return rules


def _required(
    written: Mapping[GenerationNumber, tuple[str, ...]], gates: Mapping[str, Gate]
) -> Mapping[int, frozenset[str]]:
    """What each generation asks for, with all that the ones before it ask for."""
    own: dict[int, tuple[str, ...]] = dict(REQUIRED)
    if "integration" in gates:
        own[1] = (*own[1], "integration")
    own.update((number, names) for number, names in written.items())
    return {
        number: frozenset(name for n in own if n <= number for name in own[n])
        for number in GENERATIONS
    }
