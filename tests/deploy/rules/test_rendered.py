"""What we render keeps our own rules, in every shape of spec; and a broken render does not."""

from collections.abc import Callable, Sequence
from typing import get_args

import pytest
from msgspec.structs import replace

from sdlc_cli.deploy import rules
from sdlc_cli.deploy.model import Artifact, DeploySpec, Egress, Image, Metrics, Provided
from sdlc_cli.deploy.render import render

BASE = Image(repository="python", tag="3.12-slim", digest="sha256:" + "0" * 64)
Make = Callable[..., DeploySpec]


def pinned(specs: Sequence[DeploySpec]) -> tuple[DeploySpec, ...]:
    """With a base image by digest, as production needs it."""
    return tuple(replace(one, build=replace(one.build, base=BASE)) for one in specs)


def told(artifacts: Sequence[Artifact]) -> list[str]:
    """Each finding as a line."""
    return [
        f"{one.rule} {one.location.path}:{one.location.line} {one.message}"
        for one in rules.check(artifacts).findings
    ]


def test_all_environments_together_break_no_rule(specs: tuple[DeploySpec, ...]) -> None:
    artifacts = render(pinned(specs))

    assert told(artifacts) == []
    assert all(rules.check(artifacts).looked_at.values())


def test_the_awkward_service_breaks_no_rule(awkward: DeploySpec) -> None:
    assert told(render(pinned([awkward]))) == []


@pytest.mark.parametrize("without", [*get_args(Provided), ""])
def test_a_cluster_without_something_gets_no_broken_rule(spec: Make, without: Provided) -> None:
    every = frozenset(get_args(Provided)) - {without}
    cluster = replace(spec().cluster, provides=every)

    assert told(render(pinned([spec(cluster=cluster, replicas=3)]))) == []


@pytest.mark.parametrize("lock", ["uv.lock", "poetry.lock", "pylock.toml", "requirements.lock"])
def test_every_kind_of_lock_breaks_no_rule(spec: Make, lock: str) -> None:
    base = replace(spec().build, lock=lock, base=BASE)

    assert told(render([spec(build=base)])) == []


@pytest.mark.parametrize("egress", get_args(Egress))
def test_every_way_out_breaks_no_rule(spec: Make, egress: Egress) -> None:
    cluster = replace(
        spec().cluster,
        provides=frozenset(get_args(Provided)),
        proxy="proxy.egress.svc:3128",
        proxy_namespace="egress",
    )

    assert told(render(pinned([spec(cluster=cluster, egress=egress)]))) == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"infrastructure": "existing"}, id="existing infrastructure"),
        pytest.param({"databases": (), "caches": (), "secrets": ()}, id="no backend"),
        pytest.param({"model_apis": ()}, id="no model API"),
        pytest.param({"metrics": None}, id="no metrics"),
        pytest.param({"metrics": Metrics(interval_seconds=60)}, id="slow metrics"),
        pytest.param({"domains": ()}, id="no domain"),
        pytest.param({"flags": {}, "config": {}}, id="no config"),
        pytest.param({"production": True, "replicas": 3}, id="production"),
        pytest.param({"longest_call_seconds": 600}, id="long calls"),
    ],
)
def test_every_shape_of_service_breaks_no_rule(spec: Make, changes: dict[str, object]) -> None:
    assert told(render(pinned([spec(**changes)]))) == []


BROKEN = (
    ("k8s/prod/deployment.yaml", "readOnlyRootFilesystem: true", "privileged: true",
     {"k8s-privileged", "k8s-writable-root"}),
    ("k8s/prod/service.yaml", 'targetPort: "http"', 'targetPort: "htp"', {"cross-service-port"}),
    ("k8s/prod/networkpolicy.yaml", "protocol: UDP", "protocol: SCTP", {"k8s-no-dns"}),
    ("k8s/prod/kustomization.yaml", '  - "networkpolicy.yaml"\n', "", {"cross-kustomization"}),
    ("k8s/prod/externalsecret.yaml", 'secretKey: "REDIS_URL"', 'secretKey: "REDIS"',
     {"cross-secret-file", "cross-secret-key"}),
    ("k8s/staging/configmap.yaml", "FLAG_NEW_ROUTER", "FLAG_ROUTER", {"cross-flag"}),
    ("helm/answers/values.yaml", "digest: \"sha256:0", "digest: \"sha256:1",
     {"cross-chart-image"}),
    ("Dockerfile", "EXPOSE 8080", "EXPOSE 8081", {"cross-exposed-port", "cross-compose-port"}),
    ("monitoring/rules/alerts-prod.yml", "service:http_request_errors:ratio_rate5m",
     "service:http_errors:ratio_rate5m", {"cross-recorded-series", "cross-rule-copies"}),
    ("monitoring/RUNBOOK.md", "## ErrorRateHigh", "## Errors", {"cross-runbook"}),
)  # fmt: skip


@pytest.mark.parametrize(("path", "old", "new", "expected"), BROKEN)
def test_a_broken_render_is_found(
    specs: tuple[DeploySpec, ...], path: str, old: str, new: str, expected: set[str]
) -> None:
    artifacts = render(pinned(specs))
    (broken,) = [one for one in artifacts if one.path == path]
    assert old in broken.text
    spoilt = replace(broken, text=broken.text.replace(old, new, 1))

    found = rules.check([spoilt if one is broken else one for one in artifacts]).findings

    assert {one.rule for one in found} & expected, [one.rule for one in found]
