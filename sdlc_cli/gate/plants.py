"""The defects that `sdlc gate drill` plants: what each changes in a copy of a project."""

import ast
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sdlc_cli.core.files import read_regular
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate.config import Benchmark, CommandGate, GateConfig, Maintainability, Performance
from sdlc_cli.gate.source import MAX_BYTES

PLANTED = "sdlc_drill_planted"
SLOWEST_S = 30.0  # of busy waiting that is planted in a benchmark's iteration
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class CannotPlant(Exception):
    """The project has no place for the defect; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A copy of a project to plant in. `files` are those the gates judge, relative to `root`.

    `base` is the folder of gates.yaml in the copy.
    """

    root: Path
    base: Path
    files: Sequence[str]
    config: GateConfig


Change = Mapping[str, bytes | None]  # path in the copy -> new content, None removes the file


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One known defect. `watcher` is the gate that ought to notice it, and must run after
    `helpers`. `plan` says what to change; it raises CannotPlant."""

    name: str
    title: str
    watcher: str
    plan: Callable[[Site], Change]
    helpers: tuple[str, ...] = ()

    def expected(self, config: GateConfig) -> frozenset[str]:
        """The gates set up here that ought to notice it."""
        names = {self.watcher} & set(config.gates)
        return frozenset(names | _workflow_gates(config) if self.watcher == "deploy" else names)


def fake_token() -> str:
    """A token as GitHub makes them, checksum included, that was never given out."""
    digest = hashlib.sha256(b"planted by sdlc gate drill").digest()
    body = "".join(_BASE62[byte % 62] for byte in digest[:30])
    number, check = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        check = _BASE62[digit] + check
    return "gh" + "p_" + body + check.rjust(6, "0")


def _fake_key(site: Site) -> Change:
    return _new_module(site, f'TOKEN = "{fake_token()}"\n')


def _eval(site: Site) -> Change:
    return _new_module(site, "def answer():\n    return eval(input())\n")


def _syntax_error(site: Site) -> Change:
    return _new_module(site, "def broken(:\n    pass\n")


def _complex(site: Site) -> Change:
    gate = site.config.gates.get("maintainability")
    limit = gate.max_complexity if isinstance(gate, Maintainability) else 10
    tests = "".join(f"    if x > {n}:\n        y += {n}\n" for n in range(max(60, 3 * limit)))
    return _new_module(site, f"def tangled(x):\n    y = 0\n{tests}    return y\n")


def _broken_assertion(site: Site) -> Change:
    path = _largest_test(site)
    # A unittest class: pytest, unittest and Django's runner all collect it.
    text = (
        "\n\nimport unittest as _unittest\n\n\nclass TestPlantedByTheDrill(_unittest.TestCase):\n"
        "    def test_planted(self):\n        self.assertEqual(1, 2)\n"
    )
    return {path: _bytes(site, path) + text.encode("ascii")}


def _deleted_test(site: Site) -> Change:
    if "integration" not in site.config.gates:
        raise CannotPlant(
            msg("the gate integration is not set up, so no test runs again without it")
        )
    return {_largest_test(site): None}


def _unpinned_action(site: Site) -> Change:
    text = (
        "name: planted by sdlc gate drill\non: push\npermissions: {}\njobs:\n  planted:\n"
        "    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n    steps:\n"
        "      - uses: some/action@main\n"
    )
    return {f".github/workflows/{PLANTED.replace('_', '-')}.yml": text.encode()}


def _slower(site: Site) -> Change:
    gate = site.config.gates.get("performance")
    if not isinstance(gate, Performance):
        raise CannotPlant(msg("the gate performance is not set up"))
    reasons = [msg("its benchmarks come from a report that the gates do not write")]
    for benchmark in gate.benchmarks:
        try:
            return _slower_one(site, benchmark)
        except CannotPlant as reason:
            reasons = [reason.args[0]]
    raise CannotPlant(reasons[0])


def _slower_one(site: Site, benchmark: Benchmark) -> Change:
    if benchmark.time is None:
        raise CannotPlant(msg("the benchmark {name} has no limit of time", name=benchmark.name))
    seconds = 2 * benchmark.time + 0.01
    if seconds > SLOWEST_S:
        raise CannotPlant(msg("the benchmark {name} takes too long", name=benchmark.name))
    wait = (
        f"_until = _clock() + {seconds!r}\n{{indent}}while _clock() < _until:\n{{indent}}    pass\n"
    )
    module, _, target = benchmark.callable.partition(":")
    path = _module(site, module) if module else _script(site, benchmark)
    data = _bytes(site, path)
    if module:
        inner = wait.format(indent=" " * 8)
        text = (
            "\n\nfrom time import perf_counter as _clock\n\n\ndef _drill_slower(inner):\n"
            f"    def slower(*args, **kwargs):\n        {inner}"
            "        return inner(*args, **kwargs)\n\n    return slower\n\n\n"
            f"{target} = _drill_slower({target})\n"
        )
        return {path: data + text.encode()}
    start = f"from time import perf_counter as _clock\n{wait.format(indent='')}"
    lines = data.splitlines(keepends=True)
    at = _first_statement(data, path)
    return {path: b"".join([*lines[:at], start.encode(), *lines[at:]])}


def _first_statement(data: bytes, path: str) -> int:
    """How many lines stand before the first statement that is neither docstring nor future."""
    try:
        body = ast.parse(data).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise CannotPlant(msg("{path} does not parse", path=path)) from None
    last = 0
    for node in body:
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not (text or future):
            break
        last = node.end_lineno or 0
    return last


def _script(site: Site, benchmark: Benchmark) -> str:
    """The Python file of the project that a command runs."""
    words = list(benchmark.command)
    if "-m" in words[:-1]:
        name = words[words.index("-m") + 1]
        try:
            return _module(site, name)
        except CannotPlant:
            return _module(site, f"{name}.__main__")
    for word in words:
        path = (site.base / word).resolve()
        if word.endswith(".py") and path.is_file() and path.is_relative_to(site.root):
            return path.relative_to(site.root).as_posix()
    raise CannotPlant(
        msg("the benchmark {name} runs no Python file of the project", name=benchmark.name)
    )


def _module(site: Site, name: str) -> str:
    """The file of the module called `name`, in the project."""
    ending = name.replace(".", "/")
    for folder in (site.base, site.base / "src", site.root, site.root / "src"):
        for path in (folder / f"{ending}.py", folder / ending / "__init__.py"):
            if path.is_file() and not path.is_symlink() and path.is_relative_to(site.root):
                return path.relative_to(site.root).as_posix()
    raise CannotPlant(msg("the module {name} is no file of the project", name=name))


def _new_module(site: Site, text: str) -> Change:
    folder = _package(site)
    return {str(PurePosixPath(folder) / f"{PLANTED}.py"): text.encode()}


def is_test(path: str) -> bool:
    """Whether the file holds tests, by the names that pytest and unittest look for."""
    *folders, name = PurePosixPath(path).parts
    if not name.endswith(".py"):
        return False
    return (
        name.startswith("test_")
        or name in ("tests.py", "test.py", "conftest.py")
        or name.endswith("_test.py")
        or any(folder in ("tests", "test") for folder in folders)
    )


def _package(site: Site) -> str:
    """The folder with most Python files that are no tests; a package, where there is one."""
    sources = [f for f in site.files if f.endswith(".py") and not is_test(f)]
    if not sources:
        raise CannotPlant(msg("there is no Python file to plant beside"))
    counts: dict[str, int] = {}
    for path in sources:
        folder = str(PurePosixPath(path).parent)
        counts[folder] = counts.get(folder, 0) + 1
    packages = {f for f in counts if str(PurePosixPath(f) / "__init__.py") in site.files}
    return max(packages or counts, key=lambda f: (counts[f], -len(f), f))


def _bytes(site: Site, path: str) -> bytes:
    """What the file holds. Raises CannotPlant where it is none, or too large to be judged."""
    try:
        data = read_regular(site.root / path, MAX_BYTES + 1)
    except OSError as error:
        why = error.strerror or str(error)
        raise CannotPlant(msg("{path} cannot be read: {why}", path=path, why=why)) from None
    if data is None or len(data) > MAX_BYTES:
        raise CannotPlant(msg("{path} is no file that the gates judge", path=path))
    return data


_TEST = re.compile(rb"^[ \t]*(?:async[ \t]+)?def[ \t]+test", re.M)


def _largest_test(site: Site) -> str:
    """The test module with most tests."""
    counts = {
        path: _count_tests(site, path)
        for path in site.files
        if is_test(path) and PurePosixPath(path).name != "conftest.py"
    }
    best = max(counts, key=lambda path: (counts[path], path), default="")
    if not best or not counts[best]:
        raise CannotPlant(msg("no file with tests was found"))
    return best


def _count_tests(site: Site, path: str) -> int:
    try:
        return len(_TEST.findall(_bytes(site, path)))
    except CannotPlant:
        return 0


def _workflow_gates(config: GateConfig) -> frozenset[str]:
    """Command gates of programs that are known to look at workflows."""
    return frozenset(
        name
        for name, gate in config.gates.items()
        if isinstance(gate, CommandGate)
        and any(re.search(r"zizmor|pinact", word) for word in gate.command)
    )


DEFECTS: tuple[Defect, ...] = (
    Defect(
        name="fake-key",
        title=msg("a fake key in a new source file"),
        watcher="secrets",
        plan=_fake_key,
    ),
    Defect(
        name="eval",
        title=msg("eval on what the user types"),
        watcher="security",
        plan=_eval,
    ),
    Defect(
        name="syntax-error",
        title=msg("a file that does not compile"),
        watcher="syntax",
        plan=_syntax_error,
    ),
    Defect(
        name="broken-assertion",
        title=msg("a test that fails"),
        watcher="integration",
        plan=_broken_assertion,
    ),
    Defect(
        name="deleted-test",
        title=msg("the largest test module deleted"),
        watcher="coverage",
        plan=_deleted_test,
        helpers=("integration",),
    ),
    Defect(
        name="too-complex",
        title=msg("a function far too complex"),
        watcher="maintainability",
        plan=_complex,
    ),
    Defect(
        name="slower-benchmark",
        title=msg("a benchmark that takes twice its limit"),
        watcher="performance",
        plan=_slower,
    ),
    Defect(
        name="unpinned-action",
        title=msg("a workflow with an unpinned action"),
        watcher="deploy",
        plan=_unpinned_action,
    ),
)
