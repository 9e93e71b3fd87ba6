"""Rules across Kubernetes objects: what one names, another is; their ports are the same."""

from collections.abc import Iterator

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules import values
from sdlc_cli.deploy.rules.objects import Container, Object, Objects, carries, matches, together
from sdlc_cli.deploy.rules.parsed import Parsed, beside
from sdlc_cli.deploy.rules.rule import Hit, Rule
from sdlc_cli.deploy.rules.values import Mapped

# What every cluster or namespace has without a manifest.
_GIVEN_CLASSES = {"system-cluster-critical", "system-node-critical"}
_GIVEN_ROLES = {"view", "edit", "admin", "cluster-admin"}


def _pods_of(objects: Objects, service: Object) -> list[Object]:
    """The workloads whose pods a Service selects."""
    wanted = values.section(service.root, "spec", "selector")
    return [
        one
        for one in objects.labelled(wanted)
        if carries(wanted, one.pod_labels) and together(one, service)
    ]


def _selects_nothing(parsed: Parsed) -> Iterator[Hit]:
    objects = parsed.objects
    if not objects.workloads:
        return  # they are elsewhere
    others = _spaces_of_operators(objects)
    for one in objects.of("Service"):
        selector = values.section(one.root, "spec", "selector")
        if selector and one.namespace not in others and not _pods_of(objects, one):
            yield Hit(one.path, one.line("spec", "selector"), one.subject)
    for kind, key in (
        ("PodDisruptionBudget", "selector"),
        ("NetworkPolicy", "podSelector"),
        ("PodMonitor", "selector"),
    ):
        for one in objects.of(kind):
            selector = values.section(one.root, "spec", key)
            elsewhere = one.namespace in others or values.section(
                one.root, "spec", "namespaceSelector"
            )
            if not selector or elsewhere or _of_operator(selector):
                continue
            if not objects.selected(selector, one):
                yield Hit(one.path, one.line("spec", key), one.subject)
    yield from _monitors_nothing(objects)


def _of_operator(selector: Mapped) -> bool:
    """Whether it asks for labels of a domain that is not Kubernetes': pods of cert-manager, …"""
    keys = [*values.section(selector, "matchLabels")]
    keys += [values.text(one, "key") for one in values.sections(selector, "matchExpressions")]
    domains = {key.partition("/")[0] for key in keys if "/" in key}
    return any(not domain.endswith("kubernetes.io") for domain in domains)


# Custom resources that make no pods; any other may be an operator's.
_QUIET_GROUPS = ("external-secrets.io", "cert-manager.io", "cilium.io", "bitnami.com", "keda.sh",
                 "networking.k8s.aws", "kyverno.io", "k8s.io")  # fmt: skip
_QUIET_KINDS = frozenset({"ServiceMonitor", "PodMonitor", "PrometheusRule", "Probe"})


def _spaces_of_operators(objects: Objects) -> set[str]:
    """Namespaces with custom resources, out of which an operator may make pods of its own."""
    return {
        one.namespace
        for one in objects.every
        if "." in (group := one.api.partition("/")[0])
        and not group.endswith(_QUIET_GROUPS)
        and one.kind not in _QUIET_KINDS
    }


def _monitors_nothing(objects: Objects) -> Iterator[Hit]:
    """Where the set holds Services of the namespaces that are meant, one of them must match."""
    here = {one.namespace for one in objects.of("Service")}
    for one in objects.of("ServiceMonitor"):
        spaces = values.section(one.root, "spec", "namespaceSelector")
        named = values.words(spaces, "matchNames") or [one.namespace]
        meant = spaces.get("any") is not True and {"", *named} & here
        if meant and not _monitored(objects, one):
            yield Hit(one.path, one.line("spec", "selector"), one.subject)


def _monitored(objects: Objects, monitor: Object) -> list[Object]:
    """The Services that a ServiceMonitor selects, in the namespaces that it names."""
    selector = values.section(monitor.root, "spec", "selector")
    spaces = values.section(monitor.root, "spec", "namespaceSelector")
    named = values.words(spaces, "matchNames") or [monitor.namespace]
    anywhere = spaces.get("any") is True
    return [
        service
        for service in objects.of("Service")
        if matches(selector, service.labels)
        and (anywhere or any(together(service, monitor, name) for name in named))
    ]


def _service_port(parsed: Parsed) -> Iterator[Hit]:
    for service in parsed.objects.of("Service"):
        for one in _pods_of(parsed.objects, service):
            known = {value for c in one.containers if c.lasting for value in _port_words(c)}
            for i, port in enumerate(values.sections(service.root, "spec", "ports")):
                target = values.at(port, "targetPort")
                target = values.at(port, "port") if target is None else target
                line = service.line("spec", "ports", i)
                if known and str(target) not in known:
                    yield Hit(service.path, line, service.subject, f"{target}: {one.subject}")


def _port_words(one: Container) -> Iterator[str]:
    for name, number, _protocol in one.ports:
        yield str(number)
        if name:
            yield name


