"""What is installed, what is missing, and what each would give. Knows nothing of Typer."""

import locale
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib import import_module, metadata
from pathlib import Path

from sdlc_cli import __version__
from sdlc_cli.core import i18n
from sdlc_cli.core.columns import columns, wrap
from sdlc_cli.core.i18n import _, local, msg

SCHEMA_VERSION = 1
_OLDEST, _NEWEST = 11, 20  # minor versions of Python 3 to look for
_PATIENCE = 10  # seconds that a program may take to tell its version


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A package, or a program. `version` is empty where it is missing; `extra` where it is core."""

    name: str
    version: str
    gives: str
    extra: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python that can judge syntax."""

    version: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """All that `sdlc doctor` tells."""

    version: str
    python: str
    executable: str
    platform: str
    packages: tuple[Part, ...]
    interpreters: tuple[Interpreter, ...]
    programs: tuple[Part, ...]
    compiled: tuple[Part, ...] = ()
    cache: str
    cache_writable: bool
    language: str
    encoding: str

    @property
    def problems(self) -> tuple[Part, ...]:
        """The packages that every command needs and that do not work."""
        return tuple(part for part in self.packages if not part.extra and part.problem)

    @property
    def exit_code(self) -> int:
        """3 when a core package is missing or broken."""
        return 3 if self.problems else 0


def packages() -> tuple[tuple[str, str, str, str], ...]:
    """Every dependency: (distribution, module, extra or nothing, what it gives)."""
    core = msg("every command")
    return (
        ("typer", "typer", "", core),
        ("rich", "rich", "", core),
        ("pyyaml", "yaml", "", core),
        ("msgspec", "msgspec", "", core),
        ("numpy", "numpy", "", msg("numbers of costs and plans")),
        ("jinja2", "jinja2", "", msg("HTML reports and rendered files")),
        ("duckdb", "duckdb", "", msg("reading and totalling usage logs")),
        *_before_3_14(),
        ("bandit", "bandit", "", msg("the security gate")),
        ("radon", "radon", "", msg("the maintainability gate")),
        ("numba", "numba", "plan", msg("faster plans")),
        ("ortools", "ortools", "exact", msg("proofs that a plan is the best")),
        ("altair", "altair", "charts", msg("bars of HTML cost reports by model or project")),
        ("vl-convert-python", "vl_convert", "charts", msg("drawing these bars without a browser")),
        ("uvicorn", "uvicorn", "serve", msg("the server")),
        ("httptools", "httptools", "serve", msg("the server")),
        ("opentelemetry-proto", "opentelemetry.proto", "serve", msg("traces sent to the server")),
        ("psycopg", "psycopg", "postgres", msg("usage kept in PostgreSQL")),
        ("sqlglot", "sqlglot", "postgres", msg("the cost query in PostgreSQL's words")),
        ("sqlglot", "sqlglot", "clickhouse", msg("the cost query in ClickHouse's words")),
        ("genai-prices", "genai_prices", "prices", msg("fresh prices of models")),
    )


def _before_3_14() -> tuple[tuple[str, str, str, str], ...]:
    """What later versions of Python have themselves."""
    zstd = ("backports.zstd", "backports.zstd", "", msg("usage logs packed with zstd"))
    return (zstd,) if sys.version_info < (3, 14) else ()


def programs() -> tuple[tuple[str, str], ...]:
    """Programs that are used where they are found: (name, what it gives)."""
    return (
        ("git", msg("ignored files, changed lines, and the drill's scratch copy")),
        ("uv", msg("test commands in the environment of a uv project")),
    )


def examine() -> Examination:
    """Look at this machine. Takes a second or two: every core package is really imported."""
    cache = _cache_dir()
    return Examination(
        version=__version__,
        python=platform.python_version(),
        executable=sys.executable or "",
        platform=platform.platform(),
        packages=tuple(_package(*known) for known in packages()),
        interpreters=_interpreters(),
        programs=tuple(_program(*known) for known in programs()),
        compiled=(_log_reader(),),
        cache=str(cache or ""),
        cache_writable=_writable(cache),
        language=i18n.language(),
        encoding=getattr(sys.stdout, "encoding", None) or locale.getpreferredencoding(False),
    )


def as_json(found: Examination) -> str:
    """The examination for machines, in English."""
    import json

    whole: dict[str, object] = {"schema_version": SCHEMA_VERSION, "ok": found.exit_code == 0}
    return json.dumps(whole | asdict(found), indent=2)


def as_text(found: Examination, width: int) -> str:
    """The examination for people."""
    cache = "{path}" if found.cache_writable else _("{path} (cannot be written)")
    rows = [
        ("sdlc", found.version, ""),
        ("Python", found.python, found.executable),
        (_("Platform"), "", found.platform),
        (_("Cache"), "", cache.format(path=found.cache)),
        (_("Language"), found.language, found.encoding),
    ]
    core = [_row(part) for part in found.packages if not part.extra]
    extras = [_row(part) for part in found.packages if part.extra]
    tables = [
        ("", rows),
        (_("Packages that every installation has"), core),
        (_("Packages of the extras"), extras),
        (
            _("Interpreters for the syntax gate"),
            [("", i.version, i.path) for i in found.interpreters],
        ),
        (_("Programs"), [_row(part) for part in found.programs]),
        (_("Parts that an installation compiles"), [_made(part) for part in found.compiled]),
    ]
    lines = [line for title, table in tables for line in _table(title, table, width)]
    return "\n".join([*lines, *wrap(_verdict(found), width)])


