"""Folders for temporary work, with processes that are really killed."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdlc_cli.core.workfolder import workfolder

PREFIX = "sdlc-trial-"
HOLD = f"""
import sys, time
from sdlc_cli.core.workfolder import workfolder
with workfolder({PREFIX!r}) as folder:
    (folder / "data").write_text("x")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


@pytest.fixture
def other(place: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process with a folder of its own."""
    run = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    yield run, Path(run.stdout.readline().strip())
    run.kill()
    run.wait()
    run.stdout.close()


def test_a_folder_is_gone_when_its_work_is_done(place: Path) -> None:
    with workfolder(PREFIX) as folder:
        assert folder.parent == place
        assert folder.stat().st_mode & 0o077 == 0

    assert list(place.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next(
    place: Path, other: tuple[subprocess.Popen[str], Path]
) -> None:
    run, left = other
    run.kill()
    run.wait()
    assert (left / "data").is_file()

    with workfolder(PREFIX) as folder:
        assert list(place.iterdir()) == [folder]


def test_the_folder_of_a_living_process_stays(
    place: Path, other: tuple[subprocess.Popen[str], Path]
) -> None:
    _run, theirs = other

    with workfolder(PREFIX), workfolder(PREFIX):
        assert len(list(place.iterdir())) == 3

    assert (theirs / "data").is_file()


def test_nothing_else_is_touched(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / ".lock").touch()
    (place / f"{PREFIX}link").symlink_to(elsewhere)
    (place / f"{PREFIX}file").touch()
    (place / f"{PREFIX}fresh").mkdir()  # being made this moment, by all that can be known
    (place / "someone-elses").mkdir()

    with workfolder(PREFIX):
        pass

    assert (elsewhere / ".lock").is_file()
    assert {entry.name.removeprefix(PREFIX) for entry in place.iterdir()} == {
        "link", "file", "fresh", "someone-elses",
    }  # fmt: skip


def test_a_folder_without_a_lock_goes_after_a_day(place: Path) -> None:
    old = place / f"{PREFIX}old"
    old.mkdir()
    os.utime(old, (time.time() - 90_000, time.time() - 90_000))

    with workfolder(PREFIX):
        assert not old.exists()
