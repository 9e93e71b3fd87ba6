"""What may be written for each gate in gates.yaml, and what must fit together."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.sections import Key
from sdlc_cli.core.units import Bytes, Command, Seconds

Score = Annotated[float, Meta(ge=0, le=100)]
Timeout = Annotated[Seconds, Meta(gt=0, le=7 * 86400)]  # poll(2) counts milliseconds in an int
Mistakes = Iterator[tuple[Key, Message]]
SeverityName = Literal["low", "medium", "high", "critical"]
Text = Annotated[str, Meta(min_length=1)]
Environment = dict[Annotated[str, Meta(pattern="^[^=]+$", examples=["DATABASE_URL"])], str]

HeaderName = Annotated[str, Meta(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", examples=["Accept"])]
HeaderValue = Annotated[str, Meta(pattern=r"^[\t -~\u00a0-\u00ff]*$", examples=["text/html"])]
LOOPBACK = ("localhost", "127.0.0.1", "::1")
MOST_REQUESTS = 100_000  # of one phase of the gate load

By = Literal["cpu", "wall", "memory"]
Tolerance = Annotated[float, Meta(gt=0, le=10, examples=[0.03])]

_CALLABLE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


class Gate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every gate has. `minimum` is one score for all generations or one for each."""

    weight: Annotated[float, Meta(ge=0, le=1000)] = 1
    minimum: Score | Annotated[dict[Literal[1, 2, 3], Score], Meta(min_length=1)] | None = None
    fail_on: SeverityName = "critical"


class Suppressions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked of comments that silence a finding: `# nosec`, `sdlc: allow-secret`.

    `reason: required` makes one without a rule id (for nosec) or without a reason a finding;
    `unused: report` one that silences nothing.
    """

    reason: Literal["optional", "required"] = "optional"
    unused: Literal["ignore", "report"] = "ignore"


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
    """A `command`, a Python `callable` (`package.module:function`) or a pytest-benchmark `test`.

    `iterations` are measured after `warmup` that are not; a command's iteration is one run, and
    a test's are pytest-benchmark's own. `by` and `tolerance` are for comparing: what decides,
    and what share more of it is not yet slower.
    """

    name: Text
    command: Command = ()
    callable: str = ""
    test: str = ""
    iterations: Annotated[int, Meta(ge=1, le=100_000)] = 5
    warmup: Annotated[int, Meta(ge=0, le=100_000)] = 1
    timeout: Timeout = 300
    by: By = "cpu"
    tolerance: Tolerance | None = None

    @property
    def limited(self) -> bool:
        """Whether there is a budget to hold it against."""
        return not (self.time is None and self.memory is None and self.objects is None)

    def mistakes(self) -> Mistakes:
        """One thing to measure, and what its limits need."""
        ways = sum(map(bool, (self.command, self.callable, self.test)))
        if ways != 1:
            yield (), msg("needs one of command, callable and test")
        elif self.objects is not None and not self.callable:
            yield ("objects",), msg("needs callable: objects of a command cannot be counted")
        elif self.test and self.memory is not None:
            yield ("memory",), msg("needs command or callable: a test's memory is not measured")
        elif self.test and self.by == "wall":
            yield ("by",), msg("needs command or callable: a test is timed by its CPU time")
        if self.callable and not _CALLABLE.fullmatch(self.callable):
            yield ("callable",), msg("must look like 'package.module:function'")
        if self.test and "::" not in self.test:
            yield ("test",), msg("must be a test's id, as 'tests/test_x.py::test_speed'")


class Performance(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`benchmarks` are run; `report` is a pytest-benchmark JSON, whose tests `budgets` limits.

    `budgets` maps a glob over benchmark names to its limits; `python` is as for integration.
    `compare` names a revision (or `auto`): each benchmark is run by turns on the present state
    and on the merge base, up to `max_pairs` times within `budget_time`, and more than
    `tolerance` slower is a finding. `setup` is run in each state's own folder first, once for
    both while their lock files agree. `exact` counts instructions, where valgrind is installed.
    """

    benchmarks: tuple[Benchmark, ...] = ()
    report: str = ""
    budgets: dict[str, Budget] = {}
    python: Text = "auto"
    compare: str = ""
    setup: Command = ()
    budget_time: Timeout = 120
    max_pairs: Annotated[int, Meta(ge=8, le=1000)] = 80
    tolerance: Tolerance = 0.03
    exact: bool = False

    def mistakes(self) -> Mistakes:
        """What would judge nothing: a benchmark without a limit, a report without budgets."""
        yield from _twice("benchmarks", [benchmark.name for benchmark in self.benchmarks])
        for i, benchmark in enumerate(self.benchmarks):
            if not benchmark.limited and not self.compare:
                yield ("benchmarks", i), msg("needs a limit: time, memory or objects")
        if self.compare and not self.benchmarks:
            yield ("compare",), msg("needs benchmarks: there is nothing to compare")
        if self.exact and not self.compare:
            yield ("exact",), msg("needs compare: budgets are not of instructions")
        if self.report and not self.budgets:
            yield ("report",), msg("needs budgets: without them nothing in it is judged")
        if self.budgets and not self.report:
            yield ("budgets",), msg("needs report: the file whose tests they limit")
        if not self.benchmarks and not self.report and not self.budgets:
            yield (), msg("needs benchmarks, or report and budgets: there is nothing to measure")


class LoadRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of request; `weight` is how often it comes beside the others.

    `status` lists the answers that are right; without it, any 2xx is.
    """

    path: Annotated[str, Meta(pattern=r"^/[!-~]*$", examples=["/"])] = "/"
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    headers: dict[HeaderName, HeaderValue] = {}
    body: str = ""
    status: tuple[Annotated[int, Meta(ge=200, le=599)], ...] = ()
    weight: Annotated[float, Meta(gt=0, le=1000)] = 1


class LoadLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Latencies from the moment a request is due; `errors` in percent of all requests.

    `throughput` is good answers a second at the constant rate, at least.
    """

    p50: Timeout | None = None
    p95: Timeout | None = 0.25
    p99: Timeout | None = None
    errors: Annotated[float, Meta(ge=0, le=100)] = 0.5
    throughput: Annotated[float, Meta(gt=0, le=1000)] | None = None


class Disturbance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Midway the service is killed, paused for `duration`, or answers later by `delay` so long.

    `recovery` is how long it may take until answers are good again.
    """

    kind: Literal["kill", "pause", "delay"]
    recovery: Annotated[Seconds, Meta(gt=0, le=120)] = 10
    duration: Annotated[Seconds, Meta(gt=0, le=60)] = 2
    delay: Annotated[Seconds, Meta(gt=0, le=10)] = 1


class Load(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Starts `command`, ready when `ready` answers 2xx (else when the port accepts), drives `url`.

    `rate` requests a second for `duration`, then `rounds` of each of `bursts` at one moment.
    `timeout` is for one answer, `start` until the service is ready. A host that is not this
    machine is asked only when `allow_host` names it too.
    """

    command: Command = ()
    url: str = ""
    allow_host: str = ""
    ready: Annotated[str, Meta(pattern=r"^(/[!-~]*)?$", examples=["/health"])] = ""
    start: Timeout = 30
    python: Text = "auto"
    environment: Environment = {}
    requests: tuple[LoadRequest, ...] = (LoadRequest(),)
    rate: Annotated[float, Meta(gt=0, le=1000)] = 20
    duration: Annotated[Seconds, Meta(gt=0, le=600)] = 10
    warmup: Annotated[Seconds, Meta(ge=0, le=60)] = 1
    arrivals: Literal["constant", "poisson"] = "constant"
    seed: Annotated[int, Meta(ge=0, le=2**32)] = 0
    bursts: Annotated[tuple[Annotated[int, Meta(ge=1, le=500)], ...], Meta(max_length=10)] = (
        25,
        50,
    )
    rounds: Annotated[int, Meta(ge=1, le=100)] = 4
    timeout: Annotated[Seconds, Meta(gt=0, le=60)] = 10
    limits: LoadLimits = LoadLimits()
    disturb: Annotated[tuple[Disturbance, ...], Meta(max_length=10)] = ()

    def mistakes(self) -> Mistakes:
        """An address that may be driven, something to ask, and not more than is sensible."""
        yield from _address_mistakes(self.url, self.allow_host, started=bool(self.command))
        if not self.requests:
            yield ("requests",), msg("needs at least one request")
        if self.rate * self.duration > MOST_REQUESTS:
            most = f"{MOST_REQUESTS:,}"
            yield ("duration",), msg("rate times duration is more than {most} requests", most=most)
        if self.limits.throughput is not None and self.limits.throughput > self.rate:
            yield ("limits", "throughput"), msg("more than the rate can never be reached")
        for i, one in enumerate(self.disturb):
            if one.kind != "delay" and not self.command:
                yield ("disturb", i, "kind"), msg("needs command: only our own service is stopped")


def _address_mistakes(url: str, allowed: str, *, started: bool) -> Mistakes:
    if not url:
        yield ("url",), msg("missing, and needed here")
        return
    try:
        parts = urlsplit(url)
        host, bad = parts.hostname or "", parts.port == 0
    except ValueError:
        host, bad = "", True
    if bad or not host or parts.scheme not in ("http", "https") or parts.path.strip("/"):
        yield ("url",), msg("must be an address as http://127.0.0.1:8000, without a path")
    elif host in LOOPBACK:
        return
    elif host != allowed:
        yield (
            ("url",),
            msg(
                "{host} is not this machine: name it in allow_host too, if it is yours to load",
                host=host,
            ),
        )
    elif started:
        yield ("command",), msg("a service that is started here is asked on this machine")


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


class Deploy(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`sdlc deploy validate` on the folder `path`: manifests, Dockerfiles, workflows, Terraform."""

    fail_on: SeverityName = "medium"
    path: Text = "."
    timeout: Timeout = 600

    def as_command(self) -> CommandGate:
        """The gate of kind command that this is short for."""
        words = ("sdlc", "deploy", "validate", "--format", "sarif", "--fail-on", self.fail_on)
        return CommandGate(
            kind="command",
            command=(*words, "--", self.path),
            reads="sarif",
            timeout=self.timeout,
            fail_on=self.fail_on,
        )


class Budgets(Gate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`sdlc cost budget`: no budget of cost.yaml is broken, or with `forecast` will be.

    `config` is the cost.yaml, looked for upward without it; `paths` are the logs, without any
    those that cost.yaml names. Both are relative to gates.yaml.
    """

    config: str = ""
    paths: tuple[Text, ...] = ()
    forecast: bool = False
    fail_on: SeverityName = "high"
    timeout: Timeout = 600


BUILT_IN: Mapping[str, type[Gate]] = {
    "syntax": Syntax,
    "security": Security,
    "secrets": Secrets,
    "maintainability": Maintainability,
    "coverage": Coverage,
    "integration": Integration,
    "performance": Performance,
    "load": Load,
    "dependencies": Dependencies,
    "docs": Docs,
    "deploy": Deploy,
    "budget": Budgets,
}


def _twice(field: str, names: Iterable[str]) -> Mistakes:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            yield (field, i, "name"), msg("'{name}' is used twice", name=name)
        seen.add(name)
