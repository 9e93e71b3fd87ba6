"""Rules on pods and on what makes them: rights on the node, spread, rollout, labels, versions."""

from collections.abc import Iterator, Mapping

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules import values
from sdlc_cli.deploy.rules.objects import Object, matches
from sdlc_cli.deploy.rules.parsed import Parsed
from sdlc_cli.deploy.rules.rule import Hit, Rule
from sdlc_cli.deploy.rules.subjects import At, amount, each

_NAME = "app.kubernetes.io/name"
_HOST = "kubernetes.io/hostname"
_ZONE = "topology.kubernetes.io/zone"
# Versions that the API server no longer serves, and the minor version that dropped them.
# https://kubernetes.io/docs/reference/using-api/deprecation-guide/
_REMOVED: Mapping[str, Mapping[str, str]] = {
    "extensions/v1beta1": {
        "Deployment": "1.16", "DaemonSet": "1.16", "ReplicaSet": "1.16", "NetworkPolicy": "1.16",
        "Ingress": "1.22", "PodSecurityPolicy": "1.16",
    },
    "apps/v1beta1": {"Deployment": "1.16", "StatefulSet": "1.16"},
    "apps/v1beta2": {
        "Deployment": "1.16", "DaemonSet": "1.16", "ReplicaSet": "1.16", "StatefulSet": "1.16",
    },
    "networking.k8s.io/v1beta1": {"Ingress": "1.22", "IngressClass": "1.22"},
    "rbac.authorization.k8s.io/v1beta1": {
        "Role": "1.22", "RoleBinding": "1.22", "ClusterRole": "1.22", "ClusterRoleBinding": "1.22",
    },
    "apiextensions.k8s.io/v1beta1": {"CustomResourceDefinition": "1.22"},
    "admissionregistration.k8s.io/v1beta1": {
        "ValidatingWebhookConfiguration": "1.22", "MutatingWebhookConfiguration": "1.22",
    },
    "scheduling.k8s.io/v1beta1": {"PriorityClass": "1.22"},
    "storage.k8s.io/v1beta1": {"StorageClass": "1.22", "CSIDriver": "1.22", "CSINode": "1.22"},
    "coordination.k8s.io/v1beta1": {"Lease": "1.22"},
    "batch/v1beta1": {"CronJob": "1.25"},
    "policy/v1beta1": {"PodDisruptionBudget": "1.25", "PodSecurityPolicy": "1.25"},
    "discovery.k8s.io/v1beta1": {"EndpointSlice": "1.25"},
    "autoscaling/v2beta1": {"HorizontalPodAutoscaler": "1.25"},
    "autoscaling/v2beta2": {"HorizontalPodAutoscaler": "1.26"},
    "flowcontrol.apiserver.k8s.io/v1beta1": {
        "FlowSchema": "1.26", "PriorityLevelConfiguration": "1.26",
    },
}  # fmt: skip
_GROUPS = frozenset(key.partition("/")[0] for key in _REMOVED if "/" in key) | {"apps", "batch"}


@each()
def _host_namespace(one: Object) -> Iterator[At]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if one.pod.get(key) is True:
            yield values.line(one.pod, key), key


@each()
def _host_path(one: Object) -> Iterator[At]:
    for i, volume in enumerate(values.sections(one.pod, "volumes")):
        if values.section(volume, "hostPath"):
            yield values.line(one.pod, "volumes", i), values.text(volume, "hostPath", "path")


@each()
def _unsized(one: Object) -> Iterator[At]:
    for volume in values.sections(one.pod, "volumes"):
        if "emptyDir" in volume and not values.at(volume, "emptyDir", "sizeLimit"):
            yield values.line(volume, "emptyDir"), values.text(volume, "name")


@each()
def _default_account(one: Object) -> Iterator[At]:
    if values.text(one.pod, "serviceAccountName") in ("", "default"):
        yield values.line(one.pod, "serviceAccountName"), ""