def _backends(ingress: Object) -> Iterator[tuple[int, Mapped]]:
    spec = values.section(ingress.root, "spec")
    if service := values.section(spec, "defaultBackend", "service"):
        yield service.line, service
    for rule in values.sections(spec, "rules"):
        for path in values.sections(rule, "http", "paths"):
            if service := values.section(path, "backend", "service"):
                yield values.line(path, "backend"), service


def _ingress(parsed: Parsed) -> Iterator[Hit]:
    objects = parsed.objects
    for one in objects.of("Ingress"):
        for line, backend in _backends(one):
            name = values.text(backend, "name")
            service = objects.find("Service", name, one)
            if service is None:
                if objects.by_kind.get("Service"):
                    yield Hit(one.path, line, one.subject, name)
                continue
            ports = list(values.sections(service.root, "spec", "ports"))
            known = {values.text(port, key) for port in ports for key in ("name", "port")}
            wanted = values.text(backend, "port", "name") or values.text(backend, "port", "number")
            if wanted not in known:
                yield Hit(one.path, line, one.subject, f"{name}:{wanted}")


def _monitor_port(parsed: Parsed) -> Iterator[Hit]:
    for monitor in parsed.objects.of("ServiceMonitor"):
        for service in _monitored(parsed.objects, monitor):
            ports = list(values.sections(service.root, "spec", "ports"))
            known = {values.text(port, "name") for port in ports}
            for i, endpoint in enumerate(values.sections(monitor.root, "spec", "endpoints")):
                name = values.text(endpoint, "port")
                if name and name not in known:
                    line = monitor.line("spec", "endpoints", i)
                    yield Hit(monitor.path, line, monitor.subject, f"{name}: {service.subject}")


def _policy_port(parsed: Parsed) -> Iterator[Hit]:
    """A port that is let in and that no selected pod listens at."""
    for policy in parsed.objects.of("NetworkPolicy"):
        selector = values.section(policy.root, "spec", "podSelector")
        pods = parsed.objects.selected(selector, policy) if selector else []
        containers = [c for one in pods for c in one.containers if c.lasting]
        known = {word for c in containers for word in _port_words(c)}
        for rule in values.sections(policy.root, "spec", "ingress"):
            for i, port in enumerate(values.sections(rule, "ports")):
                wanted = values.text(port, "port")
                if known and wanted and "endPort" not in port and wanted not in known:
                    yield Hit(policy.path, values.line(rule, "ports", i), policy.subject, wanted)


def _scaled(parsed: Parsed) -> Iterator[Hit]:
    if not parsed.objects.workloads:
        return
    for one in parsed.objects.of("HorizontalPodAutoscaler"):
        kind = values.text(one.root, "spec", "scaleTargetRef", "kind")
        name = values.text(one.root, "spec", "scaleTargetRef", "name")
        known = kind in ("Deployment", "StatefulSet", "ReplicaSet")
        if known and not parsed.objects.exists(kind, name, one):
            yield Hit(one.path, one.line("spec", "scaleTargetRef"), one.subject, f"{kind} {name}")


def _account(parsed: Parsed) -> Iterator[Hit]:
    objects = parsed.objects
    if not objects.by_kind.get("ServiceAccount"):
        return  # they are elsewhere
    for one in objects.workloads:
        name = values.text(one.pod, "serviceAccountName")
        if name not in ("", "default") and not objects.exists("ServiceAccount", name, one):
            line = values.line(one.pod, "serviceAccountName")
            yield Hit(one.path, line, one.subject, f"ServiceAccount {name}")


