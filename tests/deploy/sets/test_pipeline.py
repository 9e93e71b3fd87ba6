"""The workflows let only judged commits through, with few rights; hostile text stays text."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.deploy import escape, render
from sdlc_cli.deploy.model import Build, DeploySpec, Health, Image, Pipeline
from sdlc_cli.deploy.sets import pipeline
from sdlc_cli.deploy.words import HIDDEN

Make = Callable[..., DeploySpec]
ROLE = "arn:aws:iam::123456789012:role/deploy"
ECR = Image(repository="123456789012.dkr.ecr.eu-west-1.amazonaws.com/answers")
DEPLOY = ".github/workflows/deploy.yml"
CI = ".github/workflows/ci.yml"
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")


RENDERER = render.Renderer(None)


def rendered(specs: Sequence[DeploySpec]) -> dict[str, str]:
    return {one.path: RENDERER.artifact(one).text for one in pipeline.files(specs)}


def workflow(specs: Sequence[DeploySpec], path: str = DEPLOY) -> Any:
    return yaml.load(rendered(specs)[path], yaml.CSafeLoader)


def with_pipeline(specs: Sequence[DeploySpec], **changes: str) -> tuple[DeploySpec, ...]:
    return tuple(replace(one, pipeline=replace(one.pipeline, **changes)) for one in specs)


def every_kind(specs: Sequence[DeploySpec], awkward: DeploySpec) -> list[Sequence[DeploySpec]]:
    """Each way to log in, to reach a cluster, and to have an image."""
    return [
        specs,
        with_pipeline(specs, aws_role=ROLE, install_sdlc="sdlc-cli==1.0"),
        [replace(one, image=ECR) for one in with_pipeline(specs, aws_role=ROLE)],
        [replace(one, image=Image(repository="ghcr.io/example/answers")) for one in specs],
        [replace(awkward, build=Build(language="other"))],
        [replace(specs[0], pipeline=Pipeline())],
    ]


def steps(job: Any) -> list[str]:
    return [step["name"] for step in job["steps"]]


def test_a_commit_walks_from_tests_over_staging_and_approval_to_production(
    specs: tuple[DeploySpec, ...],
) -> None:
    jobs = workflow(specs)["jobs"]

    assert {name: job.get("needs", []) for name, job in jobs.items()} == {
        "test": [],
        "security": [],
        "build": ["test", "security"],
        "attest": ["build"],
        "render": ["build", "attest"],
        "deploy-staging": ["render"],
        "approval": ["deploy-staging"],
        "deploy-prod": ["approval"],
        "deploy-dr": ["deploy-prod"],
    }


def test_every_job_may_do_little_and_ends(
    specs: tuple[DeploySpec, ...], awkward: DeploySpec
) -> None:
    for kind in every_kind(specs, awkward):
        for path in (CI, DEPLOY):
            whole = workflow(kind, path)
            assert whole["permissions"] == {}
            assert whole["concurrency"]["group"]
            for job in whole["jobs"].values():
                assert job["timeout-minutes"] <= 360
                rights = job["permissions"]
                assert rights.get("contents", "read") == "read"
                assert set(rights) <= {"contents", "id-token", "packages", "actions"}


def test_no_checkout_leaves_its_token_behind(
    specs: tuple[DeploySpec, ...], awkward: DeploySpec
) -> None:
    checkouts = [
        step
        for kind in every_kind(specs, awkward)
        for path in (CI, DEPLOY)
        for job in workflow(kind, path)["jobs"].values()
        for step in job["steps"]
        if step.get("uses", "").startswith("actions/checkout@")
    ]

    assert len(checkouts) >= 10
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_an_identity_token_is_given_only_where_a_role_is_taken_or_an_image_signed(
    specs: tuple[DeploySpec, ...],
) -> None:
    def holders(changed: Sequence[DeploySpec]) -> set[str]:
        jobs = workflow(changed)["jobs"]
        return {name for name, job in jobs.items() if "id-token" in job["permissions"]}

    deploys = {"deploy-staging", "deploy-prod", "deploy-dr"}
    aws = with_pipeline(specs, aws_role=ROLE)
    assert holders(specs) == {"attest"}
    assert holders(aws) == {"attest", *deploys}
    assert holders([replace(one, image=ECR) for one in aws]) == {"build", "attest", *deploys}


def test_the_report_of_the_gates_is_checked_before_anything_opens_the_cluster(
    specs: tuple[DeploySpec, ...],
) -> None:
    for aws in (specs, with_pipeline(specs, aws_role=ROLE)):
        jobs = workflow(aws)["jobs"]
        assert "sdlc gate run" in str(jobs["test"])
        for name in ("deploy-staging", "deploy-prod", "deploy-dr"):
            job = jobs[name]
            words = [step.get("run", "") for step in job["steps"]]
            checked = next(i for i, run in enumerate(words) if "check-report" in run)
            assert '"$GITHUB_SHA"' in words[checked]
            opened = [
                index
                for index, step in enumerate(job["steps"])
                if "secrets." in str(step) or "configure-aws" in str(step)
            ]
            assert opened
            assert min(opened) > checked


@pytest.mark.parametrize("path", [DEPLOY, CI])
def test_a_commit_without_gates_yaml_does_not_pass(
    specs: tuple[DeploySpec, ...], tmp_path: Path, path: str
) -> None:
    judge = next(s for s in workflow(specs, path)["jobs"]["test"]["steps"] if "Judge" in s["name"])
    sdlc = tmp_path / "bin" / "sdlc"
    sdlc.parent.mkdir()
    sdlc.write_text("#!/bin/sh\necho judged\n")
    sdlc.chmod(0o755)

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-e", "-c", judge["run"]],
            cwd=tmp_path,
            env={"PATH": f"{sdlc.parent}:/usr/bin:/bin", "RUNNER_TEMP": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    without = run()
    (tmp_path / "gates.yaml").write_text("version: 1\n")

    assert (without.returncode, without.stdout[:9]) == (1, "::error::")
    assert "sdlc init" in without.stdout
    assert "judged" not in without.stdout
    assert (run().returncode, run().stdout) == (0, "judged\n")


def test_a_rollout_that_fails_is_rolled_back(specs: tuple[DeploySpec, ...]) -> None:
    for name, job in workflow(specs)["jobs"].items():
        if name.startswith("deploy-"):
            assert steps(job)[-3:] == ["Deploy", "Verify", "Roll back"]
            assert job["steps"][-1]["if"].startswith("(failure() || cancelled())")
            assert job["environment"] == name.removeprefix("deploy-")


def test_production_without_reviewers_is_refused(specs: tuple[DeploySpec, ...]) -> None:
    approval = workflow(specs)["jobs"]["approval"]

    assert "for environment in prod dr;" in approval["steps"][0]["run"]
    assert "required_reviewers" in approval["steps"][0]["run"]


def test_what_is_deployed_is_rendered_for_the_digest_that_was_pushed(
    specs: tuple[DeploySpec, ...],
) -> None:
    jobs = workflow(specs)["jobs"]
    rendering = next(step for step in jobs["render"]["steps"] if "deploy render" in str(step))

    assert jobs["build"]["outputs"] == {"digest": "${{ steps.push.outputs.digest }}"}
    assert rendering["env"]["IMAGE"].endswith("@${{ needs.build.outputs.digest }}")
    assert '--image "$IMAGE"' in rendering["run"]


def test_an_image_of_another_language_is_neither_built_nor_renamed(awkward: DeploySpec) -> None:
    jobs = workflow([replace(awkward, build=Build(language="other"))])["jobs"]

    assert {"build", "attest"}.isdisjoint(jobs)
    assert jobs["render"]["needs"] == ["test", "security"]
    assert "--image" not in str(jobs["render"])


@pytest.mark.parametrize(
    ("instance", "infrastructure", "runner"),
    [
        pytest.param("m7g.large", "managed", "ubuntu-24.04-arm", id="ARM nodes"),
        pytest.param("m7i.large", "managed", "ubuntu-24.04", id="x86 nodes"),
        pytest.param("m7g.large", "existing", "ubuntu-24.04", id="nodes of others"),
    ],
)
def test_an_image_is_built_for_the_processor_of_the_nodes(
    specs: tuple[DeploySpec, ...], instance: str, infrastructure: Any, runner: str
) -> None:
    nodes = replace(specs[0].terraform, node_instance=instance)

    made = workflow([replace(one, terraform=nodes, infrastructure=infrastructure) for one in specs])

    assert made["jobs"]["build"]["runs-on"] == runner


def test_without_a_way_to_install_sdlc_the_pipeline_says_so(
    specs: tuple[DeploySpec, ...],
) -> None:
    assert "pipeline.install_sdlc" in str(workflow(specs)["jobs"]["test"]["steps"])
    assert "pipeline.install_sdlc" not in str(workflow(with_pipeline(specs, install_sdlc="sdlc")))


def test_a_role_without_a_region_is_refused(specs: tuple[DeploySpec, ...]) -> None:
    with pytest.raises(ConfigError, match=r"pipeline\.aws_region"):
        rendered(with_pipeline(specs, aws_role=ROLE, aws_region=""))


def test_one_environment_alone_has_a_pipeline(spec: Make) -> None:
    jobs = workflow([spec(environment="only")])["jobs"]

    assert jobs["approval"]["needs"] == ["render"]
    assert jobs["deploy-only"]["needs"] == ["approval"]


def test_each_environment_is_deployed_in_its_own_account_and_region(
    specs: tuple[DeploySpec, ...],
) -> None:
    theirs = Pipeline(aws_role=ROLE.replace("1", "9"), aws_region="eu-central-1")
    aws = with_pipeline(specs, aws_role=ROLE, aws_region="eu-west-1")

    jobs = workflow(
        [replace(one, pipeline=theirs) if one.environment == "dr" else one for one in aws]
    )["jobs"]

    taken = {
        name: step["with"]
        for name in ("deploy-prod", "deploy-dr")
        for step in jobs[name]["steps"]
        if "role-to-assume" in step.get("with", {})
    }
    assert taken == {
        "deploy-prod": {"role-to-assume": ROLE, "aws-region": "eu-west-1"},
        "deploy-dr": {"role-to-assume": theirs.aws_role, "aws-region": "eu-central-1"},
    }


def test_jobs_that_talk_to_a_cluster_run_where_it_is_reached(
    specs: tuple[DeploySpec, ...],
) -> None:
    there = [
        replace(one, pipeline=replace(one.pipeline, runner=f"in-{one.environment}"))
        for one in specs
    ]

    usual, jobs = workflow(specs)["jobs"], workflow(there)["jobs"]

    assert {job["runs-on"] for job in usual.values()} <= {"ubuntu-24.04", "ubuntu-24.04-arm"}
    assert {name: job["runs-on"] for name, job in jobs.items() if "in-" in job["runs-on"]} == {
        f"deploy-{name}": f"in-{name}" for name in ("staging", "prod", "dr")
    }


def test_each_region_gets_a_context_of_its_own(specs: tuple[DeploySpec, ...]) -> None:
    whole = str(workflow(with_pipeline(specs, aws_role=ROLE))["jobs"]["deploy-prod"])

    assert "--region eu-west-1 --alias answers-prod-eu-west-1" in whole
    assert "--region us-east-1 --alias answers-prod-us-east-1" in whole


@pytest.mark.parametrize("path", [CI, DEPLOY, "scripts/deploy.sh"])
def test_files_are_as_people_reviewed_them(
    golden: Callable[[str, str], None], specs: tuple[DeploySpec, ...], path: str
) -> None:
    golden(f"deploy/{path.rpartition('/')[2]}", rendered(specs)[path])


def test_checkov_can_read_the_workflows(specs: tuple[DeploySpec, ...], awkward: DeploySpec) -> None:
    """It looks at nothing in a workflow with this right (bridgecrewio/checkov issue 5742)."""
    for kind in every_kind(specs, awkward):
        assert not [text for text in rendered(kind).values() if "attestations:" in text]


KNOWN = {
    "github.actor",
    "github.ref",
    "github.server_url",
    "github.sha",
    "github.token",
    "github.workflow_ref",
    "needs.build.outputs.digest",
    "runner.temp",
    "secrets.KUBECONFIG",
    "secrets.REGISTRY_PASSWORD",
    "secrets.REGISTRY_USERNAME",
    "steps.push.outputs.digest",
}


def test_only_these_expressions_stand_in_workflows_and_none_in_a_script(
    specs: tuple[DeploySpec, ...], awkward: DeploySpec
) -> None:
    found: set[str] = set()
    for kind in every_kind(specs, awkward):
        for path in (CI, DEPLOY):
            whole = workflow(kind, path)
            found |= {one.strip() for one in EXPRESSION.findall(str(whole))}
            runs = [s["run"] for job in whole["jobs"].values() for s in job["steps"] if "run" in s]
            assert not [run for run in runs if "${{" in run]

    assert found == KNOWN


HOSTILE = (
    "x\n  hostNetwork: true",
    "'; touch /tmp/x; '",
    "$(id) `id` ${HOME}",
    "${{ github.token }}",
    "$${{ github.token }}",
    "}} ${{ '${{' }}",
    '"quoted" \\ back',
    "# comment",
    ": , - ? ! & * | > %",
    "!!python/object:os.system",
    "é" * 300,
    "🚀",
    "../../etc",
    "true",
    "{{ x }} {% if y %}",
)
PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_words(specs: tuple[DeploySpec, ...], text: str) -> None:
    same_words(specs[0], text)


@given(text=PLAIN)
def test_any_words_stay_words(text: str) -> None:
    same_words(_SERVICE, text)


def same_words(spec: DeploySpec, text: str) -> None:
    """What the runner's environment holds is the text, whichever expressions it looks like."""
    changed = replace(
        spec,
        build=replace(spec.build, lock=text),
        pipeline=replace(spec.pipeline, install_sdlc=text),
    )
    plain = replace(changed, build=spec.build, pipeline=replace(spec.pipeline, install_sdlc="x"))
    job = workflow([changed], CI)["jobs"]["test"]
    expected = workflow([plain], CI)["jobs"]["test"]
    if not text:
        return
    assert [step.get("run") for step in job["steps"]] == [
        step.get("run") for step in expected["steps"]
    ]
    held = {key: evaluated(value) for step in job["steps"] for key, value in _env(step).items()}
    assert held == {"LOCK": text, "SDLC": text}


