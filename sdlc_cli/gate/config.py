"""gates.yaml -> GateConfig: which gates, how heavy, how strict."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from sdlc_cli.core.units import Bytes, Command, Seconds

FILE_NAME = "gates.yaml"

Score = Annotated[float, Meta(ge=0, le=100)]
SeverityName = Literal["low", "medium", "high", "critical"]
Text = Annotated[str, Meta(min_length=1)]


class Gate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every gate has. `minimum` is one score for all generations or one for each."""

    weight: Annotated[float, Meta(ge=0, le=1000)] = 1
    minimum: Score | dict[Literal[1, 2, 3], Score] | None = None
    fail_on: SeverityName = "critical"


class Syntax(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`versions`: Python versions to judge by, as `3.12`; else those the project declares."""

    versions: tuple[Annotated[str, Meta(pattern=r"^3\.[0-9]+$")], ...] = ()


class Security(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`config`: a bandit configuration (YAML, TOML or INI); else the one bandit users keep.

    `skip_test_asserts` leaves out B101 (assert) in test files, where asserting is the point.
    """

    config: str = ""
    skip_test_asserts: bool = True


class AllowedSecret(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A match that is no secret. `path` is a glob; `rule` and `fingerprint` narrow it."""

    path: Text
    reason: Text
    rule: str = ""
    fingerprint: str = ""


class Secrets(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`allow`: what looks like a secret and is none, each with its reason."""

    allow: tuple[AllowedSecret, ...] = ()


class Maintainability(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`max_complexity`: cyclomatic complexity (McCabe) above which a function is a finding."""

    max_complexity: Annotated[int, Meta(ge=1, le=1000)] = 10


class Coverage(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`report`: Cobertura XML, coverage.py JSON or LCOV; else the usual places are tried.

    `branches` counts branches beside lines, as coverage.py's total does.
    """

    report: str = ""
    branches: bool = False


class Service(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to start before the tests: ready when `port` accepts or `url` answers 2xx."""

    name: Text
    command: Command
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    url: str = ""
    timeout: Seconds = 30
    environment: dict[str, str] = {}


class Integration(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Runs the test command in the project's own environment.

    `python`: `auto` (active virtual environment, `.venv`, uv), `active`, `.venv`, `uv`, or the
    path of an environment or interpreter. `junit`: the report the command writes; pytest is
    asked for one by itself. `environment`: extra environment variables.
    """

    command: Command = ()
    python: Text = "auto"
    junit: str = ""
    timeout: Seconds = 1800
    environment: dict[str, str] = {}
    services: tuple[Service, ...] = ()


class Budget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits for one iteration: wall `time`, peak `memory`, Python `objects` kept afterwards."""

    time: Seconds | None = None
    memory: Bytes | None = None
    objects: Annotated[float, Meta(ge=0)] | None = None


class Benchmark(Budget, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `command`, or a Python `callable` as `package.module:function` (needed for `objects`).

    `iterations` are measured after `warmup` that are not; a command's iteration is one run.
    """

    name: Text
    command: Command = ()
    callable: str = ""
    iterations: Annotated[int, Meta(ge=1, le=100_000)] = 5
    warmup: Annotated[int, Meta(ge=0, le=100_000)] = 1
    timeout: Seconds = 300


class Performance(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`benchmarks` are run; `report` is a pytest-benchmark JSON, whose tests `budgets` limits.

    `budgets` maps a glob over benchmark names to its limits; `python` is as for integration.
    """

    benchmarks: tuple[Benchmark, ...] = ()
    report: str = ""
    budgets: dict[str, Budget] = {}
    python: Text = "auto"


class Dependencies(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`report`: JSON of pip-audit or an OSV export. Older than `max_age` is a finding."""

    report: Text = "pip-audit.json"
    max_age: Seconds = 7 * 86400


class Docs(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Public docstrings, and links to local files in Markdown and reStructuredText."""

    docstrings: bool = True
    links: bool = True


class CommandGate(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Any program, under any name. `reads` says what tells the result.

    `report` is the file the program writes (else its standard output). For `json`, `key` is the
    path of a number (`totals.score`), read as a score from `worst` (0 points) to `best` (100).
    With `exit`, 0 is 100 points and anything else none; otherwise a code not in `exit_codes`
    is an error of the gate, not a finding.
    """

    kind: Literal["command"]
    command: Command
    reads: Literal["sarif", "junit", "json", "exit"] = "exit"
    report: str = ""
    key: str = ""
    best: float = 100
    worst: float = 0
    exit_codes: tuple[int, ...] = (0, 1)
    python: Text = "auto"
    timeout: Seconds = 600
    environment: dict[str, str] = {}


class Gates(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The gates that are built in. Any other name needs `kind: command`."""

    syntax: Syntax | None = None
    security: Security | None = None
    secrets: Secrets | None = None
    maintainability: Maintainability | None = None
    coverage: Coverage | None = None
    integration: Integration | None = None
    performance: Performance | None = None
    dependencies: Dependencies | None = None
    docs: Docs | None = None


class GenerationRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A generation's name and the score it asks for."""

    name: Text
    score: Score


class GatesFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """gates.yaml as it is written."""

    version: Literal[1]
    paths: tuple[Text, ...] = (".",)
    exclude: tuple[Text, ...] = ()
    generation: Literal[1, 2, 3] = 1
    generations: dict[Literal[1, 2, 3], GenerationRule] = {}
    required: dict[Literal[1, 2, 3], tuple[Text, ...]] = {}
    gates: Gates = Gates()


GENERATIONS: Mapping[int, GenerationRule] = {
    1: GenerationRule(name="make it work", score=70),
    2: GenerationRule(name="make it robust", score=80),
    3: GenerationRule(name="make it scale", score=90),
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
