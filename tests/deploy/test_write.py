"""Writing a render: the user's files and edits stay, ours come and go, one writer at a time."""

import fcntl
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sdlc_cli.core.errors import ConfigError, WorkError
from sdlc_cli.deploy import turns, write
from sdlc_cli.deploy.folder import HIDDEN
from sdlc_cli.deploy.model import Artifact

SHARED = {"Dockerfile": "FROM x\n", "scripts/deploy.sh": "#!/bin/sh\n"}
ENVIRONMENTS = ("dev", "prod")


def render(*environments: str, text: str = "kind: Service\n") -> tuple[Artifact, ...]:
    """What a render of these environments makes."""
    shared = [
        Artifact(path=path, text=body, kind="docker", executable=path.endswith(".sh"))
        for path, body in SHARED.items()
    ]
    own = [
        Artifact(path=f"k8s/{name}/service.yaml", text=text, kind="kubernetes", environment=name)
        for name in environments
    ]
    return (*shared, *own)


def write_to(
    out: Path,
    *chosen: str,
    known: Sequence[str] = ENVIRONMENTS,
    text: str = "kind: Service\n",
    force: bool = False,
) -> write.Written:
    return write.write(out, render(*chosen, text=text), chosen=chosen, known=known, force=force)


def names(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_a_first_render_writes_all_and_a_second_touches_nothing(tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"

    first = write_to(out, "dev", "prod")
    times = {name: (out / name).stat().st_mtime_ns for name in names(out)}
    second = write_to(out, "dev", "prod")

    assert names(out) == {
        *SHARED, "k8s/dev/service.yaml", "k8s/prod/service.yaml", "render.lock.json"
    }  # fmt: skip
    assert len(first.plan.paths("new")) == 4
    assert not second.plan.differs
    assert times == {name: (out / name).stat().st_mtime_ns for name in names(out)}
    assert os.access(out / "scripts/deploy.sh", os.X_OK)


def test_one_environment_after_the_other_keeps_both(tmp_path: Path) -> None:
    write_to(tmp_path, "dev")
    write_to(tmp_path, "prod")

    assert {"k8s/dev/service.yaml", "k8s/prod/service.yaml"} <= names(tmp_path)
    assert write.last(tmp_path).environments == ("dev", "prod")


def test_an_environment_that_is_gone_takes_its_files_along(tmp_path: Path) -> None:
    write_to(tmp_path, "dev", "prod")

    done = write_to(tmp_path, "dev", known=("dev",))

    assert done.plan.paths("stale") == ("k8s/prod/service.yaml",)
    assert not (tmp_path / "k8s/prod").exists()
    assert write.last(tmp_path).environments == ("dev",)


def test_a_stale_file_that_was_changed_by_hand_stays_and_is_the_users(tmp_path: Path) -> None:
    write_to(tmp_path, "dev", "prod")
    (tmp_path / "k8s/prod/service.yaml").write_text("by hand\n")

    done = write_to(tmp_path, "dev", known=("dev",))
    again = write_to(tmp_path, "dev", known=("dev",))

    assert done.plan.paths("left") == ("k8s/prod/service.yaml",)
    assert (tmp_path / "k8s/prod/service.yaml").read_text() == "by hand\n"
    assert not again.plan.differs


@pytest.mark.parametrize(
    ("rendered_before", "words"),
    [
        pytest.param(True, "changed by hand since it was rendered", id="an edit"),
        pytest.param(False, "no render wrote it", id="a file of the user"),
    ],
)
def test_what_is_the_users_is_overwritten_only_by_force(
    rendered_before: bool, words: str, tmp_path: Path
) -> None:
    if rendered_before:
        write_to(tmp_path, "dev")
    for name in ("Dockerfile", "k8s/dev/service.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("by hand\n")
    before = {name: (tmp_path / name).read_text() for name in names(tmp_path)}

    with pytest.raises(ConfigError) as caught:
        write_to(tmp_path, "dev", text="kind: Other\n")
    unchanged = {name: (tmp_path / name).read_text() for name in names(tmp_path)}
    write_to(tmp_path, "dev", text="kind: Other\n", force=True)

    assert unchanged == before
    assert [problem.split()[0] for problem in caught.value.problems] == [
        "Dockerfile", "k8s/dev/service.yaml"
    ]  # fmt: skip
    assert all(words in problem for problem in caught.value.problems)
    assert "--force" in caught.value.hint
    assert (tmp_path / "k8s/dev/service.yaml").read_text() == "kind: Other\n"


def test_an_edit_that_is_what_the_render_wants_is_no_edit(tmp_path: Path) -> None:
    write_to(tmp_path, "dev")
    (tmp_path / "k8s/dev/service.yaml").write_text("kind: Other\n")

    done = write_to(tmp_path, "dev", text="kind: Other\n")

    assert done.plan.paths("edited", "foreign") == ()


def test_files_of_the_user_are_never_touched(tmp_path: Path) -> None:
    own = {"src/main.py": "x = 1\n", "k8s/prod/own.yaml": "own\n", ".github/dependabot.yml": "1\n"}
    for name, text in own.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    write_to(tmp_path, "dev", "prod")
    write_to(tmp_path, "dev", known=("dev",))

    assert {name: (tmp_path / name).read_text() for name in own} == own


def test_comparing_touches_nothing_and_tells_what_a_render_would_do(tmp_path: Path) -> None:
    write_to(tmp_path, "dev", "prod")
    (tmp_path / "Dockerfile").unlink()
    before = names(tmp_path)

    plan = write.compare(
        tmp_path, render("dev", text="kind: Other\n"), chosen=("dev",), known=("dev",)
    )

    assert names(tmp_path) == before
    assert [(step.path, step.state) for step in plan.steps if step.state != "unchanged"] == [
        ("Dockerfile", "new"),
        ("k8s/dev/service.yaml", "changed"),
        ("k8s/prod/service.yaml", "stale"),
    ]


def test_comparing_with_a_folder_that_is_not_there_says_that_all_is_new(tmp_path: Path) -> None:
    plan = write.compare(tmp_path / "none", render("dev"), chosen=("dev",), known=("dev",))

    assert {step.state for step in plan.steps} == {"new"}
    assert not (tmp_path / "none").exists()


def test_an_interrupted_render_is_taken_back_by_the_next(tmp_path: Path) -> None:
    write_to(tmp_path, "dev", "prod")
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from sdlc_cli.deploy import write\n"
        "from sdlc_cli.deploy.model import Artifact\n"
        "real = os.unlink\n"
        "def unlink(path, **more):\n"
        "    if path == 'journal.json':\n"
        "        for process in (os.getppid(), os.getpid()): os.kill(process, signal.SIGKILL)\n"
        "    real(path, **more)\n"
        "os.unlink = unlink\n"
        "one = Artifact(path='k8s/dev/service.yaml', text='x', kind='kubernetes',"
        " environment='dev')\n"
        "write.write(Path(sys.argv[1]), [one], chosen=('dev',), known=('dev',))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], check=False)
    assert done.returncode == -9
    assert turns.was_interrupted(tmp_path)

    again = write_to(tmp_path, "dev", "prod")

    assert again.undone
    assert not again.plan.differs, "what was taken back is what the render wants"
    assert not (tmp_path / HIDDEN).exists()


def test_two_renders_at_once_take_turns(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from sdlc_cli.deploy import write\n"
        "from sdlc_cli.deploy.model import Artifact\n"
        "for turn in range(20):\n"
        "    files = [Artifact(path=f'k8s/dev/{n}.yaml', text=f'{sys.argv[2]} {turn}',"
        " kind='kubernetes', environment='dev') for n in range(5)]\n"
        "    write.write(Path(sys.argv[1]), files, chosen=('dev',), known=('dev',))\n"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", script, tmp_path, name]) for name in ("one", "two")
    ]

    assert [process.wait() for process in both] == [0, 0]
    assert len({path.read_text() for path in (tmp_path / "k8s/dev").iterdir()}) == 1
    assert not (tmp_path / HIDDEN).exists()


def test_a_run_that_does_not_end_is_not_waited_for_forever(tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(WorkError, match="another sdlc deploy"):
            write.write(tmp_path, render("dev"), chosen=("dev",), known=("dev",), patience=0.05)
    finally:
        os.close(handle)

    assert names(tmp_path) == set()


def test_the_output_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    write_to(tmp_path / "link", "dev")

    assert "k8s/dev/service.yaml" in names(tmp_path / "real")
    assert (tmp_path / "link").is_symlink()


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that every user may read. pytest keeps its own, and those above, to one user."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def read_only(open_to_all: Path) -> Iterator[Path]:
    """A folder with a render that only its owner's group of none may write to."""
    out = open_to_all / "out"
    write_to(out, "dev")
    (out / "k8s/dev").chmod(0o555)
    yield out
    (out / "k8s/dev").chmod(0o755)


def test_a_folder_that_cannot_be_written_is_said_so_and_all_stays(read_only: Path) -> None:
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from test_write import write_to\n"
        "if os.geteuid() == 0:\n"
        "    os.chown(sys.argv[1], 65534, 65534)\n"
        "    os.setgid(65534); os.setuid(65534)\n"
        "try: write_to(Path(sys.argv[1]), 'dev', text='kind: Other\\n')\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    before = {name: (read_only / name).read_text() for name in names(read_only)}

    done = subprocess.run(
        [sys.executable, "-c", script, read_only],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent,
    )

    assert re.fullmatch(
        "WorkError cannot write .*service.yaml: Permission denied\n", done.stdout
    ), done.stdout
    assert {name: (read_only / name).read_text() for name in names(read_only)} == before


@pytest.mark.parametrize(
    "call",
    ["turns.refuse_interrupted_above(place)", "eject.first(place, force=False)",
     "write.last(place / 'out')", "write.exists(place)"],
)  # fmt: skip
def test_a_folder_that_nobody_may_enter_is_said_so(call: str, open_to_all: Path) -> None:
    (open_to_all / "closed").mkdir(mode=0o000)
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from sdlc_cli.deploy import eject, infer, turns, write\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "place = Path(sys.argv[1])\n"
        f"try: {call}\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, "closed"],
        capture_output=True,
        text=True,
        check=True,
        cwd=open_to_all,
    )

    assert re.fullmatch("WorkError cannot read .*closed[a-z/.-]*: Permission denied\n", done.stdout)


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_in_place_of_the_output_folder_is_said_so(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(WorkError) as caught:
        write_to(tmp_path / place, "dev")

    assert "cannot write" in caught.value.message
    assert "file" in caught.value.message
    assert (tmp_path / "file").read_text() == ""


def test_links_inside_the_folder_lead_nowhere(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (tmp_path / "k8s").symlink_to(outside)

    with pytest.raises(WorkError, match="a link or a file lies where a folder must be"):
        write_to(tmp_path, "dev", force=True)

    assert names(outside) == set()


def test_a_lock_that_is_a_link_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    write_to(tmp_path / "out", "dev")
    lock = tmp_path / "out" / "render.lock.json"
    lock.rename(tmp_path / "elsewhere.json")
    lock.symlink_to(tmp_path / "elsewhere.json")

    with pytest.raises(WorkError, match=r"render\.lock\.json: a link, which is never followed"):
        write_to(tmp_path / "out", "dev", text="kind: Other\n")
    with pytest.raises(WorkError, match=r"render\.lock\.json: a link, which is never followed"):
        write.last(tmp_path / "out")
