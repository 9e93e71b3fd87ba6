"""Kubernetes objects out of documents: what they are called, their pods, containers, selectors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from sdlc_cli.deploy.rules import values
from sdlc_cli.deploy.rules.values import Mapped

# Where the pod's template stands in each kind of workload.
POD_PATHS: Mapping[str, tuple[str, ...]] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Rollout": ("spec", "template"),  # Argo's stand-in for a Deployment
}
# Kinds that rules look at, besides Kubernetes' own.
_ADDED = frozenset({
    "Rollout", "ServiceMonitor", "PodMonitor", "PrometheusRule", "ExternalSecret",
    "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "ApplicationNetworkPolicy",
})  # fmt: skip
CLUSTER_WIDE = frozenset({
    "Namespace", "ClusterRole", "ClusterRoleBinding", "PriorityClass", "CustomResourceDefinition",
    "StorageClass", "PersistentVolume", "IngressClass", "ClusterSecretStore", "ClusterIssuer",
    "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService", "Node",
    "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "RuntimeClass", "CSIDriver",
    "ClusterPolicy", "GatewayClass", "NodePool", "EC2NodeClass", "NodeClass", "FlowSchema",
    "PriorityLevelConfiguration", "ClusterNetworkPolicy", "CiliumClusterwideNetworkPolicy",
    "PodSecurityPolicy", "ClusterExternalSecret", "VolumeSnapshotClass", "ResourceClass",
    "DeviceClass", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy",
})  # fmt: skip
_ABOVE = frozenset({"k8s", "overlays", "environments", "envs"})
_SHARED = frozenset({"base", "bases", "common", "components", "shared"})
_STAGES = frozenset({
    "dev", "development", "test", "testing", "qa", "uat", "stage", "staging", "preprod", "sandbox",
    "prod", "production", "prd", "live", "dr",
})  # fmt: skip
PRODUCTION = frozenset({"prod", "production", "prd", "live", "dr"})


def is_judged(api: str, kind: str) -> bool:
    """Whether rules look at such an object. `kind: pod` is none: the API server knows no such."""
    group = api.rpartition("/")[0]
    own = "." not in group or group.endswith(".k8s.io")
    return (own and kind[:1].isupper()) or kind in _ADDED


@dataclass(frozen=True, eq=False)
class Object:
    """One object of a manifest."""

    path: str
    root: Mapped
    default_namespace: str = ""  # what a kustomization beside it sets

    @cached_property
    def kind(self) -> str:
        """Deployment, Service, …"""
        return values.text(self.root, "kind")

    @cached_property
    def api(self) -> str:
        """apps/v1."""
        return values.text(self.root, "apiVersion")

    @cached_property
    def name(self) -> str:
        """metadata.name, or generateName."""
        meta = values.section(self.root, "metadata")
        return values.text(meta, "name") or values.text(meta, "generateName")

    @cached_property
    def namespace(self) -> str:
        """metadata.namespace; '' for what belongs to none, or does not say."""
        if self.kind in CLUSTER_WIDE:
            return ""
        return values.text(self.root, "metadata", "namespace") or self.default_namespace

    @cached_property
    def folder(self) -> str:
        """The folder of its file."""
        return self.path.rpartition("/")[0]

    @cached_property
    def environment(self) -> str:
        """The folder under `k8s/` or `overlays/` that it lies in; '' in any other layout."""
        parts = self.path.split("/")[:-1]
        for above, part in pairwise(parts):
            if above in _ABOVE and part not in _ABOVE and part not in _SHARED:
                return part
        return ""

    @cached_property
    def production(self) -> bool:
        """Whether its folder or its namespace is called prod, production, live or dr."""
        parts = [*self.folder.split("/"), *self.namespace.split("-")]
        return any(part in PRODUCTION for part in parts)

    @cached_property
    def subject(self) -> str:
        """How findings name it."""
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}"

    @cached_property
    def labels(self) -> Mapped:
        """metadata.labels."""
        return values.section(self.root, "metadata", "labels")

    @cached_property
    def annotations(self) -> Mapped:
        """metadata.annotations."""
        return values.section(self.root, "metadata", "annotations")

    @cached_property
    def template(self) -> Mapped | None:
        """The pod's metadata and spec, for a workload."""
        path = POD_PATHS.get(self.kind)
        if path is None or not isinstance(values.at(self.root, *path, "spec"), Mapped):
            return None
        return values.section(self.root, *path)

    @cached_property
    def pod(self) -> Mapped:
        """The pod's spec; empty for what is no workload."""
        return values.section(self.template, "spec") if self.template else Mapped()

    @cached_property
    def pod_labels(self) -> Mapped:
        """The labels of the pods that it makes."""
        return values.section(self.template, "metadata", "labels")

    @cached_property
    def containers(self) -> "tuple[Container, ...]":
        """All its containers, init containers last."""
        found: list[Container] = []
        for key in ("containers", "initContainers"):
            for one in values.sections(self.pod, key):
                # A sidecar is an init container that goes on running.
                lasting = key == "containers" or values.text(one, "restartPolicy") == "Always"
                found.append(Container(self, one, lasting, main=key == "containers"))
        return tuple(found)

    def line(self, *path: values.Step) -> int:
        """The line of what stands at `path` in the object."""
        return values.line(self.root, *path)


