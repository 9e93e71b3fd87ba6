"""A file that is as its stamp says is not read again; one that may have changed is."""

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.gate import cache as caches
from sdlc_cli.gate import source, stamps
from sdlc_cli.gate.cache import Cache
from sdlc_cli.gate.model import SkippedFile
from sdlc_cli.gate.source import Project, Unit

Tree = Callable[..., Path]
LATER_NS = 10_000_000_000  # long after the files were made, as the stamps see it
CONTENT = {"a.py": "x = 1\n", "b.py": "y = 2\n", "pkg/c.py": "z = 3\n"}


@pytest.fixture
def project(tree: Tree) -> Project:
    root = tree(CONTENT)
    return Project(root=root, base=root, files=tuple(CONTENT))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", day=1)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were read."""
    paths: list[str] = []

    def read(project: Project, path: str) -> Unit | SkippedFile:
        paths.append(path)
        return whole(project, path)

    whole = source.read
    monkeypatch.setattr(source, "read", read)
    return paths


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def look(project: Project, cache: Cache) -> dict[str, bytes]:
    return stamps.digests(project, cache, time.time_ns() + LATER_NS)


def test_an_unchanged_file_is_not_read_again(
    project: Project, cache: Cache, opened: list[str]
) -> None:
    first = look(project, cache)
    assert first == {path: digest(text) for path, text in CONTENT.items()}
    assert opened == list(CONTENT)
    opened.clear()

    assert look(project, cache) == first
    assert opened == []


def rewritten(file: Path) -> None:
    """The same size and the same time of change, as far as a program can set it."""
    before = file.stat()
    file.write_text("x = 9\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(file: Path) -> None:
    before = file.stat()
    other = file.with_suffix(".new")
    other.write_text("x = 9\n")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(other, file)


def grown(file: Path) -> None:
    file.write_text("x = 1\n# more\n")


@pytest.mark.parametrize("change", [rewritten, replaced, grown])
def test_a_changed_file_is_read(
    project: Project, cache: Cache, opened: list[str], change: Callable[[Path], None]
) -> None:
    look(project, cache)
    opened.clear()
    file = project.root / "a.py"
    change(file)

    assert look(project, cache)["a.py"] == digest(file.read_text())
    assert opened == ["a.py"]


def test_a_file_that_changed_just_now_gets_no_stamp(project: Project, cache: Cache) -> None:
    stamps.digests(project, cache)

    assert cache.stamps(project.root) == {}


def test_a_file_that_is_gone_has_no_digest(project: Project, cache: Cache) -> None:
    look(project, cache)
    (project.root / "b.py").unlink()

    assert set(look(project, cache)) == {"a.py", "pkg/c.py"}


def test_a_symlink_in_the_place_of_a_file_is_not_taken_for_it(
    project: Project, cache: Cache
) -> None:
    look(project, cache)
    (project.root / "a.py").unlink()
    (project.root / "a.py").symlink_to("b.py")

    assert "a.py" not in look(project, cache)


def test_a_run_over_a_part_forgets_nothing_of_the_rest(
    project: Project, cache: Cache, opened: list[str]
) -> None:
    look(Project(root=project.root, base=project.root, files=("a.py", "b.py")), cache)
    look(Project(root=project.root, base=project.root, files=("b.py", "pkg/c.py")), cache)
    opened.clear()

    look(project, cache)
    assert opened == []


def test_names_that_are_not_utf_8_are_read_each_time(tree: Tree, cache: Cache) -> None:
    root = tree({"a.py": ""})
    name = os.fsdecode(b"odd\xff.py")
    try:
        (root / name).write_text("x = 1\n")
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    project = Project(root=root, base=root, files=("a.py", name))

    first = look(project, cache)
    assert first == {"a.py": digest(""), name: digest("x = 1\n")}
    assert look(project, cache) == first
    assert set(cache.stamps(root)) == {"a.py"}


@pytest.mark.parametrize("value", [b"", b"\xc1", b"\x80", b"\x81\xa1a\x93\x01\x02\x03"])
def test_damaged_stamps_count_as_none(
    project: Project, cache: Cache, tmp_path: Path, value: bytes
) -> None:
    first = look(project, cache)
    db = sqlite3.connect(tmp_path / "cache")
    db.execute("UPDATE stamps SET value = ?", (value,))
    db.commit()
    db.close()

    assert cache.stamps(project.root) == {}
    assert look(project, cache) == first
    assert set(cache.stamps(project.root)) == set(CONTENT)


def test_only_so_many_roots_are_remembered(cache: Cache, tmp_path: Path) -> None:
    entry = {"a.py": (1, 2, 3, 4, 5, b"d")}
    for number in range(caches.MOST_ROOTS + 5):
        cache.stamp(tmp_path / str(number), entry)

    kept = [n for n in range(caches.MOST_ROOTS + 5) if cache.stamps(tmp_path / str(n))]
    assert len(kept) == caches.MOST_ROOTS
    assert kept[-1] == caches.MOST_ROOTS + 4, "the newest stays"
