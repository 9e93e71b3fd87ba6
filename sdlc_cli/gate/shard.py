"""Shares one run among machines: `--shard 2/4` does a part, `sdlc gate merge` joins the parts.

Each file is inspected in one shard, each gate that looks at the project as a whole runs in one.
What comes of it travels raw, before any score: joined, it is what a single run would have measured,
so the verdict is the same too.
"""

import hashlib
import json
import os
import platform
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import TimeoutExpired

import msgspec

from sdlc_cli import __version__
from sdlc_cli.core import git
from sdlc_cli.core.errors import ConfigError, UsageError
from sdlc_cli.core.files import read_regular
from sdlc_cli.core.finding import Finding
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.schema import Schema
from sdlc_cli.gate import carried
from sdlc_cli.gate.filepass import Inspected, Seen
from sdlc_cli.gate.model import Measurement, Outcome, SkippedFile
from sdlc_cli.gate.score import Measured
from sdlc_cli.gate.source import KINDS, MAX_BYTES, Project

SCHEMA_VERSION = 1
MOST = 1000  # shards
PYTHON_WEIGHT = 10  # a byte of Python costs that much more than a byte of anything else
FILE_WEIGHT = 2000  # what any file costs by itself, in weighted bytes
LARGEST_REPORT = 1_000_000_000  # bytes
# Run in one shard together, in this order: the second reads what the first one wrote.
TOGETHER = (("integration", "coverage"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Part `index` of `count`, from 1."""

    index: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What all shards of one run must agree on, and the machine that merges them too.

    `commit` is empty without git. `files` and `config` are SHA-256 digests: of the names and
    sizes of the judged files, of gates.yaml as it is written. `scope` is the judged folder,
    relative to the root; `selection` what else the user asked for.
    """

    sdlc: str
    python: str
    tools: Mapping[str, str]
    commit: str
    files: str
    config: str
    scope: str
    selection: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardReport:
    """What one shard saw: its files, and the gates of the whole project that ran in it."""

    shard: Shard
    origin: Origin
    inspected: tuple[Inspected, ...]
    measured: Mapping[str, Measured]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What a single run would have measured: all files sorted by path, gates by name."""

    inspected: tuple[Inspected, ...]
    measured: Mapping[str, Measured]


def parse(text: str) -> Shard:
    """`"2/4"` as the second of four. Raises UsageError."""
    match = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
    index, count = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= index <= count <= MOST:
        raise UsageError(
            msg("--shard takes K/N, as 2/4 for the second of four, not '{text}'", text=text),
            hint="sdlc gate run --shard 1/4",
        )
    return Shard(index=index, count=count)


def split_files(project: Project, shard: Shard) -> tuple[str, ...]:
    """The shard's own files, sorted: each file of the project is in exactly one shard.

    Files stand in the order of a hash of their path and are cut into runs of equal weight, so
    most files stay in their shard when others change, and caches of shards stay useful.
    """
    weights = {path: _weight(project, path) for path in project.files}
    total = sum(weights.values())
    mine: list[str] = []
    before = 0
    for path in sorted(weights, key=_spread):
        middle = 2 * before + weights[path]
        before += weights[path]
        if middle * shard.count // (2 * total) == shard.index - 1:
            mine.append(path)
    return tuple(sorted(mine))


def _weight(project: Project, path: str) -> int:
    size = 0
    with suppress(OSError):  # it vanished; reading it will say so
        size = os.lstat(project.root / path).st_size
    kind = KINDS.get(Path(path).suffix.lower())
    return FILE_WEIGHT + size * (PYTHON_WEIGHT if kind == "python" else 1)


def _spread(path: str) -> bytes:
    return hashlib.sha256(os.fsencode(path)).digest()


def split_gates(names: Iterable[str], shard: Shard) -> tuple[str, ...]:
    """Which of the project gates `names` run in this shard: each runs in exactly one."""
    names = tuple(names)
    leader = {
        name: next(one for one in group if one in names)
        for group in TOGETHER
        for name in group
        if name in names
    }
    groups = list(dict.fromkeys(leader.get(name, name) for name in names))
    mine = {group for at, group in enumerate(groups) if at % shard.count == shard.index - 1}
    return tuple(name for name in names if leader.get(name, name) in mine)


def origin(
    project: Project, config_file: Path | None, scope: Path, selection: Mapping[str, object]
) -> Origin:
    """Where this run comes from. `selection` holds the user's wishes except `jobs`."""
    digest = hashlib.sha256()
    for path in project.files:
        size = -1
        with suppress(OSError):
            size = os.lstat(project.root / path).st_size
        digest.update(os.fsencode(path) + b"\0%d\0" % size)
    wishes = carried.plain(selection)
    assert isinstance(wishes, dict)
    scope, root = (Path(os.path.realpath(path)) for path in (scope, project.root))
    return Origin(
        sdlc=__version__,
        python=platform.python_version(),
        tools=_tools(),
        commit=_commit(project.root),
        files=digest.hexdigest(),
        config=_digest(config_file) if config_file else "",
        scope=scope.relative_to(root).as_posix(),
        selection=wishes,
    )


def _digest(file: Path) -> str:
    try:
        data = read_regular(os.path.realpath(file), MAX_BYTES) or b""
    except OSError:
        data = b""  # it vanished since it was read
    return hashlib.sha256(data).hexdigest()


def _tools() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("bandit", "radon")}


def _commit(root: Path) -> str:
    if not os.path.lexists(root / ".git"):
        return ""
    try:
        done = git.ask(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except (OSError, TimeoutExpired):
        return ""
    return done.stdout.decode("ascii", "replace").strip() if not done.returncode else ""


def join(reports: Sequence[ShardReport], here: Origin) -> Joined:
    """All shards as one run. `here` is the origin of the checkout that merges them.

    Raises UsageError when a shard is missing or there twice, or was made from something else.
    """
    _check_complete(reports)
    for report in reports:
        _check_same(report, here)
    inspected = sorted((one for r in reports for one in r.inspected), key=lambda one: one.path)
    doubled = [path for path, n in Counter(one.path for one in inspected).items() if n > 1]
    if doubled:
        raise _bad(msg("{path} was judged in two shards", path=doubled[0]))
    return Joined(
        inspected=tuple(inspected),
        measured={name: one for report in reports for name, one in report.measured.items()},
    )


def _check_complete(reports: Sequence[ShardReport]) -> None:
    if not reports:
        raise UsageError(msg("no shard report was given"), hint="sdlc gate merge shard-*.json")
    count = reports[0].shard.count
    given = Counter(report.shard.index for report in reports)
    if any(report.shard.count != count for report in reports):
        counts = sorted({report.shard.count for report in reports})
        names = ", ".join(map(str, counts))
        raise _bad(msg("the reports are of runs in different numbers of shards: {n}", n=names))
    if twice := sorted(index for index, times in given.items() if times > 1):
        names = ", ".join(f"{index}/{count}" for index in twice)
        raise _bad(msg("more than one report of shard {names}", names=names))
    if missing := [index for index in range(1, count + 1) if index not in given]:
        names = ", ".join(f"{index}/{count}" for index in missing)
        raise _bad(msg("no report of shard {names}", names=names))


_DIFFERENT: Mapping[str, Message] = {
    "sdlc": msg("another version of sdlc"),
    "python": msg("another version of Python"),
    "tools": msg("other versions of bandit or radon"),
    "commit": msg("another commit"),
    "files": msg("other files"),
    "config": msg("another gates.yaml"),
    "scope": msg("another folder"),
    "selection": msg("other options"),
}


def _check_same(report: ShardReport, here: Origin) -> None:
    for name, what in _DIFFERENT.items():
        if getattr(report.origin, name) != getattr(here, name):
            shard = f"{report.shard.index}/{report.shard.count}"
            raise _bad(
                msg("shard {shard} was judged with {what} than are here", shard=shard, what=what)
            )


def _bad(message: Message) -> UsageError:
    return UsageError(
        message,
        hint=msg(
            "merge all shards of one run, in a checkout of its commit, with the same versions"
        ),
    )


class SeenForm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one gate saw in a file, as JSON has it. `seconds` is the time it took."""

    gate: str
    findings: tuple[Finding, ...] = ()
    numbers: dict[str, int | float] = {}
    skipped: str = ""
    seconds: float = 0
    crash: str = ""


class FileForm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file as JSON has it; `skipped` is the reason why it was not read."""

    path: str
    lines: int = 0
    seen: tuple[SeenForm, ...] = ()
    skipped: str = ""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """The key `shard` of a shard's JSON report."""

    schema_version: int
    index: int
    count: int
    origin: Origin
    files: tuple[FileForm, ...]
    gates: dict[str, Measured]


def as_json(report: ShardReport) -> dict[str, object]:
    """What stands under the key `shard` of the JSON result."""
    form = Form(
        schema_version=SCHEMA_VERSION,
        index=report.shard.index,
        count=report.shard.count,
        origin=report.origin,
        files=tuple(_file_form(one) for one in report.inspected),
        gates=dict(report.measured),
    )
    plain = carried.plain(form)
    assert isinstance(plain, dict)
    return plain


def _file_form(file: Inspected) -> FileForm:
    return FileForm(
        path=file.path,
        lines=file.lines,
        skipped=file.skipped.reason if file.skipped else "",
        seen=tuple(
            SeenForm(
                gate=one.gate,
                findings=one.outcome.findings,
                # bool is an int, and JSON would tell them apart
                numbers={key: +number for key, number in one.outcome.numbers.items()},
                skipped=one.outcome.skipped,
                seconds=round(one.seconds, 6),
                crash=one.crash,
            )
            for one in file.seen
        ),
    )


def schema() -> Schema:
    """The JSON Schema of the key `shard`."""
    made: Schema = msgspec.json.schema(Form, schema_hook=lambda kind: {"description": "any value"})
    for definition in made["$defs"].values():
        for name in _SENTENCES & set(definition.get("properties", ())):
            definition["properties"][name] = {"anyOf": [{"type": "string"}, carried.SENTENCE]}
    return made


# Keys whose text is a sentence for people, in whatever object they stand.
_SENTENCES = {"message", "help", "reason", "skipped", "failure"}


def read(path: Path) -> ShardReport:
    """The shard in the JSON report at `path`. Raises ConfigError for any other file."""
    name = path.name
    try:
        data = read_regular(os.path.realpath(path), LARGEST_REPORT + 1)
        if data is None:
            raise ConfigError(msg("{file} is no regular file", file=name))
        if len(data) > LARGEST_REPORT:
            raise ConfigError(msg("{file} is too large for a report", file=name))
        found: object = json.loads(data)
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(msg("{file} cannot be read: {why}", file=name, why=why)) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(msg("{file} is no JSON: {why}", file=name, why=str(error))) from error
    if not isinstance(found, dict) or "shard" not in found:
        raise ConfigError(
            msg("{file} is no report of a shard", file=name),
            hint=f"sdlc gate run --shard 1/4 --report json={name}",
        )
    return _from_form(found["shard"], name)


def _from_form(value: object, name: str) -> ShardReport:
    version = value.get("schema_version") if isinstance(value, dict) else None
    if version != SCHEMA_VERSION:
        raise ConfigError(
            msg("{file} was written by another version of sdlc", file=name),
            hint=msg("run all shards and the merge with one version"),
        )
    try:
        form = msgspec.convert(carried.thawed(value), Form)
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        raise ConfigError(
            msg("{file} is no report of a shard: {why}", file=name, why=str(error))
        ) from error
    return ShardReport(
        shard=Shard(index=form.index, count=form.count),
        origin=form.origin,
        inspected=tuple(_inspected(one) for one in form.files),
        measured=form.gates,
    )


def _inspected(form: FileForm) -> Inspected:
    return Inspected(
        path=form.path,
        lines=form.lines,
        skipped=SkippedFile(path=form.path, reason=form.skipped) if form.skipped else None,
        seen=tuple(
            Seen(
                gate=one.gate,
                outcome=Outcome(findings=one.findings, numbers=one.numbers, skipped=one.skipped),
                seconds=one.seconds,
                crash=one.crash,
            )
            for one in form.seen
        ),
    )


def elsewhere(shard: Shard) -> Measurement:
    """The measurement of a project gate that another shard runs."""
    share = f"{shard.index}/{shard.count}"
    return Measurement(outcome="skipped", reason=msg("not in shard {shard}", shard=share))
