"""A project is opened within its limits, and its files are read without waiting or following."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core.errors import ConfigError, UsageError
from sdlc_cli.gate.model import SkippedFile
from sdlc_cli.gate.source import MAX_BYTES, Project, TooLargeError, Unit, read
from sdlc_cli.gate.source import open_project as open_it

Tree = Callable[..., Path]


def project(root: Path, **more: object) -> Project:
    settings: dict[str, object] = {"root": root, "base": root, "scope": root, **more}
    return open_it(**settings)  # type: ignore[arg-type]


FILES = {"src/a.py": "", "src/deep/b.py": "", "tests/c.py": "", "d.py": ""}


@pytest.mark.parametrize(
    ("base", "scope", "paths", "exclude", "files"),
    [
        pytest.param("", "", ["."], [], sorted(FILES), id="all"),
        pytest.param("", "src", ["."], [], ["src/a.py", "src/deep/b.py"], id="a folder"),
        pytest.param("", "d.py", ["."], [], ["d.py"], id="a file"),
        pytest.param("", "", ["src", "d.py"], ["deep/"], ["d.py", "src/a.py"], id="paths"),
        pytest.param("", "src/deep", ["src"], [], ["src/deep/b.py"], id="the narrower one"),
        pytest.param("", "tests", ["src"], [], [], id="nothing in common"),
        pytest.param("src", "", ["."], ["/a.py"], ["src/deep/b.py"], id="relative to the base"),
        pytest.param("", "src/a.py", ["."], ["a.py"], [], id="excluded though named"),
    ],
)
def test_a_project_is_what_all_limits_have_in_common(
    tree: Tree, base: str, scope: str, paths: list[str], exclude: list[str], files: list[str]
) -> None:
    root = tree(FILES)

    found = project(root, base=root / base, scope=root / scope, paths=paths, exclude=exclude)

    assert list(found.files) == files


def test_a_path_that_is_not_there_is_the_users_mistake(tree: Tree, tmp_path: Path) -> None:
    root = tree(FILES)

    with pytest.raises(UsageError, match="there is no"):
        project(root, scope=root / "nowhere")
    with pytest.raises(UsageError, match="is not in"):
        project(root, scope=tmp_path)
    with pytest.raises(ConfigError, match="paths: there is no srk"):
        project(root, paths=["srk"])
    with pytest.raises(ConfigError, match="outside the project"):
        project(root, paths=[".."])


def test_what_the_listing_skipped_is_part_of_the_project(tree: Tree) -> None:
    root = tree({"a.py": ""})
    os.mkfifo(root / "pipe")

    assert project(root).skipped_files == (
        SkippedFile(path="pipe", reason="a named pipe, not a file"),
    )


def change(root: Path, name: str) -> None:
    """Replace the listed file, as may happen between listing and reading."""
    path = root / "a.py"
    path.unlink()
    if name == "pipe":
        os.mkfifo(path)
    elif name == "link":
        path.symlink_to("/etc/hostname")
    elif name == "folder":
        path.mkdir()
    elif name == "large":
        path.write_bytes(b"#" * (MAX_BYTES + 1))


@pytest.mark.parametrize(
    ("became", "reason"),
    [
        ("pipe", "not a regular file"),
        ("folder", "not a regular file"),
        ("nothing", "it vanished during the run"),
        ("link", "it cannot be read: Too many levels of symbolic links"),
        ("large", "larger than 5,000,000 bytes"),
    ],
)
def test_a_file_that_cannot_be_had_is_skipped_with_its_reason(
    tree: Tree, became: str, reason: str
) -> None:
    root = tree({"a.py": ""})
    opened = project(root)
    change(root, became)

    assert read(opened, "a.py") == SkippedFile(path="a.py", reason=reason)


def test_a_file_is_read_as_it_is(tree: Tree) -> None:
    opened = project(tree({"a.py": b"x = 1\r\n\xff"}))

    unit = read(opened, "a.py")

    assert isinstance(unit, Unit)
    assert unit.data == b"x = 1\r\n\xff"


def test_a_warning_about_the_code_does_not_make_it_broken() -> None:
    assert Unit("a.py", b"x = '\\d'\nx is 1\n").tree.body


@pytest.mark.parametrize(
    "source", ["a\n" * 400_000, "x = [" + "[]," * 300_000 + "]", "x = " + "-~" * 400_000 + "1"]
)
def test_a_tree_that_could_take_gigabytes_is_not_built(source: str) -> None:
    with pytest.raises(TooLargeError):
        _ = Unit("a.py", source.encode()).tree


def test_a_large_file_of_few_words_is_parsed() -> None:
    line = "# " + "x" * 90 + "\n"

    assert Unit("a.py", (line * 20_000 + "y = 1\n").encode()).tree.body
