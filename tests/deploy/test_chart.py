"""The chart and the plain manifests of an environment are the same objects."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.deploy import config, render
from sdlc_cli.deploy.model import Artifact, DeploySpec, Egress, SecretReference

EXAMPLES = Path(__file__).parents[2] / "examples/deploy"
Objects = dict[tuple[str, str], Any]
HOSTILE = (
    "x\n  hostNetwork: true",
    "{{ .Release.Name }}",
    "}}{{ fail `x` }}{{/* */}}",
    "${HOME} $(id) `id` ${{ github.token }} %{ if true }",
    "'\"\\ \\n <&>",
    "# comment",
    "a: b, - c",
    "é" * 300,
    "🚀",
    "!!python/object:os.system",
    "&anchor *alias",
    "<<EOT\nx\nEOT",
    "|-\n  x",
    "true",
    "null",
    "012",
    "1e3",
    "~",
    "",
    " lead and trail ",
    "\u2028\u2029",
    "\t",
)


def objects(text: str) -> Objects:
    found = [one for one in yaml.load_all(text, yaml.CSafeLoader) if one]
    by_name: Objects = {(one["kind"], one["metadata"]["name"]): one for one in found}
    assert len(by_name) == len(found)
    return by_name


def write(artifacts: Sequence[Artifact], folder: Path) -> Path:
    for artifact in artifacts:
        path = folder / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artifact.text, encoding="utf-8")
    return folder


def plain(artifacts: Sequence[Artifact], environment: str) -> Objects:
    texts = [
        one.text
        for one in artifacts
        if one.path.startswith(f"k8s/{environment}/")
        and not one.path.endswith("kustomization.yaml")
    ]
    assert texts
    return objects("\n---\n".join(texts))


Checker = Callable[[str], str]
Helm = Callable[..., Objects]
Kustomize = Callable[[Path], Objects]


@pytest.fixture
def helm(checker: Checker) -> Helm:
    """`helm(chart, "values-prod.yaml")` is what Helm makes of the chart."""
    program = checker("helm")

    def template(chart: Path, *values: str) -> Objects:
        words = [word for name in values for word in ("-f", str(chart / name))]
        return output([program, "template", "release", str(chart), *words])

    return template


@pytest.fixture
def kustomize(checker: Checker) -> Kustomize:
    """`kustomize(folder)` is what kubectl makes of a kustomization."""
    program = checker("kubectl")
    return lambda folder: output([program, "kustomize", str(folder)])


def output(command: list[str]) -> Objects:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return objects(done.stdout)


@pytest.mark.dev
def test_the_chart_renders_the_manifests_of_every_environment(
    specs: tuple[DeploySpec, ...], tmp_path: Path, helm: Helm, kustomize: Kustomize
) -> None:
    artifacts = render.render(specs)
    chart = write(artifacts, tmp_path) / "helm/answers"

    for spec in specs:
        manifests = plain(artifacts, spec.environment)
        assert len(manifests) > 20
        assert helm(chart, f"values-{spec.environment}.yaml") == manifests
        assert kustomize(tmp_path / "k8s" / spec.environment) == manifests


@pytest.mark.dev
def test_a_region_is_the_same_from_its_overlay_and_from_the_chart(
    specs: tuple[DeploySpec, ...], tmp_path: Path, helm: Helm, kustomize: Kustomize
) -> None:
    artifacts = render.render(specs)
    chart = write(artifacts, tmp_path) / "helm/answers"

    there = kustomize(tmp_path / "k8s/regions/prod/us-east-1")

    assert there == helm(chart, "values-prod.yaml", "values-prod-us-east-1.yaml")
    differing = {
        kind for (kind, name), one in plain(artifacts, "prod").items() if there[kind, name] != one
    }
    assert differing == {"ConfigMap", "Deployment", "Ingress"}


@pytest.mark.dev
@pytest.mark.parametrize("example", ["deploy.yaml", "awkward/deploy.yaml"])
def test_the_chart_of_an_example_is_its_manifests(
    example: str, tmp_path: Path, helm: Helm, kustomize: Kustomize
) -> None:
    specs = config.load(EXAMPLES / example, allow_placeholder=True).specs
    artifacts = render.render(specs)
    chart = write(artifacts, tmp_path) / "helm" / specs[0].app

    for spec in specs:
        manifests = plain(artifacts, spec.environment)
        values = f"values-{spec.environment}.yaml"
        assert helm(chart, values) == manifests == kustomize(tmp_path / "k8s" / spec.environment)
        for region in spec.regions:
            there = kustomize(tmp_path / "k8s/regions" / spec.environment / region.name)
            assert there == helm(chart, values, f"values-{spec.environment}-{region.name}.yaml")


@pytest.mark.dev
def test_environments_of_any_shapes_share_a_chart(
    specs: tuple[DeploySpec, ...], awkward: DeploySpec, tmp_path: Path, helm: Helm
) -> None:
    odd = replace(awkward, app="answers", flags={"new-router": False}, config={"ONLY": "here"})
    artifacts = render.render([odd, *specs])
    chart = write(artifacts, tmp_path) / "helm/answers"

    for environment in ("edge", "dev", "prod"):
        assert helm(chart, f"values-{environment}.yaml") == plain(artifacts, environment)


@pytest.mark.dev
def test_every_way_out_is_the_same_from_the_chart(
    specs: tuple[DeploySpec, ...], tmp_path: Path, helm: Helm
) -> None:
    ways: tuple[Egress, ...] = ("cidr", "cilium", "eks-auto", "proxy")
    cluster = replace(specs[0].cluster, proxy="proxy.example.com:3128", provides=frozenset())
    monitoring = replace(specs[0].monitoring, traces="http://jaeger.example.com:4318")
    found = [
        replace(specs[0], environment=way, egress=way, cluster=cluster, monitoring=monitoring)
        for way in ways
    ]
    artifacts = render.render([*specs, *found])
    chart = write(artifacts, tmp_path) / "helm/answers"

    for way in ways:
        assert helm(chart, f"values-{way}.yaml") == plain(artifacts, way)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{ app|comment }}", "line 1: a Helm chart cannot say it: comment is none of yaml, "),
        ("\n{{ (app ~ 'x')|yaml }}", "line 2: a Helm chart cannot say it: ~ is none of ==, "),
        ("\n{% set x = 1 %}", "line 2: a Helm chart cannot say it: there is no tag set"),
        ("{% for x in ports if x.port %}{% endfor %}", "a loop goes over a list"),
        ("{{ app|name if app else app|name }}", "choice is none of yaml"),
    ],
)
def test_a_template_that_helm_cannot_follow_is_refused(
    specs: tuple[DeploySpec, ...], tmp_path: Path, text: str, problem: str
) -> None:
    folder = tmp_path / "templates/kubernetes"
    folder.mkdir(parents=True)
    (folder / "service.yaml.j2").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=problem):
        render.render(specs, overrides=tmp_path / "templates")


@pytest.mark.dev
def test_helm_takes_any_text_for_text(
    specs: tuple[DeploySpec, ...], tmp_path: Path, helm: Helm
) -> None:
    texts = {f"V{index}": text for index, text in enumerate(HOSTILE)}
    spec = replace(
        specs[2],
        owner="{{ .Release.Name }}",
        config=texts,
        secrets=tuple(SecretReference(name=n, key=f"a/{t}", property=t) for n, t in texts.items()),
        health=replace(specs[2].health, ready="/{{ .Release.Name }}#: x"),
    )
    artifacts = render.render([specs[0], spec])
    chart = write(artifacts, tmp_path) / "helm/answers"

    manifests = plain(artifacts, "prod")
    assert helm(chart, "values-prod.yaml") == manifests
    data = manifests["ConfigMap", "answers-config"]["data"]
    assert {name: data[name] for name in texts} == texts


@pytest.mark.dev
def test_helm_finds_nothing_to_complain_about(
    specs: tuple[DeploySpec, ...], tmp_path: Path, checker: Checker
) -> None:
    chart = write(render.render(specs), tmp_path) / "helm/answers"

    for values in ("values.yaml", "values-dev.yaml", "values-prod.yaml"):
        done = subprocess.run(
            [checker("helm"), "lint", "--strict", str(chart), "-f", str(chart / values)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert "1 chart(s) linted" in done.stdout


@pytest.mark.dev
@pytest.mark.parametrize(
    "words",
    [
        pytest.param("replicaz=3", id="an unknown key"),
        pytest.param("image.tags=x", id="an unknown key further down"),
        pytest.param("replicas=many", id="a wrong type"),
        pytest.param("app=x\n  hostNetwork: true", id="a name with more than a name in it"),
        pytest.param("image.digest=latest", id="a digest that is none"),
    ],
)
def test_the_chart_refuses_values_that_make_no_sense(
    specs: tuple[DeploySpec, ...], tmp_path: Path, words: str, checker: Checker
) -> None:
    chart = write(render.render(specs), tmp_path) / "helm/answers"

    done = subprocess.run(
        [checker("helm"), "template", "release", str(chart), "--set", words],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "values don't meet the specifications" in done.stderr


def test_the_schema_is_closed_everywhere(specs: tuple[DeploySpec, ...]) -> None:
    (schema,) = (one for one in render.render(specs) if one.path.endswith("values.schema.json"))
    looked_at = 0

    def walk(one: object) -> None:
        nonlocal looked_at
        if isinstance(one, dict):
            if one.get("type") == "object":
                looked_at += 1
                assert "additionalProperties" in one
                assert "properties" in one or one["additionalProperties"] is not True
            for below in one.values():
                walk(below)
        elif isinstance(one, list):
            for below in one:
                walk(below)

    walk(json.loads(schema.text))
    assert looked_at > 20
