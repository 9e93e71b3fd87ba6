"""scripts/deploy.sh deploys, verifies and goes back, here with a kubectl that only writes down."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdlc_cli.deploy import render
from sdlc_cli.deploy.model import DeploySpec
from sdlc_cli.deploy.sets import pipeline

SHA = "c" * 40
KUBECTL = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
  *"get deployment answers"*) printf %s "${REVISION-7}" ;;
  *"get configmap"*) printf '  resourceVersion: "1"\\n  uid: u\\ndata: {}\\n' ;;
  *"rollout status"*) [ -z "${STUCK-}" ] ;;
esac
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The script in a folder, and what it called."""

    folder: Path

    def __call__(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment: Mapping[str, str] = {
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "CALLS": str(self.folder / "calls"),
            **more,
        }
        return subprocess.run(
            ["sh", str(self.folder / "scripts" / "deploy.sh"), *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        """What kubectl and curl were asked since the last time."""
        path = self.folder / "calls"
        said = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return said


@pytest.fixture
def script(tmp_path: Path, specs: tuple[DeploySpec, ...]) -> Script:
    (tmp_path / "bin").mkdir()
    for name, text in (("kubectl", KUBECTL), ("curl", '#!/bin/sh\necho "curl $*" >> "$CALLS"\n')):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "deploy.sh").write_text(_text(specs))
    return Script(folder=tmp_path)


def _text(specs: Sequence[DeploySpec]) -> str:
    wanted = next(one for one in pipeline.files(specs) if one.kind == "script")
    return render.Renderer(None).artifact(wanted).text


def test_files_of_two_renders_are_not_deployed(script: Script) -> None:
    journal = script.folder / ".sdlc-render" / "journal.json"
    journal.parent.mkdir()
    journal.write_text("{}")

    done = script("deploy", "staging")

    assert done.returncode == 1
    assert "a render was killed here" in done.stderr
    assert script.calls() == []


def test_a_deploy_applies_the_environment_and_waits(script: Script) -> None:
    done = script("deploy", "staging")

    assert done.returncode == 0, done.stderr
    calls = script.calls()
    applied = next(i for i, call in enumerate(calls) if call.startswith("apply --kustomize"))
    assert calls[applied].endswith("/k8s/staging")
    assert "rollout status deployment/answers" in calls[applied + 1]


def test_a_rollback_goes_to_the_revision_and_the_configuration_from_before(script: Script) -> None:
    script("deploy", "staging", REVISION="41")
    script.calls()

    done = script("rollback", "staging", REVISION="42")

    assert done.returncode == 0, done.stderr
    replaced, undone, waited = script.calls()
    assert replaced.startswith("replace --filename")
    assert undone.endswith("rollout undo deployment/answers --to-revision 41")
    assert "rollout status" in waited
    saved = Path(replaced.split()[-1]).read_text()
    assert "data:" in saved
    assert "resourceVersion" not in saved
    assert "uid" not in saved


def test_a_rollback_from_elsewhere_leaves_the_configuration(script: Script) -> None:
    done = script("rollback", "staging")

    assert done.returncode == 0, done.stderr
    assert script.calls()[0] == "--namespace answers-staging rollout undo deployment/answers"
    assert "configuration stays" in done.stdout


def test_there_is_no_way_back_from_a_first_deploy(script: Script) -> None:
    script("deploy", "staging", REVISION="")

    done = script("rollback", "staging")

    assert done.returncode == 1
    assert "nothing ran in staging before" in done.stderr


def test_a_rollout_that_does_not_end_fails(script: Script) -> None:
    assert script("deploy", "staging", STUCK="1").returncode != 0
    assert script("verify", "staging", STUCK="1").returncode != 0


def test_regions_are_deployed_one_after_the_other_each_in_its_context(script: Script) -> None:
    done = script("deploy", "prod")

    assert done.returncode == 0, done.stderr
    applied = [call for call in script.calls() if " apply " in call]
    assert [call.split()[1] for call in applied] == [
        "answers-prod-eu-west-1",
        "answers-prod-us-east-1",
    ]
    assert applied[1].endswith("/k8s/regions/prod/us-east-1")


def test_what_is_applied_is_what_was_rendered(
    script: Script, specs: tuple[DeploySpec, ...]
) -> None:
    paths = {artifact.path for artifact in render.render(specs)}

    for spec in specs:
        script("deploy", spec.environment)
    folders = [call.split("/../")[1] for call in script.calls() if "apply --kustomize" in call]

    assert len(folders) == 5  # one of the four has two regions
    assert {f"{folder}/kustomization.yaml" for folder in folders} <= paths


def test_a_region_that_was_not_reached_is_not_rolled_back(script: Script) -> None:
    script("deploy", "prod", STUCK="1")  # ends in the first region
    script.calls()

    done = script("rollback", "prod")

    assert done.returncode == 0, done.stderr
    undone = [call.split()[1] for call in script.calls() if "rollout undo" in call]
    assert undone == ["answers-prod-eu-west-1"]


def test_verify_asks_every_domain(script: Script) -> None:
    assert script("verify", "prod").returncode == 0

    asked = [call.split()[-1] for call in script.calls() if call.startswith("curl")]
    assert asked == [
        "https://answers.example.com/health/ready",
        "https://api.example.com/health/ready",
    ]


def test_a_domain_that_does_not_answer_fails(script: Script) -> None:
    (script.folder / "bin" / "curl").write_text("#!/bin/sh\nexit 22\n")

    assert script("verify", "prod").returncode != 0


def test_the_context_can_be_named(script: Script) -> None:
    script("status", "dev", KUBE_CONTEXT="mine")

    assert all(call.startswith("--context mine --namespace answers-dev") for call in script.calls())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param((), "deploy ENVIRONMENT", id="nothing"),
        pytest.param(("deploy",), "deploy ENVIRONMENT", id="no environment"),
        pytest.param(("fly", "prod"), "deploy ENVIRONMENT", id="unknown command"),
        pytest.param(("deploy", "pord"), "dev staging prod dr", id="unknown environment"),
        pytest.param(("deploy", "$(id)"), "no environment '$(id)'", id="no code"),
    ],
)
def test_wrong_words_are_refused_before_anything_is_called(
    script: Script, words: tuple[str, ...], said: str
) -> None:
    done = script(*words)

    assert done.returncode == 2
    assert said in done.stderr
    assert not script.calls()


