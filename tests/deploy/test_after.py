"""The commands after a render: exact, in order, and only for files that are there."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from sdlc_cli.deploy import after
from sdlc_cli.deploy.lock import Lock, Plan
from sdlc_cli.deploy.model import Cluster, DeploySpec, Gpu
from sdlc_cli.deploy.render import render
from sdlc_cli.deploy.report import Verdict, rendered
from sdlc_cli.deploy.rules import Checked

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
        "aws eks update-kubeconfig --name answers-dev --region eu-west-1",
        "kubectl apply --kustomize k8s/dev",
        "or: helm upgrade --install answers-dev helm/answers --values helm/answers/values-dev.yaml",
    ]


def test_each_region_is_a_cluster_of_its_own(specs: tuple[DeploySpec, ...]) -> None:
    told = lines(specs, "prod")

    assert [line for line in told if line.startswith("aws")] == [
        f"aws eks update-kubeconfig --name answers-prod --region {region}"
        f" --alias answers-prod-{region}"
        for region in ("eu-west-1", "us-east-1")
    ]
    objects = [line for line in told if not line.startswith(("terraform", "aws"))]
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


def test_a_cluster_has_to_have_what_no_file_brings(specs: tuple[DeploySpec, ...]) -> None:
    told = {str(need.what): need.environments for need in after.needs(specs)}

    every = ("dev", "staging", "prod", "dr")
    assert told == {
        "a way into the cluster's network: its address is private": every,
        "External Secrets, with the ClusterSecretStore cluster-secrets": every,
        "the Prometheus operator": every,
        "an Ingress controller of the class nginx": every,
        "cert-manager, with the ClusterIssuer letsencrypt": every,
    }


def test_what_terraform_brings_is_no_need(specs: tuple[DeploySpec, ...]) -> None:
    gpu = Gpu(resource="nvidia.com/gpu", count=1)
    prod = next(spec for spec in specs if spec.autoscaling)
    managed = replace(prod, resources=replace(prod.resources, gpu=gpu))
    amd = replace(prod, resources=replace(prod.resources, gpu=replace(gpu, resource="amd.com/gpu")))

    def told(spec: DeploySpec) -> set[str]:
        return {str(need.what) for need in after.needs((spec,))}

    theirs = {"the metrics server", "a device plugin for nvidia.com/gpu"}
    assert not told(managed) & theirs
    assert told(replace(managed, infrastructure="existing")) >= theirs
    assert "a device plugin for amd.com/gpu" in told(amd)


def test_the_one_role_that_administers_the_cluster_is_told(specs: tuple[DeploySpec, ...]) -> None:
    role = "arn:aws:iam::123456789012:role/answers-deploy"
    spec = replace(specs[0], pipeline=replace(specs[0].pipeline, aws_role=role))
    needed = f"credentials of {role}, which alone administers the cluster"

    assert needed in [str(need.what) for need in after.needs((spec,))]
    existing = replace(spec, infrastructure="existing")
    assert needed not in [str(need.what) for need in after.needs((existing,))]


def test_what_a_plain_cluster_lacks_has_to_be_made_by_hand(awkward: DeploySpec) -> None:
    more = replace(
        awkward,
        domains=("x.example.com",),
        cluster=Cluster(provides=frozenset({"ingress"})),
        monitoring=replace(awkward.monitoring, traces="http://jaeger.example.com:4318"),
    )

    assert [str(need.what) for need in after.needs((more,))] == [
        "a network plugin that keeps NetworkPolicies",
        "the Secret vision-edge/vision-secrets with API_KEY",
        "an Ingress controller of the class nginx",
        "the certificate in the Secret vision-edge/vision-tls",
        "the OpenTelemetry collector otel-collector.monitoring, as in monitoring/",
        "a device plugin for nvidia.com/gpu",
    ]


def test_people_read_the_needs_once_and_the_commands_by_environment(
    specs: tuple[DeploySpec, ...],
) -> None:
    staging, dr = (spec for spec in specs if spec.environment in ("staging", "dr"))
    cards = Gpu(resource="amd.com/gpu", count=1)
    chosen = (staging, replace(dr, resources=replace(dr.resources, gpu=cards)))
    paths = {artifact.path for artifact in render(specs)}
    done = rendered.Done(
        app="answers",
        environments=("staging", "dr"),
        out=Path(),
        plan=Plan(steps=(), lock=Lock()),
        verdict=Verdict(checked=Checked(findings=(), looked_at={}, skipped=()), fail_on=None),
        written=True,
        next=after.commands(chosen, paths, Path()),
        needs=after.needs(chosen),
    )

    text = rendered.as_text(done)

    assert text[text.index("Needed") :] == (
        "Needed before the first apply\n"
        "  a way into the cluster's network: its address is private\n"
        "  External Secrets, with the ClusterSecretStore cluster-secrets\n"
        "  the Prometheus operator\n"
        "  an Ingress controller of the class nginx\n"
        "  cert-manager, with the ClusterIssuer letsencrypt\n"
        "  dr: a device plugin for amd.com/gpu\n"
        "\n"
        "Next\n"
        "  staging\n"
        f"    {TERRAFORM} init -reconfigure -backend-config=environments/staging.s3.tfbackend\n"
        f"    {TERRAFORM} apply -var-file=environments/staging.tfvars\n"
        "    aws eks update-kubeconfig --name answers-staging --region eu-west-1\n"
        "    kubectl apply --kustomize k8s/staging\n"
        "    or: helm upgrade --install answers-staging helm/answers"
        " --values helm/answers/values-staging.yaml\n"
        "  dr\n"
        f"    {TERRAFORM} init -reconfigure -backend-config=environments/dr.s3.tfbackend\n"
        f"    {TERRAFORM} apply -var-file=environments/dr.tfvars\n"
        "    aws eks update-kubeconfig --name answers-dr --region eu-west-1\n"
        "    kubectl apply --kustomize k8s/dr\n"
        "    or: helm upgrade --install answers-dr helm/answers"
        " --values helm/answers/values-dr.yaml\n"
    )
