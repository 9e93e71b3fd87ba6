"""What a repository tells of the service in it, without running anything of it."""

import json
import posixpath
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sdlc_cli.core.listing import listing
from sdlc_cli.core.regular import read_regular

_LIMIT = 1_000_000  # bytes of a file that is looked at
_MOST_FILES = 5_000
LOCKS = ("uv.lock", "poetry.lock", "requirements.lock", "requirements.txt")
_REQUIREMENTS = ("requirements.txt", "requirements.in", "requirements.lock")
_EXAMPLES = (".env.example", ".env.sample", ".env.template", "env.example", "example.env")
_NOT_SOURCE = {"tests", "test", "docs", "doc", "examples", "scripts", "benchmarks", "build", "dist"}
_NOT_RUN = {"setup.py", "conftest.py", "noxfile.py", "tasks.py"}
_MINORS = range(10, 15)  # Python versions that there are images of

_FROM = re.compile(r"^FROM\s+(?:--\S+\s+)*\S*\bpython:3\.([0-9]+)", re.I | re.M)
_EXPOSE = re.compile(r"^EXPOSE\s+(.+)$", re.I | re.M)
_LISTENS = re.compile(r"^--port[=\n]([0-9]{1,5})$|^(?:-b|--bind)[=\n]?[^\s/]*:([0-9]{1,5})$", re.M)
_COMMAND = re.compile(r"^(CMD|ENTRYPOINT)\s+(\[.*\])\s*$", re.I | re.M)
_REQUIRES = re.compile(r"(?:>=|~=|==|\^)\s*3\.([0-9]+)")
_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[ \t]*(.*?)\s*$", re.M)
_READS = re.compile(
    r"""\b(?:environ(?:\.get\(|\[)|getenv\()\s*["']([A-Za-z_][A-Za-z0-9_]{0,127})["']"""
)
_IMPORT = re.compile(r"^[ \t]*(?:import|from)[ \t]+([A-Za-z_][\w.]*)", re.M)
_ROUTE = re.compile(r"""["'](/(?:[\w-]+/)*(?:health|healthz|live|livez|ready|readyz|ping|metrics)"""
                    r"""(?:/(?:live|ready))?)["']""")  # fmt: skip
