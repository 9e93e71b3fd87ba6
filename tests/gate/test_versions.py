"""The versions a project declares are read from where Python projects declare them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.gate.versions import Declared, allows, declared

Tree = Callable[..., Path]
OWN = 12


@pytest.mark.parametrize(
    ("requires", "first", "last"),
    [
        pytest.param(">=3.10", 10, 40, id="lower bound"),
        pytest.param(">=3.10.4, <3.13", 10, 12, id="both bounds"),
        pytest.param("<3.13.1,>3.9", 9, 13, id="micro versions"),
        pytest.param("~=3.9", 9, 40, id="compatible with 3.9"),
        pytest.param("~=3.9.2", 9, 9, id="compatible with 3.9.2"),
        pytest.param("==3.11.*", 11, 11, id="one minor"),
        pytest.param("==3.11", 11, 11, id="one minor, loosely"),
        pytest.param(">=3.8,<=3.10", 8, 10, id="at most"),
        pytest.param("^3.11", 11, 40, id="poetry's caret"),
        pytest.param("~3.11", 11, 11, id="poetry's tilde"),
        pytest.param("3.12.*", 12, 12, id="poetry's bare version"),
        pytest.param("~3.9 || ~3.10", 9, 10, id="one or the other"),
        pytest.param(">=3.13.0rc1", 13, 40, id="a pre-release"),
        pytest.param("", 0, 40, id="nothing"),
    ],
)
def test_a_specifier_allows(requires: str, first: int, last: int) -> None:
    allowed = [minor for minor in range(41) if allows(requires, minor)]

    assert (allowed[0], allowed[-1]) == (first, last)


@pytest.mark.parametrize(
    ("requires", "not_allowed"), [(">=3.8,!=3.9.*", 9), ("!=3.10.*", 10), (">=2.7,!=3.0.*", 0)]
)
def test_an_exclusion_counts(requires: str, not_allowed: int) -> None:
    assert not allows(requires, not_allowed)
    assert allows(requires, not_allowed + 1)


PEP621 = '[project]\nname = "x"\n'
CLASSIFIERS = ", ".join(f'"Programming Language :: Python :: 3.{n}"' for n in (8, 9, 10, 11))


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        pytest.param('requires-python = ">=3.9"', ("3.9", "3.12"), id="lower bound: and ours"),
        pytest.param('requires-python = ">=3.13"', ("3.13",), id="ours is too old"),
        pytest.param('requires-python = ">=3.9,<3.12"', ("3.9", "3.11"), id="both ends"),
        pytest.param(
            f'requires-python = ">=3.9"\nclassifiers = [{CLASSIFIERS}]',
            ("3.9", "3.10", "3.11"),
            id="classifiers within the bound",
        ),
        pytest.param(f"classifiers = [{CLASSIFIERS}]", ("3.8", "3.9", "3.10", "3.11"), id="alone"),
        pytest.param("", ("3.12",), id="nothing: ours"),
        pytest.param("requires-python = 3", ("3.12",), id="not a text"),
        pytest.param("requires-python = [", ("3.12",), id="a broken file declares nothing"),
        pytest.param('[tool.poetry.dependencies]\npython = "^3.10"', ("3.10", "3.12"), id="poetry"),
    ],
)
def test_pyproject_declares(tree: Tree, text: str, versions: tuple[str, ...]) -> None:
    root = tree({"pyproject.toml": PEP621 + text, "pkg/a.py": ""})

    assert declared(root, root / "pkg", OWN).versions == versions


def test_setup_cfg_declares_where_pyproject_does_not(tree: Tree) -> None:
    setup = (
        "[metadata]\nclassifiers =\n  Programming Language :: Python :: 3.10\n"
        "  Programming Language :: Python :: 3.11\n[options]\npython_requires = >=3.10\n"
    )
    root = tree({"pyproject.toml": "[build-system]\n", "setup.cfg": setup})

    assert declared(root, root, OWN) == Declared(versions=("3.10", "3.11"), path="setup.cfg")


@pytest.mark.parametrize("text", ["no section\n", "[a\n", "\xff"])
def test_a_broken_setup_cfg_declares_nothing(tree: Tree, text: str) -> None:
    root = tree({"setup.cfg": text.encode("latin-1")})

    assert declared(root, root, OWN) == Declared(versions=("3.12",))


def test_what_gates_yaml_names_outranks_the_project(tree: Tree) -> None:
    root = tree({"pyproject.toml": PEP621 + 'requires-python = ">=3.9"'})

    assert declared(root, root, OWN, ["3.13", "3.8"]).versions == ("3.8", "3.13")
