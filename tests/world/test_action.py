"""action.yml's own steps, run one after the other in the environment that a runner gives them."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"] if "run" in step}
GOOD = "def f():\n    return 1\n"
OLD = "import pickle\n\n\ndef old(data):\n    return pickle.loads(data)\n"
NEW = "import subprocess\n\n\ndef new(x):\n    return subprocess.call(x, shell=True)\n"
PULL = {
    "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_BASE_REF": "main",
    "GITHUB_HEAD_REF": "feature",
    "GITHUB_REF": "refs/pull/7/merge",
}
ALL_BRANCHES = "+refs/heads/*:refs/remotes/origin/*"


@dataclass(frozen=True)
class Done:
    """What became of one step."""

    code: int
    out: str
    err: str
    summary: str


@dataclass(frozen=True)
class Runner:
    """A machine that has Python, git and bash, and nothing else: no token, no configuration."""

    folder: Path

    def step(
        self,
        name: str,
        checkout: Path,
        inputs: Mapping[str, str],
        variables: Mapping[str, str],
        python: Path | None = None,
    ) -> Done:
        """Run the step called `name` in `checkout`."""
        temp = self.folder / "temp"
        summary = self.folder / "summary.md"
        summary.write_text("")
        event = self.folder / "event.json"
        event.write_text(json.dumps({"pull_request": {"base": {"ref": "main"}}}))
        defaults = {key: value["default"] for key, value in ACTION["inputs"].items()}
        values = {
            **{f"inputs.{key}": value for key, value in (defaults | dict(inputs)).items()},
            "runner.temp": str(temp),
            "steps.python.outputs.python-path": str(python or sys.executable),
            "github.action_path": str(ROOT),
        }
        own = {key: _filled(text, values) for key, text in STEPS[name].get("env", {}).items()}
        script = self.folder / "step.sh"
        script.write_text(STEPS[name]["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=checkout,
            env={
                "HOME": str(self.folder / "home"),
                "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.defpath)),
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "GITHUB_EVENT_PATH": str(event),
                "GITHUB_STEP_SUMMARY": str(summary),
                "GITHUB_WORKSPACE": str(checkout),
                "RUNNER_TEMP": str(temp),
                **variables,
                **own,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr, summary.read_text())


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: values[match[1].strip()], text)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """With this sdlc where the action's first step installs one."""
    if not shutil.which("bash", path=os.defpath):
        pytest.skip("bash is not installed here")
    (tmp_path / "home").mkdir()
    program = tmp_path / "temp/sdlc/bin/sdlc"
    program.parent.mkdir(parents=True)
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -P -m sdlc_cli "$@"\n'
    )
    program.chmod(0o755)
    return Runner(tmp_path)


