from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.gate.config import Docs
from sdlc_cli.gate.engines import docs
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.source import Project, Unit

Tree = Callable[..., Path]


def judge(root: Path, **options: Any) -> Measurement:
    files = sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink())
    names = tuple(p.relative_to(root).as_posix() for p in files)
    project = Project(root=root, base=root, files=names)
    state = docs.prepare(project, Docs(**options))
    seen = [(name, docs.inspect(state, Unit(name, (root / name).read_bytes()))) for name in names]
    outcomes = [(name, outcome) for name, outcome in seen if outcome is not None]
    return docs.conclude(project, Docs(**options), outcomes)


def undocumented(measurement: Measurement) -> list[str]:
    return [str(f.message).removesuffix(" has no docstring") for f in measurement.findings]


CODE = '''"""A module."""
from typing import overload, override

def public(): pass
def _private(): pass

@overload
def twice(x: int) -> int: ...
@overload
def twice(x: str) -> str: ...
def twice(x):
    """Documented where it counts."""
    def inner(): pass

class Thing:
    """A thing."""
    def __init__(self): pass
    def __repr__(self): pass
    def __call__(self): pass
    async def method(self): pass
    @property
    def size(self):
        """How large."""
    @size.setter
    def size(self, value): pass
    @override
    def run(self): pass
    def _hidden(self): pass
    class Inner: pass

class ByInit:
    def __init__(self):
        """Documented here."""

class _Private:
    def method(self): pass

if True:
    def conditional(): pass
'''


def test_what_needs_a_docstring_and_what_does_not(tree: Tree) -> None:
    result = judge(tree({"pkg/app.py": CODE}))

    assert undocumented(result) == [
        "the function public",
        "the method Thing.__call__",
        "the method Thing.method",
        "the class Thing.Inner",
        "the function conditional",
    ]
    assert (result.metrics["objects"], result.metrics["documented"]) == (10, 5)
    assert result.score == pytest.approx(50)
    assert [f.location.line for f in result.findings] == [4, 19, 20, 29, 39]


@pytest.mark.parametrize(
    ("exports", "expected"),
    [
        pytest.param("__all__ = ['_a']", ["the function _a"], id="list"),
        pytest.param("__all__ = ('b',)\n__all__ += ['_a']", ["the function b", "the function _a"],
                     id="added"),
        pytest.param("__all__ = names()", ["the function b"], id="computed"),
        pytest.param("__all__ = []", [], id="empty"),
        pytest.param("__all__: list[str] = ['b']", ["the function b"], id="annotated"),
    ],
)  # fmt: skip
def test_all_decides_what_is_public(tree: Tree, exports: str, expected: list[str]) -> None:
    code = f'"""M."""\n{exports}\ndef b(): pass\ndef _a(): pass\n'

    assert undocumented(judge(tree({"m.py": code}))) == expected


@pytest.mark.parametrize(
    ("path", "public"),
    [
        ("pkg/app.py", True),
        ("pkg/__init__.py", True),
        ("pkg/__main__.py", True),
        ("pkg/_inner/app.py", False),
        ("pkg/_app.py", False),
        ("tests/app.py", False),
        ("pkg/tests/data.py", False),
        ("test_app.py", False),
        ("app_test.py", False),
        ("conftest.py", False),
        (".tools/app.py", False),
    ],
)
def test_public_modules(path: str, public: bool) -> None:
    assert docs.is_public(path) is public


def test_an_empty_module_needs_none(tree: Tree) -> None:
    result = judge(tree({"pkg/__init__.py": "", "pkg/a.py": "x = 1\n"}))

    assert undocumented(result) == ["the module"]
    assert result.metrics["objects"] == 1


def test_a_file_that_does_not_parse_is_listed_and_the_others_judged(tree: Tree) -> None:
    result = judge(tree({"a.py": "def (", "b.py": '"""B."""\n', "c.py": "a\0b"}))

    assert [f.path for f in result.skipped_files] == ["a.py", "c.py"]
    assert result.score == 100


def dead(measurement: Measurement) -> list[tuple[str, str, int]]:
    return [(f.rule, str(f.message), f.location.line) for f in measurement.findings]


