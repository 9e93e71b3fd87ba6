"""The manifests of each environment: one file a kind of object, and overlays for its regions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from sdlc_cli.deploy import network
from sdlc_cli.deploy.model import DeploySpec, Region
from sdlc_cli.deploy.render import Wanted
from sdlc_cli.deploy.values import Values, in_region, values


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A kind of object. `when` is the word of the values that it depends on; "" is always."""

    name: str  # of the template and of the file
    about: str
    when: str = ""
    equals: str = ""  # what that word has to be, where it is not just true or false


# In the order in which they can be applied.
MANIFESTS = (
    Manifest(name="namespace", about="Namespace held to restricted pods", when="create_namespace"),
    Manifest(name="priorityclass", about="PriorityClass", when="create_priority_class"),
    Manifest(name="resourcequota", about="ResourceQuota of the namespace"),
    Manifest(name="limitrange", about="LimitRange of the namespace"),
    Manifest(name="serviceaccount", about="ServiceAccount without a token"),
    Manifest(name="role", about="Role for its own ConfigMap"),
    Manifest(name="rolebinding", about="RoleBinding of that Role"),
    Manifest(name="networkpolicy", about="NetworkPolicies"),
    Manifest(
        name="ciliumnetworkpolicy",
        about="CiliumNetworkPolicy for the model APIs",
        when="network.by_name",
        equals="cilium",
    ),
    Manifest(
        name="applicationnetworkpolicy",
        about="ApplicationNetworkPolicy for the model APIs",
        when="network.by_name",
        equals="eks-auto",
    ),
    Manifest(name="configmap", about="ConfigMap of config and flags"),
    Manifest(
        name="externalsecret",
        about="ExternalSecret: where the secrets lie",
        when="external_secrets.enabled",
    ),
    Manifest(name="deployment", about="Deployment"),
    Manifest(name="service", about="Service"),
    Manifest(name="hpa", about="HorizontalPodAutoscaler", when="autoscaling.enabled"),
    Manifest(name="pdb", about="PodDisruptionBudget"),
    Manifest(name="ingress", about="Ingress with TLS", when="ingress.enabled"),
    Manifest(name="servicemonitor", about="ServiceMonitor", when="metrics.service_monitor"),
    Manifest(name="prometheusrule", about="PrometheusRule: alerts", when="metrics.rules"),
)
POLICIES = ("networkpolicy", "ciliumnetworkpolicy", "applicationnetworkpolicy")


def files(specs: Sequence[DeploySpec]) -> Iterator[Wanted]:
    """k8s/<environment>/*.yaml for each of them."""
    for spec in specs:
        yield from _environment(spec)


def wanted(manifest: Manifest, words: Values) -> bool:
    """Whether an environment with these values has such an object."""
    value: object = words
    for key in filter(None, manifest.when.split(".")):
        value = cast(Values, value)[key]
    return value == manifest.equals if manifest.equals else bool(value)


def _environment(spec: DeploySpec) -> Iterator[Wanted]:
    words = values(spec)
    folder = f"k8s/{spec.environment}"
    chosen = [one for one in MANIFESTS if wanted(one, words)]
    for manifest in chosen:
        yield Wanted(
            template=f"kubernetes/{manifest.name}.yaml.j2",
            path=f"{folder}/{manifest.name}.yaml",
            kind="kubernetes",
            about=about(manifest, spec),
            environment=spec.environment,
            values=words,
        )
    yield Wanted(
        template="kubernetes/kustomization.yaml.j2",
        path=f"{folder}/kustomization.yaml",
        kind="kubernetes",
        about="list of the manifests, for kubectl apply -k",
        environment=spec.environment,
        values={"resources": [f"{one.name}.yaml" for one in chosen]},
    )
    for region in spec.regions:
        yield from _region(spec, region, folder)


def about(manifest: Manifest, spec: DeploySpec) -> str:
    """What the file is, and for policies what they guarantee."""
    if manifest.name in POLICIES:
        return f"{manifest.about}: {network.guarantee(spec)}"
    return manifest.about


def _region(spec: DeploySpec, region: Region, folder: str) -> Iterator[Wanted]:
    there = in_region(spec, region)
    words = values(there)
    own_ingress = bool(there.domains) and not spec.domains and spec.has("ingress")
    place = f"k8s/regions/{spec.environment}/{region.name}"
    if own_ingress:
        yield Wanted(
            template="kubernetes/ingress.yaml.j2",
            path=f"{place}/ingress.yaml",
            kind="kubernetes",
            about=f"Ingress with TLS in {region.name}",
            environment=spec.environment,
            values=words,
        )
    yield Wanted(
        template="kubernetes/region.yaml.j2",
        path=f"{place}/kustomization.yaml",
        kind="kubernetes",
        about=f"what differs in {region.name}, over the manifests of {spec.environment}",
        environment=spec.environment,
        values={
            **words,
            "region": region.name,
            "own_ingress": own_ingress,
            "other_domains": there.domains != spec.domains and not own_ingress,
            "other_replicas": there.replicas != spec.replicas,
            "other_scaling": there.autoscaling != spec.autoscaling,
        },
    )