def _binding(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.objects.of("RoleBinding", "ClusterRoleBinding"):
        if role := _absent_role(parsed.objects, one):
            yield Hit(one.path, one.line("roleRef"), one.subject, role)
        for i, account in _absent_accounts(parsed.objects, one):
            yield Hit(one.path, one.line("subjects", i), one.subject, account)


def _absent_role(objects: Objects, binding: Object) -> str:
    """The role that a binding names and that is not there, where its kind is; else ''."""
    kind, name = (values.text(binding.root, "roleRef", key) for key in ("kind", "name"))
    given = name in _GIVEN_ROLES or name.startswith("system:")
    ours = kind == "Role" or "ClusterRole" in objects.by_kind
    return (
        f"{kind} {name}" if ours and not given and not objects.exists(kind, name, binding) else ""
    )


def _absent_accounts(objects: Objects, binding: Object) -> Iterator[tuple[int, str]]:
    """Accounts of a binding that are not in their namespace, where that has any."""
    for i, subject in enumerate(values.sections(binding.root, "subjects")):
        space = values.text(subject, "namespace") or binding.namespace
        accounts = [o for o in objects.of("ServiceAccount") if o.namespace in ("", space)]
        names = {"default", *(account.name for account in accounts)}
        name = values.text(subject, "name")
        if values.text(subject, "kind") == "ServiceAccount" and accounts and name not in names:
            yield i, name


def _priority(parsed: Parsed) -> Iterator[Hit]:
    objects = parsed.objects
    if not objects.by_kind.get("PriorityClass"):
        return
    for one in objects.workloads:
        name = values.text(one.pod, "priorityClassName")
        if name and name not in _GIVEN_CLASSES and not objects.exists("PriorityClass", name, one):
            yield Hit(one.path, values.line(one.pod, "priorityClassName"), one.subject, name)


def _kustomized(parsed: Parsed) -> Iterator[Hit]:
    there = parsed.paths | {
        path[:i] for path in parsed.paths for i, letter in enumerate(path) if letter == "/"
    }
    for one in parsed.kustomizations:
        for key in ("resources", "components", "bases", "patchesStrategicMerge"):
            for i, name in enumerate(values.words(one.root, key)):
                if (
                    "://" in name
                    or "?ref=" in name
                    or name.startswith(("github.com/", "git@", "{"))
                ):
                    continue
                path = beside(one.path, name)
                if path and path not in there and "\n" not in name:
                    yield Hit(one.path, values.line(one.root, key, i), "kustomization", name)
        yield from _forgotten(
            parsed, one.folder, one.path, set(values.words(one.root, "resources"))
        )


def _forgotten(parsed: Parsed, folder: str, path: str, listed: set[str]) -> Iterator[Hit]:
    """Manifests beside a kustomization that lists its neighbours, and not these."""
    names = {name.removeprefix("./") for name in listed}
    others = parsed.manifests.get(folder, frozenset())
    if not names & others:
        return
    patches = {one.rpartition("/")[2] for one in parsed.patches}
    for name in sorted(others - names - patches):
        yield Hit(path, 1, "kustomization", name)


RULES = (
    Rule(
        id="cross-selects-nothing",
        severity=Severity.HIGH,
        title=msg("its selector matches nothing in these files"),
        why=msg("A Service then has no endpoints; a policy or budget protects nobody, silently."),
        fix=msg("Use the labels of the pods, or of the Services for a ServiceMonitor."),
        same_as=("KL dangling-service", "KL dangling-networkpolicy", "KL dangling-servicemonitor",
                 "KS service-targets-pod"),
        check=_selects_nothing,
    ),
    Rule(
        id="cross-service-port",
        severity=Severity.HIGH,
        title=msg("the Service sends to a port that its pods do not have"),
        why=msg("Every connection is refused, while all objects look healthy."),
        fix=msg("Use the name of the container's port as `targetPort`."),
        same_as=("KL dangling-service",),
        check=_service_port,
    ),
    Rule(
        id="cross-ingress-service",
        severity=Severity.HIGH,
        title=msg("the Ingress leads to a Service or port that is not there"),
        why=msg("Everyone gets an error 503."),
        fix=msg("Use the name of the Service and of its port."),
        same_as=("KL dangling-ingress",),
        check=_ingress,
    ),
    Rule(
        id="cross-monitor-port",
        severity=Severity.HIGH,
        title=msg("the ServiceMonitor scrapes a port that the Service does not name"),
        why=msg("Nothing is scraped, so no alert on these metrics ever fires."),
        fix=msg("Use the name of a port of the Service."),
        check=_monitor_port,
    ),
    Rule(
        id="cross-policy-port",
        severity=Severity.HIGH,
        title=msg("the network policy lets in a port that the pods do not have"),
        why=msg("The port that they do have stays closed."),
        fix=msg("Name the container's port."),
        check=_policy_port,
    ),
    Rule(
        id="cross-scale-target",
        severity=Severity.HIGH,
        title=msg("the autoscaler aims at something that is not there"),
        why=msg("Nothing is ever scaled."),
        fix=msg("Correct kind and name under `scaleTargetRef`."),
        same_as=("KL dangling-horizontalpodautoscaler",),
        check=_scaled,
    ),
    Rule(
        id="cross-service-account",
        severity=Severity.HIGH,
        title=msg("the pod's service account is not there"),
        why=msg("No pod is made."),
        fix=msg("Add the ServiceAccount, or correct the name."),
        same_as=("KL non-existent-service-account",),
        check=_account,
    ),
    Rule(
        id="cross-role-binding",
        severity=Severity.HIGH,
        title=msg("the binding names a role or an account that is not there"),
        why=msg("The right is given to nobody; or to whoever makes an account of that name."),
        fix=msg("Correct `roleRef` or `subjects`."),
        check=_binding,
    ),
    Rule(
        id="cross-priority-class",
        severity=Severity.HIGH,
        title=msg("the pod's PriorityClass is not there"),
        why=msg("The API server refuses the pods."),
        fix=msg("Correct `priorityClassName`."),
        check=_priority,
    ),
    Rule(
        id="cross-kustomization",
        severity=Severity.HIGH,
        title=msg("the kustomization lists a file that is not there, or leaves one out"),
        why=msg("The build fails, or an object is never applied though it lies there."),
        fix=msg("List the files that are there."),
        check=_kustomized,
    ),
)  # fmt: skip