@pytest.mark.parametrize(
    "target",
    [
        "other.md", "./other.md", "sub/", "sub", "../docs/other.md", "other.md#a-heading",
        "other.md#A-Heading", "#here", "#", "#top", "/docs/other.md", "/README.md",
        "pic%20ture.png", "<pic ture.png>", "page.html", "sub/deep", "other.md?plain=1#L3",
        "other.md#user-content-a-heading",
        "../src/app.py#L10", "/docs/sub/", "sub/index.html",
    ],
)  # fmt: skip
def test_live_links(tree: Tree, target: str) -> None:
    root = tree(
        {
            "README.md": "",
            "src/app.py": "",
            "docs/page.md": f"# Here\n[x]({target})\n",
            "docs/other.md": "# A heading\n",
            "docs/pic ture.png": b"\x89PNG\0",
            "docs/sub/deep.md": "",
            "docs/sub/index.md": "",
        }
    )

    result = judge(root, docstrings=False)

    assert dead(result) == []
    assert result.metrics["links"] == 1


@pytest.mark.parametrize(
    "target",
    [
        "https://example.org/nothing", "mailto:a@example.org", "//example.org/x",
        "../../outside.md", "../../issues", "/site/page", "gone.html", "{{ url }}", "link.md",
        "away/x.md", "attrs.filters.include", "api-validators", "genindex",
    ],
)  # fmt: skip
def test_what_is_not_judged(tree: Tree, target: str) -> None:
    root = tree({"docs/page.md": f"[x]({target})\n", "docs/real.md": ""})
    (root / "docs/link.md").symlink_to("/etc/passwd")
    (root / "docs/away").symlink_to("/nowhere")

    result = judge(root, docstrings=False)

    assert (result.outcome, result.findings) == ("skipped", ())


@pytest.mark.parametrize(
    ("target", "rule"),
    [
        ("gone.md", "dead-link"),
        ("./sub/gone.png", "dead-link"),
        ("/docs/gone.md", "dead-link"),
        ("page.md/x", "dead-link"),
        ("gone.tar.gz", "dead-link"),
        ("./gone", "dead-link"),
        ("gone#part", "dead-link"),
        ("a" * 300 + ".md", "dead-link"),
        ("other.md#gone", "dead-anchor"),
        ("#gone", "dead-anchor"),
    ],
)
def test_dead_links(tree: Tree, target: str, rule: str) -> None:
    root = tree({"docs/page.md": f"text\n\n[x]({target})\n", "docs/other.md": "# A heading\n"})

    ((found, _, line),) = dead(judge(root, docstrings=False))

    assert (found, line) == (rule, 3)


def test_rst_links_and_images(tree: Tree) -> None:
    text = "`a <b.rst>`_\n\n.. image:: gone.png\n\n`c <page.html>`_\n\n.. image:: /_static/x.png\n"
    root = tree({"docs/a.rst": text, "docs/b.rst": "", "docs/_static/x.png": b"\0"})

    result = judge(root, docstrings=False)

    assert [(f.rule, f.location.line) for f in result.findings] == [("dead-link", 3)]
    assert result.metrics["links"] == 3


def test_objects_and_links_share_one_score(tree: Tree) -> None:
    root = tree({"a.py": '"""A."""\n', "README.md": "[a](a.py) [b](b/gone) [c](gone.md)\n"})

    assert judge(root).score == pytest.approx(50)


def test_a_document_that_is_not_utf8_is_listed(tree: Tree) -> None:
    result = judge(tree({"a.md": b"\xe9 [a](b.md)", "b.md": "[b](b.md)"}))

    assert [f.path for f in result.skipped_files] == ["a.md"]


def test_windows_line_ends_do_no_harm(tree: Tree) -> None:
    result = judge(tree({"a.md": "# One\r\n\r\n[x](#one)\r\n[y](b.md)\r\n"}))

    assert [(f.rule, f.location.line) for f in result.findings] == [("dead-link", 4)]


def test_nothing_to_judge_is_no_pass(tree: Tree) -> None:
    assert judge(tree({"_a.py": "x = 1\n"})).outcome == "skipped"


def test_both_halves_off_is_a_mistake(tree: Tree) -> None:
    with pytest.raises(ConfigError, match="both off"):
        judge(tree({"a.py": ""}), docstrings=False, links=False)