_REMOTE = re.compile(r"^\s*url\s*=\s*\S*github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?\s*$", re.M)
_REQUIREMENT = re.compile(r"^[ \t]*([A-Za-z0-9][\w.-]*)", re.M)
_LOCKED = re.compile(r'^name = "([\w.-]+)"$', re.M)
_OWNER = re.compile(r"^\*\s+(\S+)", re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """What was found. Empty where nothing was.

    `variables` are names and example values of environment variables, `modules` the dotted names
    that are imported, `reads` the variables that the code looks up, `requires` names of
    distributions that it cannot do without, `locked` those of its lock file, `routes` texts that
    look like paths of health and metrics.
    """

    name: str
    version: str = ""
    authors: tuple[str, ...] = ()
    owner: str = ""
    github: str = ""
    python: str = ""
    is_python: bool = False
    lock: str = ""
    source: tuple[str, ...] = ()
    package: str = ""
    command: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    reads: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    requires: frozenset[str] = frozenset()
    locked: frozenset[str] = frozenset()
    routes: tuple[str, ...] = ()
    has_terraform: bool = False


def look(root: Path) -> Repository:
    """The repository in the folder `root`. What cannot be read tells nothing."""
    root = root.resolve()
    names = listing(root).files[:_MOST_FILES]
    project = _project(_read(root, "pyproject.toml"))
    docker = _read(root, next((n for n in names if n == "Dockerfile"), "Dockerfile"))
    code = [name for name in names if name.endswith(".py") and not _is_aside(name)]
    texts = {name: _read(root, name) for name in code}
    source, package = _source(code)
    command = _command(docker, code, package)
    return Repository(
        name=_text(project, "name") or package or root.name,
        version=_text(project, "version"),
        authors=_authors(project),
        owner=_first(_OWNER, *(_read(root, f"{at}CODEOWNERS") for at in ("", ".github/", "docs/"))),
        github=_first(_REMOTE, _read(root, ".git/config")),
        python=_python(root, project, docker),
        is_python=bool(code) or bool(project),
        lock=next((name for name in LOCKS if name in names), ""),
        source=source,
        package=package,
        command=command,
        ports=_ports(docker, command),
        variables=_variables(_read(root, name) for name in _EXAMPLES if name in names),
        reads=frozenset(name for text in texts.values() for name in _READS.findall(text)),
        modules=frozenset(m for text in texts.values() for m in _IMPORT.findall(text)),
        requires=_requires(project, (_read(root, name) for name in _REQUIREMENTS)),
        locked=frozenset(_LOCKED.findall("".join(_read(root, name) for name in LOCKS[:2]))),
        routes=tuple(sorted({r for text in texts.values() for r in _ROUTE.findall(text)})),
        has_terraform=any(name.endswith(".tf") and not _is_aside(name) for name in names),
    )


def _read(root: Path, name: str) -> str:
    try:
        data = read_regular(root / name, _LIMIT)
    except (OSError, ValueError):
        return ""
    return (data or b"").decode("utf-8", "replace")


def _project(text: str) -> Mapping[str, object]:
    try:
        table = tomllib.loads(text).get("project", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def _text(table: Mapping[str, object], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""


def _authors(project: Mapping[str, object]) -> tuple[str, ...]:
    authors = project.get("authors")
    if not isinstance(authors, list):
        return ()
    return tuple(_text(one, "name") for one in authors if isinstance(one, dict))


def _requires(project: Mapping[str, object], files: Iterable[str]) -> frozenset[str]:
    """Names as packages write them: psycopg2-binary."""
    listed = project.get("dependencies")
    words = [str(one) for one in listed] if isinstance(listed, list) else []
    found = _REQUIREMENT.findall("\n".join([*words, *files]))
    return frozenset(re.sub(r"[-_.]+", "-", name).lower() for name in found)


def _first(pattern: re.Pattern[str], *texts: str) -> str:
    found = next((match for text in texts if (match := pattern.search(text))), None)
    return found[1] if found else ""


def _python(root: Path, project: Mapping[str, object], docker: str) -> str:
    """The minor version that runs the service: the image's, the pinned one, the least needed."""
    pinned = re.match(r"3\.([0-9]+)", _read(root, ".python-version").strip())
    minor = (
        _first(_FROM, docker)
        or (pinned[1] if pinned else "")
        or _first(_REQUIRES, _text(project, "requires-python"))
    )
    return f"3.{minor}" if minor.isdecimal() and int(minor) in _MINORS else ""


def _is_aside(name: str) -> bool:
    top = name.split("/")[0]
    return top in _NOT_SOURCE or top in _NOT_RUN or top.startswith(".")


def _source(code: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """What an image must hold, and the package that is the service: the largest."""
    layout = [name for name in code if name.startswith("src/")]
    packages = Counter(
        name.removeprefix("src/").split("/")[0]
        for name in (layout or code)
        if posixpath.join(name.rpartition("/")[0], "__init__.py") in code and "/" in name
    )
    package = max(packages, key=lambda name: (packages[name], name), default="")
    if layout:
        return ("src",), package
    alone = sorted(name for name in code if "/" not in name)
    folders = sorted({name.split("/")[0] for name in code if "/" in name})
    return (*folders, *alone), package


def _command(docker: str, code: Sequence[str], package: str) -> tuple[str, ...]:
    """The image's own words, else the package or the file that looks as if it were run."""
    written = {key.upper(): _words(words) for key, words in _COMMAND.findall(docker)}
    if words := (*written.get("ENTRYPOINT", ()), *written.get("CMD", ())):
        return words
    if package and any(name.endswith(f"{package}/__main__.py") for name in code):
        return ("python", "-m", package)
    script = next((name for name in ("main.py", "app.py", "server.py") if name in code), "")
    return ("python", script) if script else ()


def _words(written: str) -> tuple[str, ...]:
    try:
        words = json.loads(written)
    except (ValueError, RecursionError):
        return ()
    given = isinstance(words, list) and all(isinstance(word, str) for word in words)
    return tuple(words) if given else ()


def _ports(docker: str, command: Sequence[str]) -> tuple[int, ...]:
    """Where the command listens, which is what counts, before what the image only says."""
    listens = [port for found in _LISTENS.finditer("\n".join(command)) for port in found.groups()]
    written = [word for line in _EXPOSE.findall(docker) for word in line.split()]
    numbers = [*filter(None, listens), *(word.removesuffix("/tcp") for word in written)]
    return tuple(dict.fromkeys(int(word) for word in numbers if re.fullmatch("[0-9]{1,5}", word)))


def _variables(texts: Iterable[str]) -> dict[str, str]:
    return {name: _unquoted(value) for text in texts for name, value in _ASSIGNMENT.findall(text)}


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return re.split(r"\s+#", value)[0]


def imported(repository: Repository, *names: str) -> Iterator[str]:
    """Those of the modules that the code imports, or something below them."""
    for name in names:
        if any(one == name or one.startswith(f"{name}.") for one in repository.modules):
            yield name


def needed(repository: Repository, modules: Iterable[str], distributions: Iterable[str]) -> bool:
    """Whether the service cannot do without one of these: a framework imports what it may find."""
    if repository.requires.intersection(distributions):
        return True
    known = not repository.requires or repository.locked.intersection(distributions)
    return bool(known) and any(imported(repository, *modules))