@dataclass(frozen=True, eq=False)
class Container:
    """A container of a workload's pods. `lasting` is False for those that run once and end."""

    owner: Object
    root: Mapped
    lasting: bool
    main: bool

    @cached_property
    def name(self) -> str:
        """Its name in the pod."""
        return values.text(self.root, "name")

    @cached_property
    def subject(self) -> str:
        """How findings name it."""
        return f"{self.owner.subject}, container {self.name}"

    @cached_property
    def ports(self) -> tuple[tuple[str, int, str], ...]:
        """Name, number and protocol of what it listens at."""
        return tuple(
            (values.text(one, "name"), found, values.text(one, "protocol") or "TCP")
            for one in values.sections(self.root, "ports")
            if (found := values.number(one, "containerPort")) is not None
        )

    def security(self, key: str) -> object:
        """What its security context says, else its pod's."""
        own = values.at(self.root, "securityContext", key)
        return values.at(self.owner.pod, "securityContext", key) if own is None else own

    def line(self, *path: values.Step) -> int:
        """The line of what stands at `path` in the container."""
        return values.line(self.root, *path)


def matches(selector: Mapped, labels: Mapping[str, object]) -> bool:
    """Whether a LabelSelector matches; an empty one matches everything."""
    wanted = values.section(selector, "matchLabels")
    if any(_word(labels.get(key)) != _word(value) for key, value in wanted.items()):
        return False
    for one in values.sections(selector, "matchExpressions"):
        key, operator = values.text(one, "key"), values.text(one, "operator")
        among = values.words(one, "values")
        there = key in labels
        if (
            (operator == "In" and (not there or _word(labels[key]) not in among))
            or (operator == "NotIn" and there and _word(labels[key]) in among)
            or (operator == "Exists" and not there)
            or (operator == "DoesNotExist" and there)
        ):
            return False
    return True


def carries(wanted: Mapping[str, object], labels: Mapping[str, object]) -> bool:
    """Whether the labels hold all these, as a Service selects."""
    return all(_word(labels.get(key)) == _word(value) for key, value in wanted.items())


def _word(value: object) -> str:
    return "" if value is None else str(value)


@dataclass(frozen=True, eq=False)
class Objects:
    """All objects of a set, and how they find each other."""

    every: tuple[Object, ...]
    generated: frozenset[tuple[str, str]] = field(default_factory=frozenset)  # kind, name

    @cached_property
    def by_kind(self) -> Mapping[str, Sequence[Object]]:
        """The objects of each kind."""
        found: dict[str, list[Object]] = {}
        for one in self.every:
            found.setdefault(one.kind, []).append(one)
        return found

    def of(self, *kinds: str) -> Iterator[Object]:
        """The objects of these kinds."""
        for kind in kinds:
            yield from self.by_kind.get(kind, ())

    @cached_property
    def workloads(self) -> tuple[Object, ...]:
        """Whatever makes pods."""
        return tuple(one for one in self.every if one.template is not None)

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """The containers of all workloads."""
        return tuple(c for one in self.workloads for c in one.containers)

    @cached_property
    def _named(self) -> Mapping[tuple[str, str], Sequence[Object]]:
        found: dict[tuple[str, str], list[Object]] = {}
        for one in self.every:
            found.setdefault((one.kind, one.name), []).append(one)
        return found

    def find(self, kind: str, name: str, near: Object) -> Object | None:
        """The object of this kind and name that `near` would reach."""
        return next(self.all(kind, name, near), None)

    def all(self, kind: str, name: str, near: Object) -> Iterator[Object]:
        """As `find`, all of them: the same environment, a namespace that fits."""
        yield from (one for one in self._named.get((kind, name), ()) if together(one, near))

    def exists(self, kind: str, name: str, near: Object) -> bool:
        """Whether there is one, written or made by a kustomization."""
        if any(k == kind and name.startswith(n) for k, n in self.generated):
            return True
        return self.find(kind, name, near) is not None

    def selected(self, selector: Mapped, near: Object, namespace: str = "") -> list[Object]:
        """The workloads whose pods a LabelSelector of `near` selects."""
        wanted = values.section(selector, "matchLabels")
        return [
            one
            for one in self.labelled(wanted)
            if matches(selector, one.pod_labels) and together(one, near, namespace)
        ]

    def labelled(self, wanted: Mapping[str, object]) -> Sequence[Object]:
        """The workloads whose pods may carry these labels: those with the rarest of them."""
        if not wanted:
            return self.workloads
        found = (self._labelled.get((key, _word(value)), ()) for key, value in wanted.items())
        return min(found, key=len)

    @cached_property
    def _labelled(self) -> Mapping[tuple[str, str], Sequence[Object]]:
        found: dict[tuple[str, str], list[Object]] = {}
        for one in self.workloads:
            for key, value in one.pod_labels.items():
                found.setdefault((key, _word(value)), []).append(one)
        return found

    def scalers(self, one: Object) -> list[Object]:
        """The HorizontalPodAutoscalers that aim at a workload."""
        wanted = self._scalers.get((one.kind, one.name), ())
        return [scaler for scaler in wanted if together(scaler, one)]

    @cached_property
    def _scalers(self) -> Mapping[tuple[str, str], Sequence[Object]]:
        found: dict[tuple[str, str], list[Object]] = {}
        for one in self.of("HorizontalPodAutoscaler"):
            target = values.section(one.root, "spec", "scaleTargetRef")
            key = (values.text(target, "kind"), values.text(target, "name"))
            found.setdefault(key, []).append(one)
        return found


def together(one: Object, other: Object, namespace: str = "") -> bool:
    """Whether they may live in one namespace of one cluster."""
    wanted = namespace or other.namespace
    if one.namespace and wanted:
        return one.namespace == wanted
    stages = {one.environment, other.environment}
    return len(stages) == 1 or not stages <= _STAGES  # the same, or not two environments
