"""Several files change as one, wherever the work is cut off."""

import errno
import os
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sdlc_cli.core.errors import WorkError
from sdlc_cli.deploy import swap
from sdlc_cli.deploy.folder import HIDDEN, JOURNAL, Folder
from sdlc_cli.deploy.swap import Change

BEFORE = {
    "Dockerfile": "FROM old\n",
    "k8s/prod/service.yaml": "old\n",
    "k8s/prod/stale.yaml": "stale\n",
    "k8s/gone/service.yaml": "gone\n",
    "k8s/prod/own.yaml": "the user's\n",
}
CHANGES = (
    Change(path="Dockerfile", data=b"FROM new\n"),
    Change(path="k8s/dev/service.yaml", data=b"first\n"),
    Change(path="k8s/prod/service.yaml", data=b"new\n"),
    Change(path="k8s/prod/stale.yaml", data=None),
    Change(path="k8s/gone/service.yaml", data=None),
    Change(path="scripts/deploy.sh", data=b"#!/bin/sh\n", executable=True),
    Change(path="render.lock.json", data=b"{}\n"),
)
AFTER = {
    "Dockerfile": "FROM new\n",
    "k8s/dev/service.yaml": "first\n",
    "k8s/prod/service.yaml": "new\n",
    "k8s/prod/own.yaml": "the user's\n",
    "scripts/deploy.sh": "#!/bin/sh\n",
    "render.lock.json": "{}\n",
}
# What changes anything on a disk, and what brings it there.
CALLS = ("replace", "unlink", "mkdir", "rmdir", "link", "fsync", "open")


def contents(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in BEFORE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def carry_out(root: Path) -> None:
    with Folder(root) as folder:
        swap.swap(folder, CHANGES)


def mend(root: Path) -> bool:
    with Folder(root) as folder:
        return swap.undo(folder)


def interrupted(
    monkeypatch: pytest.MonkeyPatch, number: int, end: Callable[[], object]
) -> Callable[[], int]:
    """Let `end` happen in place of the call of that number; tells how many there were."""
    done = 0

    def wrapped(real: Callable[..., object]) -> Callable[..., object]:
        def call(*words: object, **more: object) -> object:
            nonlocal done
            done += 1
            if done == number:
                end()
            return real(*words, **more)

        return call

    for name in CALLS:
        monkeypatch.setattr(os, name, wrapped(getattr(os, name)))
    return lambda: done


def steps(root: Path) -> int:
    """How many calls the whole of it takes."""
    with pytest.MonkeyPatch.context() as patch:
        count = interrupted(patch, 0, lambda: None)
        carry_out(root)
        return count()


def in_a_child(work: Callable[[], None]) -> int:
    """The signal that ended a process which did the work; 0 when it came to its end."""
    with warnings.catch_warnings():  # of threads: the child uses none
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def test_all_changes_are_carried_out_and_nothing_else_stays(root: Path) -> None:
    carry_out(root)

    assert contents(root) == AFTER
    assert sorted(path.name for path in root.iterdir()) == [
        "Dockerfile", "k8s", "render.lock.json", "scripts"
    ]  # fmt: skip
    assert not (root / "k8s/gone").exists()
    assert os.access(root / "scripts/deploy.sh", os.X_OK)
    assert not (root / "Dockerfile").stat().st_mode & 0o100


def copies(root: Path, tmp_path: Path, total: int) -> Iterator[tuple[int, Path]]:
    """A folder as it was before, for each of the calls."""
    for number in range(1, total + 1):
        copy = tmp_path / f"{number}"
        for name, text in BEFORE.items():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_text(text)
        yield number, copy


def test_a_kill_at_any_moment_leaves_the_old_or_the_new_set(
    tmp_path_factory: pytest.TempPathFactory, root: Path
) -> None:
    total = steps(root)
    outcomes = set()

    for number, copy in copies(root, tmp_path_factory.mktemp("killed"), total):

        def work(copy: Path = copy, number: int = number) -> None:
            with pytest.MonkeyPatch.context() as patch:
                interrupted(patch, number, lambda: os.kill(os.getpid(), signal.SIGKILL))
                carry_out(copy)

        assert in_a_child(work) == signal.SIGKILL
        for name, text in contents(copy).items():  # no file is ever half a file
            if not name.startswith(HIDDEN):
                assert text in (BEFORE.get(name), AFTER.get(name)), f"{name} at call {number}"
        undone = mend(copy)
        found = contents(copy)
        assert found in (BEFORE, AFTER), f"at call {number}"
        outcomes.add((undone, found == AFTER))

    assert total > 40
    # Before the journal, between, and after it; never taken back when it was finished.
    assert outcomes == {(False, False), (True, False), (False, True)}


def test_a_kill_while_an_interrupted_swap_is_taken_back_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, root: Path
) -> None:
    halfway = steps(root) * 3 // 4
    killed = 0

    for number, copy in copies(root, tmp_path_factory.mktemp("twice"), 60):

        def half(copy: Path = copy) -> None:
            with pytest.MonkeyPatch.context() as patch:
                interrupted(patch, halfway, lambda: os.kill(os.getpid(), signal.SIGKILL))
                carry_out(copy)

        def back(copy: Path = copy, number: int = number) -> None:
            with pytest.MonkeyPatch.context() as patch:
                interrupted(patch, number, lambda: os.kill(os.getpid(), signal.SIGKILL))
                mend(copy)

        assert in_a_child(half) == signal.SIGKILL
        assert contents(copy) != BEFORE
        killed += in_a_child(back) == signal.SIGKILL
        mend(copy)
        assert contents(copy) == BEFORE, f"at call {number}"

    assert killed > 15


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(OSError(errno.ENOSPC, "No space left on device"), id="a full disk"),
        pytest.param(SystemExit(143), id="SIGTERM"),
        pytest.param(KeyboardInterrupt(), id="Ctrl-C"),
    ],
)
def test_an_error_at_any_moment_leaves_the_old_or_the_new_set_at_once(
    error: BaseException, tmp_path_factory: pytest.TempPathFactory, root: Path
) -> None:
    total = steps(root)
    outcomes = set()

    def fail() -> None:
        raise error

    for number, copy in copies(root, tmp_path_factory.mktemp("failed"), total):
        with pytest.MonkeyPatch.context() as patch:
            interrupted(patch, number, fail)
            with suppress(OSError, SystemExit, KeyboardInterrupt):
                carry_out(copy)
        found = contents(copy)
        if (copy / JOURNAL).exists():
            raise AssertionError(f"a journal is left at call {number}")
        outcomes.add({k: v for k, v in found.items() if not k.startswith(HIDDEN)} == AFTER)
        mend(copy)
        assert contents(copy) in (BEFORE, AFTER), f"at call {number}"

    assert outcomes == {True, False}


