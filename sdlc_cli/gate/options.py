"""What may be written for each gate in gates.yaml, and what must fit together."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from sdlc_cli.core.config import Key
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.units import Bytes, Command, Seconds

Score = Annotated[float, Meta(ge=0, le=100)]
Timeout = Annotated[Seconds, Meta(gt=0, le=7 * 86400)]  # poll(2) counts milliseconds in an int
Mistakes = Iterator[tuple[Key, Message]]
SeverityName = Literal["low", "medium", "high", "critical"]
Text = Annotated[str, Meta(min_length=1)]
Environment = dict[Annotated[str, Meta(pattern="^[^=]+$", examples=["DATABASE_URL"])], str]

_CALLABLE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


class Gate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every gate has. `minimum` is one score for all generations or one for each."""

    weight: Annotated[float, Meta(ge=0, le=1000)] = 1
    minimum: Score | Annotated[dict[Literal[1, 2, 3], Score], Meta(min_length=1)] | None = None
    fail_on: SeverityName = "critical"


class Syntax(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`versions`: Python versions to judge by, as `3.12`; else those the project declares."""

    versions: tuple[Annotated[str, Meta(pattern=r"^3\.[0-9]+$", examples=["3.12"])], ...] = ()


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
    timeout: Timeout = 30
    environment: Environment = {}

    def mistakes(self) -> Mistakes:
        """Without a port or an address nobody can tell when it is ready."""
        if self.port is None and not self.url:
            yield (), msg("needs port or url, to know when it is ready")
        if self.url and not self.url.startswith(("http://", "https://")):
            yield ("url",), msg("must start with http:// or https://")


class Integration(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Runs the test command in the project's own environment.

    `python`: `auto` (active virtual environment, `.venv`, uv), `active`, `.venv`, `uv`, or the
    path of an environment or interpreter. `junit`: the report the command writes; pytest is
    asked for one by itself. `environment`: extra environment variables.
    """

    command: Command = ()
    python: Text = "auto"
    junit: str = ""
    timeout: Timeout = 1800
    environment: Environment = {}
    services: tuple[Service, ...] = ()

    def mistakes(self) -> Mistakes:
        """A service's name names its log, so it is used once."""
        yield from _twice("services", [service.name for service in self.services])


class Budget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits for one iteration: wall `time`, peak `memory`, Python `objects` kept afterwards."""

    time: Seconds | None = None
    memory: Bytes | None = None
    objects: Annotated[float, Meta(ge=0)] | None = None

    def mistakes(self) -> Mistakes:
        """Without a limit nothing could fail."""
        if self.time is None and self.memory is None and self.objects is None:
            yield (), msg("needs a limit: time, memory or objects")


class Benchmark(Budget, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `command`, or a Python `callable` as `package.module:function` (needed for `objects`).

    `iterations` are measured after `warmup` that are not; a command's iteration is one run.
    """

    name: Text
    command: Command = ()
    callable: str = ""
    iterations: Annotated[int, Meta(ge=1, le=100_000)] = 5
    warmup: Annotated[int, Meta(ge=0, le=100_000)] = 1
    timeout: Timeout = 300

    def mistakes(self) -> Mistakes:
        """One thing to measure, at least one limit, and what that limit needs."""
        yield from Budget.mistakes(self)
        if bool(self.command) == bool(self.callable):
            yield (), msg("needs either command or callable, and not both")
        elif self.objects is not None and not self.callable:
            yield ("objects",), msg("needs callable: objects of a command cannot be counted")
        if self.callable and not _CALLABLE.fullmatch(self.callable):
            yield ("callable",), msg("must look like 'package.module:function'")


class Performance(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`benchmarks` are run; `report` is a pytest-benchmark JSON, whose tests `budgets` limits.

    `budgets` maps a glob over benchmark names to its limits; `python` is as for integration.
    """

    benchmarks: tuple[Benchmark, ...] = ()
    report: str = ""
    budgets: dict[str, Budget] = {}
    python: Text = "auto"

    def mistakes(self) -> Mistakes:
        """A report without budgets, or budgets without a report, would judge nothing."""
        yield from _twice("benchmarks", [benchmark.name for benchmark in self.benchmarks])
        if self.report and not self.budgets:
            yield ("report",), msg("needs budgets: without them nothing in it is judged")
        if self.budgets and not self.report:
            yield ("budgets",), msg("needs report: the file whose tests they limit")
        if not self.benchmarks and not self.report and not self.budgets:
            yield (), msg("needs benchmarks, or report and budgets: there is nothing to measure")


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
    exit_codes: tuple[Annotated[int, Meta(ge=0, le=255)], ...] = (0, 1)
    python: Text = "auto"
    timeout: Timeout = 600
    environment: Environment = {}

    def mistakes(self) -> Mistakes:
        """A number needs its place and two different ends."""
        if self.reads == "json" and not self.key:
            yield (), msg("needs key: the path of the number in the JSON, as 'totals.score'")
        if self.reads != "json" and self.key:
            yield ("key",), msg("needs 'reads: json'")
        if self.best == self.worst:
            at = "best" if self.best != 100 else "worst"
            yield (at,), msg("best and worst must differ, both are {value:g}", value=self.best)


BUILT_IN: Mapping[str, type[Gate]] = {
    "syntax": Syntax,
    "security": Security,
    "secrets": Secrets,
    "maintainability": Maintainability,
    "coverage": Coverage,
    "integration": Integration,
    "performance": Performance,
    "dependencies": Dependencies,
    "docs": Docs,
}


def _twice(field: str, names: Iterable[str]) -> Mistakes:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            yield (field, i, "name"), msg("'{name}' is used twice", name=name)
        seen.add(name)