def _token(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.objects.workloads:
        asked = one.pod.get("automountServiceAccountToken")
        name = values.text(one.pod, "serviceAccountName")
        if asked is None and name:
            account = parsed.objects.find("ServiceAccount", name, one)
            asked = account.root.get("automountServiceAccountToken") if account else None
        if asked is not False:
            yield Hit(one.path, values.line(one.pod, "automountServiceAccountToken"), one.subject)


@each()
def _service_links(one: Object) -> Iterator[At]:
    if one.pod.get("enableServiceLinks") is not False:
        yield values.line(one.pod, "enableServiceLinks"), ""


@each()
def _host_users(one: Object) -> Iterator[At]:
    if one.pod.get("hostUsers") is True:
        yield values.line(one.pod, "hostUsers"), ""


@each("Deployment", "StatefulSet", "DaemonSet")
def _priority(one: Object) -> Iterator[At]:
    if one.template is not None and not values.text(one.pod, "priorityClassName"):
        yield values.line(one.pod), ""


def replicated(parsed: Parsed, one: Object) -> bool:
    """Whether it has, or may be scaled to, more than one replica."""
    wanted = values.number(one.root, "spec", "replicas")
    if wanted is not None and wanted > 1:
        return True
    scalers = parsed.objects.scalers(one)
    return any((values.number(hpa.root, "spec", "maxReplicas") or 0) > 1 for hpa in scalers)


def _spread_keys(one: Object) -> set[str]:
    """The topologies over which its pods keep apart."""
    keys = {
        values.text(spread, "topologyKey")
        for spread in values.sections(one.pod, "topologySpreadConstraints")
    }
    at = ("affinity", "podAntiAffinity")
    for term in values.sections(one.pod, *at, "requiredDuringSchedulingIgnoredDuringExecution"):
        keys.add(values.text(term, "topologyKey"))
    for term in values.sections(one.pod, *at, "preferredDuringSchedulingIgnoredDuringExecution"):
        keys.add(values.text(term, "podAffinityTerm", "topologyKey"))
    return keys


def _spread(parsed: Parsed, key: str) -> Iterator[Hit]:
    for one in parsed.objects.of("Deployment", "StatefulSet"):
        if one.template is not None and replicated(parsed, one) and key not in _spread_keys(one):
            yield Hit(one.path, values.line(one.pod), one.subject)


def _no_anti_affinity(parsed: Parsed) -> Iterator[Hit]:
    yield from _spread(parsed, _HOST)


def _no_zone_spread(parsed: Parsed) -> Iterator[Hit]:
    yield from _spread(parsed, _ZONE)


@each("Deployment")
def _rollout(one: Object) -> Iterator[At]:
    strategy = values.section(one.root, "spec", "strategy")
    if values.text(strategy, "type") == "Recreate":
        yield one.line("spec", "strategy", "type"), "Recreate"
    elif values.text(strategy, "rollingUpdate", "maxUnavailable") not in ("0", "0%"):
        away = values.text(strategy, "rollingUpdate", "maxUnavailable")
        line = one.line("spec", "strategy", "rollingUpdate", "maxUnavailable")
        yield line, f"maxUnavailable: {away or '25%'}"


@each()
def _grace(one: Object) -> Iterator[At]:
    grace = values.number(one.pod, "terminationGracePeriodSeconds")
    grace = 30 if grace is None else grace
    for container in one.containers:
        pause = values.number(container.root, "lifecycle", "preStop", "sleep", "seconds") or 0
        command = values.words(container.root, "lifecycle", "preStop", "exec", "command")
        if len(command) == 2 and command[0].endswith("sleep"):
            pause = int(amount(command[1].rstrip("s")) or 0)
        if pause and pause >= grace:
            line = values.line(one.pod, "terminationGracePeriodSeconds")
            yield line, f"{pause} s >= {grace} s"


@each("Deployment", "StatefulSet", "DaemonSet", "Service")
def _labels(one: Object) -> Iterator[At]:
    if not one.labels.get(_NAME):
        yield one.line("metadata", "labels"), ""


@each("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
def _selector(one: Object) -> Iterator[At]:
    selector = values.section(one.root, "spec", "selector")
    if one.template is not None and (not selector or not matches(selector, one.pod_labels)):
        yield one.line("spec", "selector"), ""


def _removed(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.objects.every:
        if since := _REMOVED.get(one.api, {}).get(one.kind):
            yield Hit(one.path, one.line("apiVersion"), one.subject, f"{one.api}: {since}")


def _unstable(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.objects.every:
        group, _slash, version = one.api.rpartition("/")
        ours = group in _GROUPS or group == "" or (group.endswith(".k8s.io") and group in _GROUPS)
        early = "alpha" in version or "beta" in version
        if ours and early and one.kind not in _REMOVED.get(one.api, {}):
            yield Hit(one.path, one.line("apiVersion"), one.subject, one.api)


@each("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "Service", "Ingress")
def _no_namespace(one: Object) -> Iterator[At]:
    if one.namespace in ("", "default"):
        yield one.line("metadata", "namespace"), one.namespace


RULES = (
    Rule(
        id="k8s-host-namespace",
        severity=Severity.HIGH,
        title=msg("the pod shares a namespace of its node"),
        why=msg("It sees the node's network, processes or memory as if it were no container."),
        fix=msg("Remove hostNetwork, hostPID and hostIPC."),
        same_as=("CKV_K8S_17", "CKV_K8S_18", "CKV_K8S_19", "KSV008", "KSV009", "KSV010"),
        check=_host_namespace,
    ),
    Rule(
        id="k8s-host-path",
        severity=Severity.HIGH,
        title=msg("the pod mounts a folder of its node"),
        why=msg("Through it an intruder reads other pods' secrets, or takes over the node."),
        fix=msg("Use a PersistentVolumeClaim, an emptyDir or a ConfigMap."),
        same_as=("KSV023", "KL sensitive-host-mounts", "CKV_K8S_27"),
        check=_host_path,
    ),
    Rule(
        id="k8s-unsized-volume",
        severity=Severity.LOW,
        title=msg("an emptyDir has no size limit"),
        why=msg("It grows until the node's disk is full."),
        fix=msg("Set `emptyDir.sizeLimit`."),
        check=_unsized,
    ),
    Rule(
        id="k8s-default-service-account",
        severity=Severity.MEDIUM,
        title=msg("the pod runs as the namespace's default service account"),
        why=msg("A right that is given to one pod is given to all that share the account."),
        fix=msg("Make a ServiceAccount for it and name it in `serviceAccountName`."),
        same_as=("CKV_K8S_41", "KL default-service-account"),
        check=_default_account,
    ),
    Rule(
        id="k8s-token-mounted",
        severity=Severity.MEDIUM,
        title=msg("a token for the API server is mounted into the pod"),
        why=msg("Who can read one file in the pod can speak to the cluster in its name."),
        fix=msg("Set `automountServiceAccountToken: false`, unless it calls the API server."),
        same_as=("CKV_K8S_38", "POL automountServiceAccountToken"),
        check=_token,
    ),
    Rule(
        id="k8s-service-links",
        severity=Severity.LOW,
        title=msg("every Service of the namespace is written into its environment"),
        why=msg("Hundreds of variables slow the start, and one may hit a setting's name."),
        fix=msg("Set `enableServiceLinks: false`."),
        check=_service_links,
    ),
    Rule(
        id="k8s-host-users",
        severity=Severity.LOW,
        title=msg("its user ids are those of the node"),
        why=msg("Root in the container is then root on the node."),
        fix=msg("Set `hostUsers: false` where the cluster has user namespaces."),
        check=_host_users,
    ),
    Rule(
        id="k8s-no-priority-class",
        severity=Severity.LOW,
        title=msg("nothing says how important its pods are"),
        why=msg("On a full cluster a batch job may push out what serves customers."),
        fix=msg("Name a PriorityClass in `priorityClassName`."),
        same_as=("KL priority-class-name",),
        check=_priority,
    ),
    Rule(
        id="k8s-no-anti-affinity",
        severity=Severity.LOW,
        title=msg("all its replicas may land on one node"),
        why=msg("Replicas on one node fail together."),
        fix=msg("Add podAntiAffinity or a spread by `kubernetes.io/hostname`."),
        same_as=("KL no-anti-affinity", "KS deployment-has-host-podantiaffinity"),
        check=_no_anti_affinity,
    ),
    Rule(
        id="k8s-no-zone-spread",
        severity=Severity.LOW,
        title=msg("all its replicas may land in one zone"),
        why=msg("Losing one zone then loses the service."),
        fix=msg("Add topologySpreadConstraints by `topology.kubernetes.io/zone`."),
        same_as=("KS pod-topology-spread-constraints",),
        check=_no_zone_spread,
    ),
    Rule(
        id="k8s-rollout",
        severity=Severity.MEDIUM,
        title=msg("a rollout takes replicas away before new ones serve"),
        why=msg("Requests are dropped at every release, and all of them with Recreate."),
        fix=msg("Use RollingUpdate with `maxUnavailable: 0`."),
        same_as=("KS deployment-strategy", "KL no-rolling-update-strategy"),
        check=_rollout,
    ),
    Rule(
        id="k8s-grace-period",
        severity=Severity.HIGH,
        title=msg("preStop takes all of the time that a stop may take"),
        why=msg("The process is killed before it is told to stop; its requests are lost."),
        fix=msg("Raise `terminationGracePeriodSeconds` over preStop and the longest request."),
        check=_grace,
    ),
    Rule(
        id="k8s-labels",
        severity=Severity.LOW,
        title=msg("the label app.kubernetes.io/name is missing"),
        why=msg("Dashboards, policies and people find objects of one service by it."),
        fix=msg("Add the labels of app.kubernetes.io to every object."),
        same_as=("KS label-values", "KL required-label-owner"),
        check=_labels,
    ),
    Rule(
        id="k8s-selector-mismatch",
        severity=Severity.HIGH,
        title=msg("its selector does not select its own pods"),
        why=msg("The API server refuses it."),
        fix=msg("Give the pod template the labels that the selector asks for."),
        same_as=("KL mismatching-selector",),
        check=_selector,
    ),
    Rule(
        id="k8s-removed-api",
        severity=Severity.HIGH,
        title=msg("the apiVersion is no longer served"),
        why=msg("Clusters from the named minor version on refuse the object."),
        fix=msg("Move to the stable version of the same kind."),
        same_as=("KS stable-version", "KL no-extensions-v1beta"),
        check=_removed,
    ),
    Rule(
        id="k8s-unstable-api",
        severity=Severity.LOW,
        title=msg("the apiVersion is alpha or beta"),
        why=msg("It may change or be gone in the next minor version, and is often switched off."),
        fix=msg("Use the stable version, if there is one."),
        same_as=("KS stable-version",),
        check=_unstable,
    ),
    Rule(
        id="k8s-no-namespace",
        severity=Severity.LOW,
        title=msg("it goes to the default namespace, or to wherever it is applied"),
        why=msg("Quotas, policies and rights are given by namespace; default has none."),
        fix=msg("Write `metadata.namespace`, or `namespace` in the kustomization."),
        same_as=("CKV_K8S_21", "KSV110"),
        check=_no_namespace,
    ),
)  # fmt: skip