def test_what_somebody_changed_after_a_kill_is_not_taken_back(root: Path) -> None:
    def work() -> None:
        with pytest.MonkeyPatch.context() as patch:
            real = os.unlink

            def unlink(path: str, **more: int) -> None:
                if path == "journal.json":
                    os.kill(os.getpid(), signal.SIGKILL)
                real(path, **more)

            patch.setattr(os, "unlink", unlink)
            carry_out(root)

    assert in_a_child(work) == signal.SIGKILL
    (root / "Dockerfile").write_text("FROM by-hand\n")

    assert mend(root)
    assert contents(root) == BEFORE | {"Dockerfile": "FROM by-hand\n"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"moves": [], "folders": [".."]}',
        '{"moves": [{"number": 0, "path": "../x", "old": null, "new": null}], "folders": []}',
        '{"folders": [], "moves": [{"number": "/../x", "path": "k8s/x", "old": "", "new": ""}]}',
    ],
)
def test_a_journal_that_no_render_wrote_is_refused(text: str, root: Path) -> None:
    (root / HIDDEN).mkdir()
    (root / JOURNAL).write_text(text)

    with pytest.raises(WorkError) as caught:
        mend(root)

    assert JOURNAL in caught.value.message
    assert {k: v for k, v in contents(root).items() if not k.startswith(".")} == BEFORE


@pytest.mark.parametrize("place", ["k8s", "k8s/prod", "scripts", HIDDEN])
def test_a_link_in_place_of_a_folder_is_never_followed(
    place: str, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "service.yaml").write_text("not ours\n")
    if (root / place).exists():
        (root / place).rename(root / "moved-away")
    (root / place).symlink_to(outside)

    with pytest.raises(OSError, match="a link or a file lies where a folder must be"):
        carry_out(root)

    assert contents(outside) == {"service.yaml": "not ours\n"}
    assert (root / "Dockerfile").read_text() == "FROM old\n"


def test_a_link_in_place_of_a_file_is_replaced_itself(root: Path) -> None:
    outside = root.with_name(f"{root.name}.txt")
    outside.write_text("not ours\n")
    (root / "Dockerfile").unlink()
    (root / "Dockerfile").symlink_to(outside)

    carry_out(root)

    assert outside.read_text() == "not ours\n"
    assert not (root / "Dockerfile").is_symlink()


def test_a_folder_in_place_of_a_file_stops_all(root: Path) -> None:
    (root / "Dockerfile").unlink()
    (root / "Dockerfile").mkdir()

    with pytest.raises(WorkError, match="Dockerfile is no file"):
        carry_out(root)

    assert not (root / HIDDEN).exists()
    assert (root / "k8s/prod/service.yaml").read_text() == "old\n"


def test_a_file_system_without_second_names_is_good_enough(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(*_words: object, **_more: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    total = steps(root)

    assert contents(root) == AFTER
    assert total > 30