def _verdict(found: Examination) -> str:
    if not found.problems:
        return _("All that every command needs is here.")
    names = ", ".join(part.name for part in found.problems)
    return _("Missing or broken: {names}. Install sdlc-cli again.").format(names=names)


def _row(part: Part) -> tuple[str, str, str]:
    gives = local(part.gives)
    if part.version and not part.problem:
        return part.name, part.version, gives
    if part.problem and part.version:
        return part.name, _("broken"), f"{gives} ({part.problem})"
    if part.extra:
        how = _("would give: {gives}; install sdlc-cli[{extra}]")
        return part.name, "-", how.format(gives=gives, extra=part.extra)
    return part.name, "-", _("would give: {gives}").format(gives=gives)


def _made(part: Part) -> tuple[str, str, str]:
    gives = local(part.gives)
    if not part.problem:
        return part.name, _("compiled"), gives
    less = _(
        "{gives}: DuckDB does it instead, to the same figures in about twice the time; "
        "where there is a C compiler, install sdlc-cli again"
    ).format(gives=gives)
    return part.name, "-", f"{less} ({part.problem})"


def _table(title: str, rows: list[tuple[str, str, str]], width: int) -> list[str]:
    lines = wrap(title, width) if title else []
    if not rows:
        return [*lines, "  -", ""]
    first = max(columns(row[0]) for row in rows)
    second = max(columns(row[1]) for row in rows)
    indent = "  " if title else ""
    start = len(indent) + (first + 2 if first else 0) + (second + 2 if second else 0)
    for name, version, text in rows:
        head = (
            indent
            + (_pad(name, first) if first else "")
            + (_pad(version, second) if second else "")
        )
        if width - start < 24:  # too narrow for three columns: the text goes below
            head = head.rstrip()
            both = columns(head) <= width
            lines += [head] if both else [indent + name, indent * 2 + version]
            lines += ["    " + line for line in wrap(text, width - 4) if text]
            continue
        body = wrap(text, width - start)
        lines.append((head + body[0]).rstrip())
        lines += [" " * start + line for line in body[1:]]
    return [*lines, ""]


def _pad(text: str, width: int) -> str:
    return text + " " * (width + 2 - columns(text))


def _package(name: str, module: str, extra: str, gives: str) -> Part:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        version = ""
    problem = "" if extra else _import_problem(module)
    if not version and not problem:
        problem = "" if extra else "no metadata"
    if extra and not version:
        problem = "not installed"
    return Part(name=name, version=version, gives=gives, extra=extra, problem=problem)


def _import_problem(module: str) -> str:
    """Why the module cannot be imported; nothing when it can."""
    try:
        import_module(module)
    except Exception as error:  # noqa: BLE001 - a broken package may raise anything
        return f"{type(error).__name__}: {error}"
    return ""


def _interpreters() -> tuple[Interpreter, ...]:
    """One interpreter for each version from 3.11 on: ours, those on PATH, pyenv's and uv's."""
    found: dict[int, Interpreter] = {}
    for minor in range(_OLDEST, _NEWEST + 1):
        for path in (_which(f"python3.{minor}"), _managed(minor)):
            version = _version_of(path) if path else ""  # a shim of pyenv may lead nowhere
            if version and minor not in found:
                found[minor] = Interpreter(version=version, path=path)
    if sys.executable:
        own = Interpreter(version=platform.python_version(), path=sys.executable)
        found[sys.version_info.minor] = own
    return tuple(found[minor] for minor in sorted(found))


def _managed(minor: int) -> str:
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python")
    places = [*pyenv.glob(f"3.{minor}.*/bin/python"), *uv.glob(f"cpython-3.{minor}.*/bin/python3")]
    return str(max(places)) if places else ""


def _program(name: str, gives: str) -> Part:
    path = _which(name)
    version = _version_of(path) if path else ""
    return Part(
        name=name,
        version=version,
        gives=gives,
        problem="" if version else "not found" if not path else "tells no version",
    )


def _log_reader() -> Part:
    """The reader of large logs in C, without which they are read more slowly."""
    gives = msg("large usage logs, read fast")
    try:
        from sdlc_cli.cost.engine import scan
        from sdlc_cli.cost.engine.native.build import library
    except ImportError as error:  # of DuckDB, which the packages tell of
        return Part(name="log reader", version="", gives=gives, problem=str(error))
    if scan.built():
        return Part(name="log reader", version="compiled", gives=gives)
    problem = "cannot be loaded" if library().exists() else "not compiled"
    return Part(name="log reader", version="", gives=gives, problem=problem)


def _which(name: str) -> str:
    """The program on PATH, never one of the repository that the user stands in."""
    from sdlc_cli.core.files import repository_root
    from sdlc_cli.core.git import trusted_path

    return shutil.which(name, path=trusted_path(repository_root(Path.cwd()))) or ""


def _version_of(path: str) -> str:
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.search(rb"\d+(?:\.\d+)+[a-z0-9+]*", done.stdout + done.stderr)
    return match[0].decode() if match and done.returncode == 0 else ""


def _cache_dir() -> Path | None:
    from sdlc_cli.core.files import cache_dir

    return cache_dir()


def _writable(folder: Path | None) -> bool:
    import tempfile

    if folder is None:
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
