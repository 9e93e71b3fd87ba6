import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.gate.environment import Environment
from sdlc_cli.gate.growth import Growth, difference, grown, profile, shown
from sdlc_cli.gate.options import Benchmark
from sdlc_cli.gate.pycommand import Program, parse
from sdlc_cli.gate.sampling import Side

Tree = Callable[..., Path]
PYTHON = Path(sys.executable)
HERE = Environment(python=PYTHON, bin=PYTHON.parent, label="here")

BEFORE = {("a.py", "f"): (10.0, 1.0), ("a.py", "g"): (1.0, 2.0), ("b.py", "gone"): (1.0, 0.5)}


def test_functions_are_named_by_how_much_their_own_time_grew() -> None:
    after = {("a.py", "f"): (30.0, 4.0), ("a.py", "g"): (1.0, 2.1), ("b.py", "new"): (2.0, 1.0)}

    got = difference(BEFORE, after)

    assert [(one.function, one.base_s, one.head_s) for one in got] == [
        ("f", 1.0, 4.0),
        ("new", 0.0, 1.0),
    ]
    assert got[0] == Growth(
        function="f", path="a.py", base_s=1.0, head_s=4.0, base_calls=10, head_calls=30
    )


def test_at_most_five_functions_are_named() -> None:
    after = {("a.py", f"f{n}"): (1.0, 1.0 + n / 100) for n in range(9)}

    got = difference({}, after)

    assert [one.function for one in got] == ["f8", "f7", "f6", "f5", "f4"]


def test_nothing_is_named_when_the_whole_did_not_grow() -> None:
    assert difference(BEFORE, {("a.py", "f"): (10.0, 1.5)}) == ()


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("/w/head/app/a.py", "app/a.py"),
        ("/env/lib/python3.11/site-packages/pkg/b.py", "pkg/b.py"),
        ("/usr/lib/python3.11/json/encoder.py", "json/encoder.py"),
        ("<frozen importlib._bootstrap>", ""),
        ("", ""),
    ],
)
def test_a_file_has_one_name_on_both_sides(file: str, expected: str) -> None:
    assert shown(file, Path("/w/head")) == expected


CODE = """
import sys
def inner(n):
    return sum(i * i for i in range(n))
def work(n):
    return inner(n)
def main():
    work(int(sys.argv[1]))
    sys.exit(3)
"""


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("python", "run.py"), id="script"),
        pytest.param(("python", "-X", "utf8", "-m", "run"), id="module"),
        pytest.param(("python", "-c", "import app; app.main()"), id="code"),
        pytest.param(("./tool",), id="program"),
    ],
)
def test_a_command_is_profiled_as_python_would_run_it(words: tuple[str, ...], tree: Tree) -> None:
    root = tree(
        {
            "app.py": CODE,
            "run.py": "import app\napp.main()\n",
            "tool": f"#!{PYTHON}\nimport app\napp.main()\n",
        }
    )
    (root / "tool").chmod(0o755)
    side = Side(root=root, cwd=root, environment=HERE)
    less = Benchmark(name="b", command=(*words, "100"))
    more = Benchmark(name="b", command=(*words, "100000"))

    got = grown(less, side, side)
    assert len(got) <= 5

    names = {one.function for one in _between(less, more, side)}
    assert names == {"inner", "<genexpr>"}


def _between(less: Benchmark, more: Benchmark, side: Side) -> tuple[Growth, ...]:
    before, after = profile(less, side), profile(more, side)
    assert before is not None
    assert after is not None
    return difference(before, after)


def test_what_is_not_python_has_no_profile(tree: Tree) -> None:
    root = tree({})
    side = Side(root=root, cwd=root, environment=HERE)

    assert grown(Benchmark(name="b", command=("true",)), side, side) == ()


@pytest.mark.parametrize(
    ("words", "mode", "target", "rest", "options", "isolated"),
    [
        (("python", "a.py", "-m", "x"), "script", "a.py", ("-m", "x"), (), False),
        (("python3", "-m", "pkg", "-c"), "module", "pkg", ("-c",), (), False),
        (("python", "-Ic", "pass"), "code", "pass", (), ("-I",), True),
        (("python", "-I", "-S", "-c", "pass", "7"), "code", "pass", ("7",), ("-I", "-S"), True),
        (
            ("python", "-W", "error", "-E", "a.py"),
            "script",
            "a.py",
            (),
            ("-W", "error", "-E"),
            True,
        ),
        (("python", "-Xdev", "-m", "a"), "module", "a", (), ("-Xdev",), False),
    ],
)
def test_a_python_command_line_is_read(
    words: tuple[str, ...],
    mode: str,
    target: str,
    rest: tuple[str, ...],
    options: tuple[str, ...],
    isolated: bool,
    tmp_path: Path,
) -> None:
    got = parse(words, HERE, tmp_path)

    assert isinstance(got, Program)
    assert (got.mode, got.target, got.arguments) == (mode, target, rest)
    assert got.interpreter == (str(PYTHON), *options)
    assert got.isolated is isolated


@pytest.mark.parametrize("words", [("python",), ("python", "-"), ("python", "-m"), ("ls",)])
def test_what_is_not_plainly_python_is_not_read(words: tuple[str, ...], tmp_path: Path) -> None:
    assert parse(words, HERE, tmp_path) is None