def git(where: Path, *words: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "protocol.file.allow=always")
    done = subprocess.run(
        ["git", *identity, *words], cwd=where, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """A repository with an open request from a fork: only refs/pull/7 leads to its commits."""
    root = tmp_path / "upstream"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    for branch, name, text in (
        ("main", "good.py", GOOD),
        ("main", "old.py", OLD),
        ("feature", "new.py", NEW),
        ("main", "later.txt", "later\n"),
    ):
        if branch != git(root, "symbolic-ref", "--short", "HEAD"):
            git(root, "checkout", "-q", *(["-b"] if branch == "feature" else []), branch)
        (root / name).write_text(text)
        git(root, "add", "-A")
        git(root, "commit", "-qm", name)
    git(root, "checkout", "-q", "--detach")
    git(root, "merge", "-q", "--no-ff", "-m", "merge", "feature")
    git(root, "update-ref", "refs/pull/7/merge", "HEAD")
    git(root, "checkout", "-q", "main")
    git(root, "branch", "-qD", "feature")
    return root


def checked_out(upstream: Path, folder: Path, *fetch: str) -> Path:
    """As actions/checkout does it for a request: one merge commit, detached."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "anything")
    git(folder, "remote", "add", "origin", upstream.as_uri())
    merge = "+refs/pull/7/merge:refs/remotes/pull/7/merge"
    options = [word for word in fetch if word.startswith("--")]
    more = [word for word in fetch if not word.startswith("--")]
    git(folder, "fetch", "-q", "--no-tags", *options, "origin", merge, *more)
    git(folder, "checkout", "-q", "--force", "refs/remotes/pull/7/merge")
    return folder


RUN = "Run the gates"
SINCE = {"arguments": "--changed-since auto"}


@pytest.mark.parametrize(
    "fetch", [pytest.param((ALL_BRANCHES,), id="full"), pytest.param(("--depth=2",), id="two deep")]
)
def test_a_request_from_a_fork_is_judged_by_what_it_changed(
    runner: Runner, upstream: Path, tmp_path: Path, fetch: tuple[str, ...]
) -> None:
    checkout = checked_out(upstream, tmp_path / "work", *fetch)

    done = runner.step(RUN, checkout, SINCE, PULL)

    assert done.code == 0, done.err
    assert "title=B602" in done.out
    assert "old.py" not in done.out
    assert done.summary.startswith("## ")
    assert json.loads((checkout / "gate.sarif").read_text())["version"] == "2.1.0"


@pytest.mark.parametrize("variables", [PULL, {}], ids=["request", "push"])
def test_a_clone_of_depth_one_is_told_what_to_do_and_doing_it_helps(
    runner: Runner, upstream: Path, tmp_path: Path, variables: dict[str, str]
) -> None:
    checkout = checked_out(upstream, tmp_path / "work", "--depth=1")

    done = runner.step(RUN, checkout, SINCE, variables)

    assert (done.code, done.out, done.summary) == (3, "", "")
    assert "fetch-depth: 0" in done.err
    command = re.search(r"try: git (fetch .*?) \(", done.err)
    assert command
    git(checkout, *shlex.split(command[1]))
    assert "title=B602" in runner.step(RUN, checkout, SINCE, variables).out


def test_without_a_revision_depth_one_is_enough(
    runner: Runner, upstream: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", upstream.as_uri(), "work")

    done = runner.step(RUN, tmp_path / "work", {"sarif-file": "out/my gate.sarif"}, {})

    assert done.code == 0, done.err
    assert "title=B301" in done.out
    assert (tmp_path / "work/out/my gate.sarif").exists()


def test_all_lines_of_arguments_count(runner: Runner, upstream: Path) -> None:
    lines = {"arguments": "--only syntax\n--require coverage\n", "generation": "2"}

    done = runner.step(RUN, upstream, lines, {})

    assert "coverage" in done.err + done.summary
    assert done.code == 3


def test_installing_runs_nothing_of_the_checkout(runner: Runner, tmp_path: Path) -> None:
    """Python looks for modules in the working directory first, unless it is told not to."""
    checkout = tmp_path / "work"
    checkout.mkdir()
    (checkout / "venv.py").write_text("raise SystemExit('code of the checkout ran')\n")
    pip = tmp_path / "temp/sdlc/bin/pip"
    python = tmp_path / "python"
    # Without pip, which is slow to unpack; what the step then calls writes down its words.
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@" --without-pip\n')
    pip.write_text('#!/bin/sh\necho "$@" >"$0.words"\n')
    for program in (python, pip):
        program.chmod(0o755)

    done = runner.step("Install sdlc", checkout, {}, {}, python=python)

    assert done.code == 0, done.err
    assert (tmp_path / "temp/sdlc/pyvenv.cfg").exists()
    assert Path(f"{pip}.words").read_text().split() == ["install", "--quiet", str(ROOT)]


def test_each_action_of_others_is_pinned_to_a_commit() -> None:
    used = [step["uses"] for step in ACTION["runs"]["steps"] if "uses" in step]

    assert len(used) == 2
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", one) for one in used)


def test_the_hooks_of_pre_commit_are_commands_of_ours() -> None:
    from sdlc_cli.cli import gate

    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    commands = gate.app.registered_commands
    known = {one.name or one.callback.__name__ for one in commands if one.callback}

    for hook in hooks:
        program, group, command = hook["entry"].split()
        assert (program, group) == ("sdlc", "gate")
        assert command in known
        assert (hook["language"], hook["pass_filenames"]) == ("python", False)
