"""`sdlc deploy` where something is wrong: words, files, disks, signals, readers."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tree = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]
Result = Callable[..., dict[str, Any]]
Files = Callable[[Path], dict[str, str]]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        pytest.param(["render"], 2, "say which environments", id="no environment"),
        pytest.param(["render", "--env", "dev", "--all"], 2, "say which", id="both"),
        pytest.param(["render", "--env", "prd"], 2, "--env prod", id="unknown, near"),
        pytest.param(["diff", "--env", "x"], 2, "no environment 'x'", id="unknown"),
        pytest.param(["drift", "--env", "dev", "--all"], 2, "contradict", id="contradiction"),
        pytest.param(["render", "--all", "--image", "shop:1"], 2, "digest", id="bad image"),
        pytest.param(["render", "--all", "--image", ""], 2, "--image is empty", id="empty image"),
        pytest.param(["drift", "--image="], 2, "--image is empty", id="empty image of drift"),
        pytest.param(["render", "--all", "--out", ""], 2, "--out is empty", id="empty folder"),
        pytest.param(["diff", "--out="], 2, "--out is empty", id="empty folder of diff"),
        pytest.param(["render", "--all", "--config", "no.yaml"], 2, "no.yaml", id="no such file"),
        pytest.param(["render", "--all", "--fail-on", "all"], 2, "--fail-on", id="bad severity"),
        pytest.param(["render", "--all", "--out", "deploy.yaml"], 3, "deploy.yaml", id="a file"),
        pytest.param(["render", "--all", "--out", "deploy.yaml/x"], 3, "deploy.yaml", id="below"),
        pytest.param(["render", "--all", "--out", "/proc/x"], 3, "/proc/x", id="no such place"),
        pytest.param(["validate", "nowhere"], 2, "nowhere", id="no such folder"),
        pytest.param(["explain", "k8s-nothing"], 2, "k8s-nothing", id="no such rule"),
        pytest.param(["init", "deploy.yaml"], 2, "not a folder", id="init into a file"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    words: list[str], code: int, told: str, shop: Path, deploy: Run, files: Files
) -> None:
    before = files(shop)

    done = deploy(*words, cwd=shop)

    assert done.returncode == code, done.stdout + done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert files(shop) == before


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param("app: shop", f"app: {'s' * 64}", "app: ", id="a name too long"),
        pytest.param("app: shop", "app: Shop", "app: ", id="upper case"),
        pytest.param("  prod: {", "  Prod: {", "environments", id="upper-case environment"),
        pytest.param("owner:", "ownr:", "ownr", id="unknown key"),
        pytest.param("owner: shop-team\n", "", "owner", id="missing key"),
        pytest.param("memory: 512Mi", "memory: 128Mi", "limits.memory", id="limit under request"),
        pytest.param("cpu: 250m", "cpu: lots", "requests.cpu", id="no amount"),
        pytest.param("replicas: 1", "replicas: many", "dev.replicas", id="no number"),
        pytest.param("{LOG_LEVEL: INFO}", '{LOG_LEVEL: "a\\nb"}', "LOG_LEVEL", id="a line end"),
        pytest.param("version: 1", "version: !!python/name:os 1", "deploy.yaml", id="a tag"),
    ],
)
def test_a_deploy_yaml_that_makes_no_sense_is_refused_with_its_key(
    old: str, new: str, told: str, shop: Path, deploy: Run, files: Files, deploy_yaml: str
) -> None:
    assert old in deploy_yaml
    (shop / "deploy.yaml").write_text(deploy_yaml.replace(old, new, 1))
    before = files(shop)

    done = deploy("render", "--all", cwd=shop)

    assert done.returncode == 2, done.stdout + done.stderr
    assert re.search(r"deploy\.yaml:\d+: ", done.stderr)
    assert told in done.stderr
    assert files(shop) == before


def test_environments_are_completed(shop: Path, sdlc: Run) -> None:
    done = sdlc(
        cwd=shop,
        _SDLC_COMPLETE="complete_bash",
        COMP_WORDS="sdlc deploy render --env s",
        COMP_CWORD="4",
    )

    assert done.stdout.split() == ["staging"]


@pytest.mark.parametrize("words", [["render", "--all"], ["diff"], ["drift"], ["eject", "x"]])
def test_without_a_deploy_yaml_there_is_nothing_to_do(
    words: list[str], tree: Tree, deploy: Run
) -> None:
    root = tree({"a.txt": ""}, git=True)

    done = deploy(*words, cwd=root)

    assert done.returncode in (2, 4)
    if words[0] != "eject":
        assert done.returncode == 4
        assert "sdlc deploy init" in done.stderr


def test_deploy_yaml_is_found_upward_and_its_folder_is_where_files_go(
    shop: Path, deploy: Run
) -> None:
    done = deploy("render", "--env", "dev", cwd=shop / "src")

    assert done.returncode == 0, done.stderr
    assert (shop / "k8s/dev/deployment.yaml").exists()
    assert not (shop / "src/k8s").exists()


def test_another_folder_gets_the_files_when_asked(shop: Path, deploy: Run) -> None:
    done = deploy("render", "--env", "dev", "--out", "build/out put", cwd=shop)

    assert done.returncode == 0, done.stderr
    assert (shop / "build/out put/k8s/dev/deployment.yaml").exists()
    assert "kubectl apply --kustomize 'build/out put/k8s/dev'" in done.stdout


def test_the_output_is_the_same_in_any_folder_language_zone_and_hash_seed(
    shop: Path,
    tmp_path_factory: pytest.TempPathFactory,
    deploy: Run,
    files: Files,
    deploy_yaml: str,
) -> None:
    deploy("render", "--all", "--out", "one", cwd=shop)
    other = tmp_path_factory.mktemp("other")
    (other / "deploy.yaml").write_text(deploy_yaml)
    environ = {"TZ": "Asia/Tokyo", "SDLC_LANG": "de", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    done = deploy("render", "--all", "--out", "two", cwd=other, **environ)

    assert done.returncode == 0, done.stderr
    assert len(files(shop / "one")) > 40
    assert files(shop / "one") == files(other / "two")


@pytest.mark.parametrize("width", ["20", "40", "60", "120"])
def test_a_narrow_terminal_shows_it_all(width: str, shop: Path, deploy: Run) -> None:
    done = deploy("render", "--all", cwd=shop, COLUMNS=width)

    assert done.returncode == 0
    commands = [line for line in done.stdout.splitlines() if line.startswith("  ")]
    others = [line for line in done.stdout.splitlines() if not line.startswith("  ")]
    assert commands
    assert max(map(len, others)) <= max(int(width), 40)


def test_a_reader_that_stops_early_ends_it_quietly(shop: Path) -> None:
    line = f"{sys.executable} -m sdlc_cli deploy diff --all | head -n 1"

    done = subprocess.run(
        ["bash", "-c", line], cwd=shop, capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("---")
    assert done.stderr == ""


def test_a_sigterm_leaves_all_or_nothing(shop: Path) -> None:
    """Wherever it arrives: before the write, amid it (then it is undone), or after."""
    ends: dict[int, str] = {}
    for wait in (0.05, 0.2, 0.35, 0.5, 0.8):
        process = subprocess.Popen(
            [sys.executable, "-m", "sdlc_cli", "deploy", "render", "--all"],
            cwd=shop,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(wait)
        process.send_signal(signal.SIGTERM)
        told = process.communicate()[1]
        ends[process.returncode] = told
        assert not (shop / ".sdlc-render").exists()
        assert (shop / "k8s").exists() == (shop / "render.lock.json").exists()

    assert set(ends) <= {0, 143, -signal.SIGTERM}, ends


def test_a_full_disk_is_said_so_and_changes_nothing(
    rendered: Path, files: Files, deploy_yaml: str
) -> None:
    (rendered / "deploy.yaml").write_text(
        deploy_yaml.replace("LOG_LEVEL: INFO", "LOG_LEVEL: DEBUG")
    )
    before = files(rendered)
    script = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))\n"
        "from sdlc_cli.__main__ import main\n"
        "sys.argv = ['sdlc', 'deploy', 'render', '--all']\n"
        "sys.exit(main())\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=rendered, capture_output=True, text=True, check=False
    )

    assert done.returncode == 3, done.stderr
    assert "cannot write" in done.stderr
    assert "File too large" in done.stderr
    assert files(rendered) == before
    assert not (rendered / ".sdlc-render").exists()


def killed_amid(root: Path) -> None:
    """Let both processes of a render die when all is in place but the journal."""
    script = (
        "import os, signal, sys\n"
        "real = os.unlink\n"
        "def unlink(path, **more):\n"
        "    if path == 'journal.json':\n"
        "        for process in (os.getppid(), os.getpid()): os.kill(process, signal.SIGKILL)\n"
        "    real(path, **more)\n"
        "os.unlink = unlink\n"
        "from sdlc_cli.__main__ import main\n"
        "sys.argv = ['sdlc', 'deploy', 'render', '--all']\n"
        "sys.exit(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL


def test_after_a_kill_nobody_judges_two_sets_and_the_next_render_mends(
    rendered: Path, deploy: Run, result: Result, files: Files, deploy_yaml: str
) -> None:
    before = files(rendered)
    (rendered / "deploy.yaml").write_text(
        deploy_yaml.replace("LOG_LEVEL: INFO", "LOG_LEVEL: DEBUG")
    )
    killed_amid(rendered)

    drift = deploy("drift", cwd=rendered)
    answer = result("drift", cwd=rendered, code=1)
    refused = [
        deploy("diff", cwd=rendered),
        deploy("validate", cwd=rendered),
        deploy("validate", "k8s/prod", cwd=rendered),
        deploy("validate", "--fail-on", "never", rendered.name, cwd=rendered.parent),
    ]
    (rendered / "deploy.yaml").write_text("version: 2\n")
    mended = deploy("render", "--all", cwd=rendered)
    (rendered / "deploy.yaml").write_text(deploy_yaml)

    assert drift.returncode == 1
    assert "a render was killed here" in drift.stderr
    assert answer["interrupted"] is True
    for done in refused:
        assert (done.returncode, done.stdout) == (3, "")
        assert "files of two renders lie there" in done.stderr
    assert mended.returncode == 2, "deploy.yaml is wrong, which does not keep it from mending"
    assert "taken back first" in mended.stderr
    assert files(rendered) == before


def test_two_renders_at_once_both_end_well(shop: Path, deploy: Run) -> None:
    words = [sys.executable, "-m", "sdlc_cli", "deploy", "render", "--quiet", "--env"]
    both = [
        subprocess.Popen([*words, name], cwd=shop, stdout=subprocess.DEVNULL)
        for name in ("dev", "prod")
    ]

    assert [process.wait() for process in both] == [0, 0]
    assert (shop / "k8s/dev/service.yaml").exists()
    assert (shop / "k8s/prod/service.yaml").exists()
    assert deploy("drift", cwd=shop).returncode == 0


def test_a_lock_with_a_merge_conflict_is_told(rendered: Path, deploy: Run) -> None:
    lock = rendered / "render.lock.json"
    lock.write_text(f"<<<<<<< HEAD\n{lock.read_text()}")

    done = deploy("render", "--all", cwd=rendered)

    assert done.returncode == 2
    assert "render.lock.json cannot be used: it is not JSON" in done.stderr


def test_a_hostile_file_cannot_speak_to_the_terminal(rendered: Path, deploy: Run) -> None:
    (rendered / "Dockerfile").write_bytes(b"FROM x\n\x1b]0;owned\x07\xff\n")

    done = deploy("diff", cwd=rendered)

    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "# Dockerfile: changed by hand" in done.stdout
    assert "-\\x1b]0;owned" in done.stdout


def test_every_sentence_can_be_translated(shop: Path, deploy: Run) -> None:
    done = deploy("render", "--all", cwd=shop, SDLC_LANG="en-XA")

    assert done.returncode == 0
    assert "Rendered" not in done.stdout
    assert "Ŕ" in done.stdout