@pytest.mark.parametrize(
    ("report", "accepted"),
    [
        pytest.param({"passed": True, "commit": SHA}, True, id="passed"),
        pytest.param({"passed": False, "commit": SHA}, False, id="failed"),
        pytest.param({"passed": "true", "commit": SHA}, False, id="a text is no verdict"),
        pytest.param({"commit": SHA}, False, id="no verdict"),
        pytest.param({"passed": True, "commit": "d" * 40}, False, id="another commit"),
        pytest.param({"passed": True}, False, id="no commit"),
        pytest.param([], False, id="another form"),
    ],
)
def test_only_a_report_that_passed_for_this_commit_is_accepted(
    script: Script, tmp_path: Path, report: object, accepted: bool
) -> None:
    if not shutil.which("jq"):
        pytest.skip("jq is not installed")
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))

    done = script("check-report", str(path), SHA)

    assert (done.returncode == 0) is accepted
    assert accepted or "does not say that commit" in done.stderr


def test_a_report_that_is_missing_or_broken_is_refused(script: Script, tmp_path: Path) -> None:
    if not shutil.which("jq"):
        pytest.skip("jq is not installed")
    good = f'{{"passed": true, "commit": "{SHA}"}}'
    broken = tmp_path / "broken.json"
    for text in ("", " \n", '{"passed": true', "[]", f"[{good}]", f"{good}\n{good}"):
        broken.write_text(text)
        assert script("check-report", str(broken), SHA).returncode == 1, text
    broken.write_text(good)
    assert script("check-report", str(broken), SHA).returncode == 0
    assert script("check-report", str(tmp_path / "none.json"), SHA).returncode == 1


def test_the_script_is_executable_and_ends_at_the_first_error(
    specs: tuple[DeploySpec, ...],
) -> None:
    wanted = next(one for one in pipeline.files(specs) if one.kind == "script")

    assert wanted.executable
    assert "\nset -eu\n" in _text(specs)


Make = Callable[..., DeploySpec]
GATES = "version: 1\ngates: {syntax: {}, security: {}, secrets: {}}\n"


def test_an_environment_without_domains_asks_nobody(tmp_path: Path, spec: Make) -> None:
    text = _text([spec(domains=())])

    assert "https://" not in text


@pytest.mark.parametrize(
    ("files", "accepted"),
    [
        pytest.param({"app.py": "x = 1\n", "gates.yaml": GATES}, True, id="a sound commit"),
        pytest.param({"app.py": "x = (\n", "gates.yaml": GATES}, False, id="a broken commit"),
        pytest.param({"app.py": "x = 1\n"}, False, id="a commit without gates.yaml"),
    ],
)
@pytest.mark.usefixtures("unmeasured")
def test_the_report_that_the_pipeline_makes_opens_the_way_or_closes_it(
    script: Script,
    tree: Callable[..., Path],
    specs: tuple[DeploySpec, ...],
    files: dict[str, str],
    accepted: bool,
) -> None:
    """The steps of the workflow, run one after the other in a real repository."""
    if not shutil.which("jq"):
        pytest.skip("jq is not installed")
    root = tree(files, git=True)
    steps = {
        step["name"]: step["run"]
        for step in _workflow(specs)["jobs"]["test"]["steps"]
        if "run" in step
    }
    runner = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "RUNNER_TEMP": str(script.folder),
    }
    for name in ("Judge the commit", "Write the commit into the report"):
        bash = ["bash", "-e", "-o", "pipefail", "-c", steps[name]]
        subprocess.run(bash, cwd=root, env=runner, capture_output=True, check=False)
    head = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(head, cwd=root, capture_output=True, text=True, check=True).stdout

    report = str(script.folder / "report.json")
    assert (script("check-report", report, commit.strip()).returncode == 0) is accepted
    assert script("check-report", report, SHA).returncode == 1


def _workflow(specs: Sequence[DeploySpec]) -> Any:
    wanted = next(one for one in pipeline.files(specs) if one.path.endswith("/deploy.yml"))
    return yaml.safe_load(render.Renderer(None).artifact(wanted).text)