def evaluated(value: str) -> str:
    """What Actions makes of it, where `'${{'` is the only expression."""
    return EXPRESSION.sub(lambda found: _literal(found[1]), value)


def _literal(expression: str) -> str:
    assert expression == " '${{' "
    return "${{"


def _env(step: Any) -> dict[str, str]:
    return dict(step.get("env", {}))


def test_words_for_pip_are_split_and_never_run(tmp_path: Any) -> None:
    marker = tmp_path / "ran"
    words = f"a 'b c' $(touch {marker}) ;touch {marker}"
    text = workflow([replace(_SERVICE, pipeline=Pipeline(install_sdlc=words))])
    run = next(s["run"] for s in text["jobs"]["test"]["steps"] if s["name"] == "Install sdlc")
    show = f"{shlex.quote(sys.executable)} -c 'import sys; print(sys.argv[1:])'"

    done = subprocess.run(
        ["bash", "-c", run.replace("python -m pip install", show)],
        env={"SDLC": words, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == str(["a", "b c", "$(touch", f"{marker})", ";touch", str(marker)])
    assert not marker.exists()


@pytest.mark.parametrize("branch", ["a\nb", "${{ x }}", "a*", '"', "a b"])
def test_a_branch_that_could_be_more_than_a_name_is_refused(spec: Make, branch: str) -> None:
    with pytest.raises((ConfigError, escape.NotWritable)):
        rendered([spec(pipeline=Pipeline(branch=branch))])


def test_paths_of_health_stay_one_word_of_the_shell(spec: Make) -> None:
    path = "/ready?a=$(id)&b='x'"
    script = rendered([spec(health=Health(ready=path))])["scripts/deploy.sh"]

    assert shlex.quote(f"https://answers.example.com{path}") in script
    assert not HIDDEN.search(script.replace("\n", ""))


_SERVICE = DeploySpec(
    environment="prod",
    app="answers",
    owner="Team",
    image=Image(repository="registry.example.com/answers"),
    resources=None,  # type: ignore[arg-type]  # no pipeline reads them
)
