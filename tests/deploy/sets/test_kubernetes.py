"""The manifests: what each environment gets, and that its objects fit each other."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from sdlc_cli.deploy import alerts, names, render
from sdlc_cli.deploy.model import (
    Autoscaling,
    Cluster,
    DeploySpec,
    Egress,
    Metrics,
    ModelApi,
    Provided,
    Region,
)
from sdlc_cli.deploy.sets import helm, kubernetes

Make = Callable[..., DeploySpec]
Objects = dict[tuple[str, str], Any]


def objects(spec: DeploySpec) -> Objects:
    """The manifests of one environment by kind and name."""
    renderer = render.Renderer(None)
    found: Objects = {}
    for wanted in kubernetes.files([spec]):
        if wanted.path.startswith(f"k8s/{spec.environment}/"):
            for one in yaml.load_all(renderer.artifact(wanted).text, yaml.CSafeLoader):
                found[one["kind"], one.get("metadata", {}).get("name", "")] = one
    return found


def provided(spec: DeploySpec, *more: Provided) -> Cluster:
    return replace(spec.cluster, provides=spec.cluster.provides | set(more))


def pod(found: Objects, app: str = "answers") -> Any:
    return found["Deployment", app]["spec"]["template"]["spec"]


def test_an_environment_has_every_kind(specs: Sequence[DeploySpec]) -> None:
    kinds = [kind for kind, _ in objects(specs[2])]

    assert set(kinds) == {
        "Namespace", "PriorityClass", "ResourceQuota", "LimitRange", "ServiceAccount", "Role",
        "RoleBinding", "NetworkPolicy", "ConfigMap", "ExternalSecret", "Deployment", "Service",
        "HorizontalPodAutoscaler", "PodDisruptionBudget", "Ingress", "ServiceMonitor",
        "PrometheusRule", "Kustomization",
    }  # fmt: skip


def test_a_bare_cluster_gets_plain_fallbacks(awkward: DeploySpec) -> None:
    spec = replace(awkward, metrics=Metrics(port="admin"))
    found = objects(spec)

    kinds = {kind for kind, _ in found}
    assert not kinds & {
        "ExternalSecret", "HorizontalPodAutoscaler", "Ingress", "ServiceMonitor", "PrometheusRule"
    }  # fmt: skip
    template = found["Deployment", "vision"]["spec"]["template"]
    assert template["metadata"]["annotations"]["prometheus.io/port"] == "9001"
    assert found["Deployment", "vision"]["spec"]["replicas"] == 2
    (secret,) = (one["secret"] for one in template["spec"]["volumes"] if "secret" in one)
    assert secret["secretName"] == names.secret(spec)
    assert template["spec"]["nodeSelector"] == {"accelerator": "l4"}
    assert template["spec"]["tolerations"][0]["key"] == "nvidia.com/gpu"
    limits = template["spec"]["containers"][0]["resources"]["limits"]
    assert limits["nvidia.com/gpu"] == "1"


def test_every_environment_has_its_own_replicas(specs: Sequence[DeploySpec]) -> None:
    found = {spec.environment: objects(spec) for spec in specs}

    assert found["dev"]["Deployment", "answers"]["spec"]["replicas"] == 1
    assert found["staging"]["Deployment", "answers"]["spec"]["replicas"] == 2
    for environment, least in (("prod", 5), ("dr", 3)):
        assert "replicas" not in found[environment]["Deployment", "answers"]["spec"]
        scaler = found[environment]["HorizontalPodAutoscaler", "answers"]["spec"]
        assert (scaler["minReplicas"], scaler["maxReplicas"]) == (least, 20)


def test_the_pod_is_held_to_the_restricted_standard(specs: Sequence[DeploySpec]) -> None:
    found = objects(specs[2])
    (container,) = pod(found)["containers"]

    labels = found["Namespace", "answers-prod"]["metadata"]["labels"]
    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "runAsUser": names.UID,
        "runAsGroup": names.GID,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert pod(found)["automountServiceAccountToken"] is False
    assert pod(found)["enableServiceLinks"] is False
    assert container["imagePullPolicy"] == "Always"
    assert container["image"] == specs[2].image.reference


def test_users_of_pods_are_mapped_where_the_cluster_can(spec: Make) -> None:
    service = spec()

    assert "hostUsers" not in pod(objects(service))
    mapped = replace(service, cluster=provided(service, "user-namespaces"))
    assert pod(objects(mapped))["hostUsers"] is False


@pytest.mark.parametrize("seconds", [1, 60, 900])
def test_a_pod_may_finish_its_longest_call(spec: Make, seconds: int) -> None:
    found = pod(objects(spec(longest_call_seconds=seconds)))

    pause = found["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert found["terminationGracePeriodSeconds"] > seconds + pause


def test_secrets_are_files_and_never_values(spec: Make) -> None:
    service = spec()
    found = objects(service)
    (container,) = pod(found)["containers"]

    paths = {one["name"]: one["value"] for one in container["env"]}
    assert paths == {
        f"{one.name}_FILE": names.secret_file(service, one.name) for one in service.secrets
    }
    data = found["ExternalSecret", "answers-secrets"]["spec"]["data"]
    assert data == [
        {"secretKey": "DATABASE_URL", "remoteRef": {"key": "answers/database", "property": "url"}},
        {"secretKey": "REDIS_URL", "remoteRef": {"key": "answers/cache"}},
    ]


def test_config_and_flags_are_variables(spec: Make) -> None:
    service = spec()
    data = objects(service)["ConfigMap", "answers-config"]["data"]

    assert data == {
        "APP_ENV": "dev",
        **service.config,
        "FLAG_NEW_ROUTER": "true",
        "FLAG_RESPONSE_CACHE": "false",
    }


def test_what_the_service_says_comes_before_what_we_would_say(spec: Make) -> None:
    data = objects(spec(config={"APP_ENV": "mine"}))["ConfigMap", "answers-config"]["data"]

    assert data["APP_ENV"] == "mine"


def test_a_change_of_the_config_brings_new_pods(spec: Make) -> None:
    def checksum(service: DeploySpec) -> str:
        template = objects(service)["Deployment", "answers"]["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/config"])

    assert checksum(spec()) == checksum(spec())
    assert checksum(spec()) != checksum(spec(config={"LOG_LEVEL": "debug"}))
    assert checksum(spec()) != checksum(spec(flags={}))


def test_selectors_find_the_pods(specs: Sequence[DeploySpec]) -> None:
    found = objects(specs[2])
    labels = found["Deployment", "answers"]["spec"]["template"]["metadata"]["labels"].items()
    selectors = [
        found["Deployment", "answers"]["spec"]["selector"]["matchLabels"],
        found["Service", "answers"]["spec"]["selector"],
        found["PodDisruptionBudget", "answers"]["spec"]["selector"]["matchLabels"],
        *(
            one["spec"]["podSelector"].get("matchLabels", {})
            for (kind, _), one in found.items()
            if kind == "NetworkPolicy"
        ),
    ]

    for selector in selectors:
        assert selector.items() <= labels
    monitored = found["ServiceMonitor", "answers"]["spec"]["selector"]["matchLabels"].items()
    assert monitored <= found["Service", "answers"]["metadata"]["labels"].items()
    assert selectors[0] == names.selector(specs[2])


def policies(spec: DeploySpec) -> dict[str, Any]:
    return {
        name: one["spec"]
        for (kind, name), one in objects(spec).items()
        if kind.endswith("NetworkPolicy")
    }


def test_nothing_goes_in_or_out_unless_it_is_named(spec: Make) -> None:
    found = policies(spec())

    assert found["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert set(found) == {
        "default-deny", "allow-dns", "allow-ingress", "allow-certificates", "allow-monitoring",
        "allow-database-main", "allow-cache-responses", "allow-aws-credentials",
        "allow-model-api-models",
    }  # fmt: skip
    assert found["allow-dns"]["egress"][0]["ports"] == [
        {"port": 53, "protocol": "UDP"},
        {"port": 53, "protocol": "TCP"},
    ]
    (rule,) = found["allow-database-main"]["egress"]
    assert rule == {
        "to": [{"ipBlock": {"cidr": "10.0.64.0/20"}}],
        "ports": [{"port": 5432, "protocol": "TCP"}],
    }


def test_the_service_can_fetch_the_role_that_terraform_gives_it(spec: Make) -> None:
    (rule,) = policies(spec())["allow-aws-credentials"]["egress"]

    assert rule == {
        "to": [{"ipBlock": {"cidr": "169.254.170.23/32"}}],
        "ports": [{"port": 80, "protocol": "TCP"}],
    }
    assert "allow-aws-credentials" not in policies(spec(infrastructure="existing"))


APIS = (
    ModelApi(name="one", host="one.example.com"),
    ModelApi(name="two", host="two.example.com", port=8443, cidrs=("198.51.100.0/24",)),
)


@pytest.mark.parametrize(
    ("egress", "kind", "says"),
    [
        ("cidr", "NetworkPolicy", "every public address is reachable"),
        ("cilium", "CiliumNetworkPolicy", "only addresses that DNS gave"),
        ("eks-auto", "ApplicationNetworkPolicy", "and port 53 of every address"),
        ("proxy", "NetworkPolicy", "only port 3128 of the namespace out, where the proxy runs"),
    ],
)
def test_every_way_out_says_what_it_guarantees(
    spec: Make, egress: Egress, kind: str, says: str
) -> None:
    cluster = replace(spec().cluster, proxy="proxy.example.com:3128", proxy_namespace="out")
    service = spec(egress=egress, model_apis=APIS, cluster=cluster)

    abouts = [one.about for one in kubernetes.files([service]) if one.path.endswith("policy.yaml")]
    described = [
        one["metadata"]["annotations"]["kubernetes.io/description"]
        for (found, _), one in objects(service).items()
        if found == kind and "annotations" in one["metadata"]
    ]

    assert abouts
    assert all(says in about for about in abouts)
    assert described


def test_a_proxy_whose_place_is_not_known_opens_private_addresses(spec: Make) -> None:
    cluster = replace(spec().cluster, proxy="proxy.example.com:8080")
    service = spec(egress="proxy", model_apis=(), cluster=cluster)

    found = objects(service)["NetworkPolicy", "allow-proxy"]

    said = "Only port 8080 of private addresses, one of which is the proxy's, is reachable"
    assert found["metadata"]["annotations"]["kubernetes.io/description"].startswith(said)
    (rule,) = found["spec"]["egress"]
    assert [one["ipBlock"]["cidr"] for one in rule["to"]] == [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
    ]
    assert rule["ports"] == [{"port": 8080, "protocol": "TCP"}]


def test_a_model_api_is_reached_at_its_addresses_only_where_they_are_known(spec: Make) -> None:
    found = policies(spec(model_apis=APIS))

    blocks = [one["ipBlock"] for one in found["allow-model-api-one"]["egress"][0]["to"]]
    assert [one["cidr"] for one in blocks] == ["0.0.0.0/0", "::/0"]
    assert "169.254.0.0/16" in blocks[0]["except"]
    (rule,) = found["allow-model-api-two"]["egress"]
    assert rule == {
        "to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}],
        "ports": [{"port": 8443, "protocol": "TCP"}],
    }


def test_by_name_a_model_api_is_reached_by_its_name_only(spec: Make) -> None:
    cilium = policies(spec(model_apis=APIS, egress="cilium"))
    eks = policies(spec(model_apis=APIS, egress="eks-auto"))

    names_of = [
        name["matchName"]
        for rule in cilium["allow-model-apis"]["egress"]
        for name in rule.get("toFQDNs", ())
    ]
    assert names_of == ["one.example.com", "two.example.com"]
    assert "allow-dns" not in cilium, "Cilium reads names in DNS answers that pass through it"
    assert [rule["to"][0]["domainNames"] for rule in eks["allow-model-apis"]["egress"]] == [
        ["one.example.com"],
        ["two.example.com"],
    ]
    assert eks["allow-dns"]["egress"][0]["to"] == [{"ipBlock": {"cidr": "0.0.0.0/0"}}]


def test_without_a_domain_only_labelled_namespaces_reach_the_service(awkward: DeploySpec) -> None:
    found = policies(awkward)

    (source,) = found["allow-clients"]["ingress"][0]["from"]
    assert source["namespaceSelector"]["matchLabels"] == {"vision-edge/client": "true"}
    assert [one["port"] for one in found["allow-clients"]["ingress"][0]["ports"]] == [9000, 9001]


def test_the_quota_holds_a_rollout_of_the_most_replicas(spec: Make) -> None:
    service = spec(autoscaling=Autoscaling(min=3, max=10))
    hard = objects(service)["ResourceQuota", "answers"]["spec"]["hard"]

    # 10 new replicas, 10 old ones that finish their calls, and the pod of cert-manager.
    assert hard["pods"] == "21"
    assert hard["requests.cpu"] == "5250m"
    assert hard["limits.memory"] == "10752Mi"


def test_traces_and_the_proxy_are_told_to_the_service(spec: Make) -> None:
    service = spec()
    monitoring = replace(service.monitoring, traces="http://jaeger.example.com:4318")
    cluster = replace(service.cluster, proxy="proxy.example.com:3128")
    told = replace(service, monitoring=monitoring, cluster=cluster, egress="proxy")

    data = objects(told)["ConfigMap", "answers-config"]["data"]

    assert data["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://otel-collector.monitoring.svc:4318"
    assert data["HTTPS_PROXY"] == "http://proxy.example.com:3128"
    assert {"allow-traces", "allow-proxy"} <= set(policies(told))


def test_alerts_are_those_of_prometheus(spec: Make) -> None:
    service = spec()
    groups = objects(service)["PrometheusRule", "answers"]["spec"]["groups"]

    found = [rule.get("alert") or rule["record"] for one in groups for rule in one["rules"]]
    assert found == [
        getattr(rule, "name", "") or getattr(rule, "record", "")
        for group in alerts.rules(service)
        for rule in group.rules
    ]
    assert len(found) > 10


def test_every_object_says_whose_it_is(specs: Sequence[DeploySpec]) -> None:
    for (kind, _), one in objects(specs[2]).items():
        if kind != "Kustomization":
            assert names.selector(specs[2]).items() <= one["metadata"]["labels"].items(), kind
            expected = None if kind in ("Namespace", "PriorityClass") else "answers-prod"
            assert one["metadata"].get("namespace") == expected, kind


def test_objects_are_called_and_labelled_as_everybody_expects(
    specs: Sequence[DeploySpec],
) -> None:
    spec = specs[2]
    monitoring = replace(spec.monitoring, traces="http://jaeger.example.com:4318")
    found = objects(replace(spec, monitoring=monitoring))

    assert set(found) >= {
        ("Namespace", names.namespace(spec)),
        ("PriorityClass", names.namespace(spec)),
        ("ConfigMap", names.config_map(spec)),
        ("ExternalSecret", names.secret(spec)),
        ("Deployment", names.workload(spec)),
    }
    assert found["Deployment", "answers"]["metadata"]["labels"] == names.labels(spec)
    assert pod(found)["priorityClassName"] == names.namespace(spec)
    (tls,) = found["Ingress", "answers"]["spec"]["tls"]
    assert tls["secretName"] == names.tls_secret(spec)
    mounts = {one["name"]: one["mountPath"] for one in pod(found)["containers"][0]["volumeMounts"]}
    assert mounts == {"tmp": names.TEMPORARY, "secrets": names.secret_folder(spec)}
    (port,) = found["NetworkPolicy", "allow-traces"]["spec"]["egress"][0]["ports"]
    assert port["port"] == names.COLLECTOR_PORT


def test_a_region_may_be_the_only_one_with_a_domain(spec: Make) -> None:
    service = spec(domains=(), regions=(Region(name="eu", domains=("eu.example.com",)),))
    renderer = render.Renderer(None)
    made = {one.path: renderer.artifact(one) for one in kubernetes.files([service])}

    assert ("Ingress", "answers") not in objects(service)
    assert "allow-ingress" in policies(service)
    overlay = yaml.safe_load(made["k8s/regions/dev/eu/kustomization.yaml"].text)
    assert overlay["resources"] == ["../../../dev", "ingress.yaml"]
    ingress = yaml.safe_load(made["k8s/regions/dev/eu/ingress.yaml"].text)
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == ["eu.example.com"]


@pytest.mark.parametrize("name", ["deployment", "networkpolicy", "configmap", "prometheusrule"])
def test_a_manifest_and_the_template_of_the_chart(
    specs: Sequence[DeploySpec], golden: Callable[[str, str], None], name: str
) -> None:
    renderer = render.Renderer(None)
    wanted = {one.path: one for one in (*kubernetes.files(specs[2:3]), *helm.files(specs))}

    for path, kept in (
        (f"k8s/prod/{name}.yaml", f"deploy/{name}.yaml"),
        (f"helm/answers/templates/{name}.yaml", f"deploy/chart-{name}.yaml"),
    ):
        if kept != "deploy/prometheusrule.yaml":  # its rules are kept where they are made
            golden(kept, renderer.artifact(wanted[path]).text)
