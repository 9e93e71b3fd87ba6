"""Commits of actions stand in one table, and nowhere else."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

import sdlc_cli
from sdlc_cli.deploy import pins, render
from sdlc_cli.deploy.model import Artifact, DeploySpec

COMMIT = re.compile(r"(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])")


@pytest.mark.parametrize("pin", pins.PINS.values(), ids=list(pins.PINS))
def test_a_pin_says_what_was_read_where_and_when(pin: pins.Pin) -> None:
    assert COMMIT.fullmatch(pin.commit)
    assert re.fullmatch(r"v\d+\.\d+\.\d+", pin.version)
    assert re.fullmatch(r"[\w-]+/[\w-]+", pin.action)
    assert re.fullmatch(r"20\d\d-[01]\d", pin.date)
    assert pin.seen


def test_no_two_actions_share_a_commit() -> None:
    commits = [pin.commit for pin in pins.PINS.values()]

    assert len(set(commits)) == len(commits)


def test_every_action_of_the_workflows_is_in_the_table_with_its_version(
    specs: tuple[DeploySpec, ...],
) -> None:
    known = set(pins.uses().values())
    lines = [
        line.partition("uses: ")[2]
        for artifact in _workflows(specs)
        for line in artifact.text.splitlines()
        if "uses:" in line
    ]

    assert len(lines) >= 20
    assert set(lines) <= known


def test_what_runs_is_the_commit_and_the_version_only_a_comment(
    specs: tuple[DeploySpec, ...],
) -> None:
    jobs = [
        job
        for artifact in _workflows(specs)
        for job in yaml.safe_load(artifact.text)["jobs"].values()
    ]
    used = {step["uses"] for job in jobs for step in job["steps"] if "uses" in step}

    assert used <= {f"{pin.action}@{pin.commit}" for pin in pins.PINS.values()}


def test_no_other_file_of_the_package_holds_a_commit() -> None:
    root = Path(sdlc_cli.__file__).parent
    holding = [
        path.relative_to(root).as_posix()
        for folder in (root / "deploy", root / "cli")
        for path in folder.rglob("*")
        if path.suffix in {".py", ".j2"} and COMMIT.search(path.read_text(encoding="utf-8"))
    ]

    assert holding == ["deploy/pins.py"]


def test_no_other_file_that_is_rendered_holds_a_commit(specs: tuple[DeploySpec, ...]) -> None:
    known = {pin.commit for pin in pins.PINS.values()}
    found = {artifact.path: set(COMMIT.findall(artifact.text)) for artifact in render.render(specs)}
    holding = {path: commits for path, commits in found.items() if commits}

    assert set(holding) == {".github/workflows/ci.yml", ".github/workflows/deploy.yml"}
    assert set().union(*holding.values()) <= known


def _workflows(specs: Sequence[DeploySpec]) -> list[Artifact]:
    return [one for one in render.render(specs) if one.path.startswith(".github/")]
