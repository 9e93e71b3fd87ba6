"""The commands after a render: exact, in order, and only for files that are there."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from sdlc_cli.deploy import after
from sdlc_cli.deploy.model import DeploySpec
from sdlc_cli.deploy.render import render

TERRAFORM = "terraform -chdir=terraform/aws"
Make = Callable[..., DeploySpec]


def lines(specs: tuple[DeploySpec, ...], name: str, out: str = ".") -> list[str]:
    paths = {artifact.path for artifact in render(specs)}
    chosen = [spec for spec in specs if spec.environment == name]
    return [
        f"{'or: ' if one.instead else ''}{one.command}"
        for one in after.commands(chosen, paths, Path(out))
    ]


def test_an_environment_gets_its_infrastructure_then_its_objects(
    specs: tuple[DeploySpec, ...],
) -> None:
    assert lines(specs, "dev") == [
        f"{TERRAFORM} init -reconfigure -backend-config=environments/dev.s3.tfbackend",
        f"{TERRAFORM} apply -var-file=environments/dev.tfvars",
        "kubectl apply --kustomize k8s/dev",
        "or: helm upgrade --install answers-dev helm/answers --values helm/answers/values-dev.yaml",
    ]


def test_each_region_is_a_cluster_of_its_own(specs: tuple[DeploySpec, ...]) -> None:
    told = lines(specs, "prod")

    objects = [line for line in told if not line.startswith("terraform")]
    assert [line.split(" apply")[0].split(" upgrade")[0] for line in objects] == [
        "kubectl --context answers-prod-eu-west-1",
        "or: helm --kube-context answers-prod-eu-west-1",
        "kubectl --context answers-prod-us-east-1",
        "or: helm --kube-context answers-prod-us-east-1",
    ]
    assert objects[2].endswith("--kustomize k8s/regions/prod/us-east-1")
    assert objects[3].endswith(
        "--values helm/answers/values-prod.yaml --values helm/answers/values-prod-us-east-1.yaml"
    )
    assert sum("-var-file=environments/prod" in line for line in told) == 2


def test_every_file_that_a_command_names_is_there(specs: tuple[DeploySpec, ...]) -> None:
    paths = {artifact.path for artifact in render(specs)}
    folders = {path.rpartition("/")[0] for path in paths} | {"helm/answers"}
    named = 0
    for spec in specs:
        for line in lines(specs, spec.environment):
            for word in line.replace("=", " ").split():
                if word.startswith("environments/"):
                    assert f"terraform/aws/{word}" in paths
                elif "/" in word:
                    assert word in paths | folders
                else:
                    continue
                named += 1
    assert named > 20


@pytest.mark.parametrize("name", ["edge"])
def test_an_existing_cluster_gets_no_terraform(awkward: DeploySpec, name: str) -> None:
    told = lines((awkward,), name)

    assert [line.split()[0] for line in told] == ["kubectl", "or:"]


def test_a_folder_with_blanks_is_quoted(spec: Make) -> None:
    told = lines((replace(spec(), infrastructure="existing"),), "dev", "out put")

    assert told[0] == "kubectl apply --kustomize 'out put/k8s/dev'"
