"""`sdlc init`: files that load, claim only what is there, and overwrite nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from sdlc_cli.core.errors import UsageError, WorkError
from sdlc_cli.gate import config, pipelines, scaffold
from sdlc_cli.gate.survey import survey

Tree = Callable[..., Path]

ALWAYS = {"syntax", "security", "secrets"}
PYTEST = "[project]\nname = 'x'\n[dependency-groups]\ndev = ['pytest']\n"
REPOSITORIES: dict[str, tuple[dict[str, str | bytes], set[str]]] = {
    "empty": ({}, set()),
    "script": ({"a.py": "x = 1\n"}, {"maintainability"}),
    "tests": (
        {"pyproject.toml": PYTEST, "tests/test_a.py": ""},
        {"maintainability", "integration"},
    ),
    "tests that only pytest runs": (
        {"tests/unit/test_a.py": "import os\n\n\nasync def test_a() -> None:\n    assert os\n"},
        {"maintainability", "integration"},
    ),
    "tests of unittest": (
        {"tests/test_a.py": "class A:\n    def test_a(self):\n        pass\n"},
        {"maintainability"},
    ),
    "tests without pytest": ({"tests/test_a.py": ""}, {"maintainability"}),
    "a folder without a test": ({"pyproject.toml": PYTEST, "tests/data.txt": ""}, set()),
    "pytest-cov": (
        {"pyproject.toml": PYTEST.replace("'pytest'", "'pytest-cov'"), "tests/test_a.py": ""},
        {"maintainability", "integration", "coverage"},
    ),
    "coverage report": ({"coverage.xml": "<coverage/>"}, {"coverage"}),
    "coverage set up only": ({".coveragerc": ""}, set()),
    "audit report": ({"pip-audit.json": "{}", "uv.lock": ""}, {"dependencies"}),
    "lock only": ({"uv.lock": "", "benchmarks/b.py": ""}, {"maintainability"}),
    "foreign code": ({"vendor/a.py": "", "third_party/b.txt": ""}, set()),
    "broken pyproject": ({"pyproject.toml": "[project\n"}, set()),
    "not UTF-8": ({"pyproject.toml": b"\xff\xfe", "requirements.txt": b"\xff"}, set()),
}


@pytest.fixture(params=REPOSITORIES, ids=list(REPOSITORIES))
def repository(request: pytest.FixtureRequest, tree: Tree) -> tuple[Path, set[str]]:
    """One kind of repository, and the gates that it can answer beside those of all."""
    files, gates = REPOSITORIES[request.param]
    return tree(files), gates


def test_what_is_written_loads_and_claims_what_is_there(
    repository: tuple[Path, set[str]],
) -> None:
    root, gates = repository
    done = scaffold.write(root)

    loaded = config.load(root / config.FILE_NAME, root, {})
    assert set(loaded.gates) == set(done.gates) == ALWAYS | gates


def test_every_gate_that_is_left_out_loads_when_its_comment_signs_are_removed(
    repository: tuple[Path, set[str]],
) -> None:
    root, _gates = repository
    whole = "\n".join(
        line.replace("  # ", "  ", 1) if line.startswith("  # ") and _is_code(line) else line
        for line in scaffold.gates_yaml(survey(root)).splitlines()
    )

    (root / config.FILE_NAME).write_text(whole, encoding="utf-8")
    loaded = config.load(root / config.FILE_NAME, root, {})
    assert set(loaded.gates) == set(config.BUILT_IN)


def _is_code(line: str) -> bool:
    text = line.strip().lstrip("# ")
    return text.endswith((":", "{}")) or text.split(":")[0].removeprefix("- ").isidentifier()


def test_nothing_is_overwritten_without_force(tree: Tree) -> None:
    root = tree({"gates.yaml": "mine\n"})

    with pytest.raises(UsageError, match="nothing to write"):
        scaffold.write(root)
    assert (root / "gates.yaml").read_text() == "mine\n"

    scaffold.write(root, force=True)
    assert "version: 1" in (root / "gates.yaml").read_text()


@pytest.mark.parametrize(
    ("ci", "there", "written", "include"),
    [
        ("github", {}, pipelines.GITHUB, ""),
        ("gitlab", {}, pipelines.GITLAB, ""),
        ("gitlab", {pipelines.GITLAB: "mine\n"}, pipelines.GITLAB_PART, pipelines.GITLAB_PART),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_the_ci_file_stands_beside_what_is_there(
    ci: str,
    there: dict[str, str | bytes],
    written: str,
    include: str,
    force: bool,
    tree: Tree,
) -> None:
    root = tree({"gates.yaml": "version: 1\n", **there})

    done = scaffold.write(root, ci=ci, force=force)

    assert written in done.written
    assert (done.kept == ()) is force
    assert done.include == include
    for name, text in there.items():
        assert (root / name).read_text() == text
    assert yaml.safe_load((root / written).read_text(encoding="utf-8"))


def test_the_workflow_has_least_rights_and_pinned_actions(
    repository: tuple[Path, set[str]],
) -> None:
    root, gates = repository
    workflow = yaml.safe_load(pipelines.github(survey(root)))

    job = workflow["jobs"]["gate"]
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "read"}
    assert job["timeout-minutes"] <= 60
    uses = [step["uses"] for step in job["steps"] if "uses" in step]
    assert uses
    assert all(len(use.split("@")[1]) == 40 for use in uses)
    runs = " ".join(step.get("run", "") for step in job["steps"])
    assert "${{" not in runs  # a value pasted into a shell line could be a command
    assert (".venv" in runs or "uv sync" in runs) is ("integration" in gates)
    assert 'pip install "$SDLC_SOURCE"' in runs


@pytest.mark.parametrize(
    ("declared", "expected"),
    [("", "3.12"), (">=3.9", "3.11"), (">=3.11,<4", "3.11"), (">=3.13", "3.13")],
)
def test_ci_runs_a_python_that_both_the_project_and_sdlc_take(
    declared: str, expected: str, tree: Tree
) -> None:
    root = tree({"pyproject.toml": f"[project]\nname = 'x'\nrequires-python = '{declared}'\n"})

    assert f'python-version: "{expected}"' in pipelines.github(survey(root))
    assert f'image: "python:{expected}"' in pipelines.gitlab(survey(root))


def test_a_path_that_is_no_folder_is_refused(tree: Tree) -> None:
    root = tree({"a.py": ""})

    with pytest.raises(UsageError, match="is not a folder"):
        scaffold.write(root / "a.py")


def test_a_disk_that_refuses_is_said(tree: Tree) -> None:
    root = tree({".github": "a file where a folder belongs"})

    with pytest.raises(WorkError, match="could not be written"):
        scaffold.write(root, ci="github")


def test_it_says_what_it_did_and_what_comes_next(tree: Tree) -> None:
    root = tree({pipelines.GITLAB: "mine\n"})

    lines = scaffold.describe(scaffold.write(root, ci="gitlab"))

    assert lines[0] == f"wrote {root / 'gates.yaml'}"
    assert "    - local: sdlc-gate.gitlab-ci.yml" in lines
    assert lines[-1] == "next: sdlc gate run"
