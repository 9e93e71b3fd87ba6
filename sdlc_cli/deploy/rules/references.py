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
_GIVEN_MAPS = {"kube-root-ca.crt", "openshift-service-ca.crt"}
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
    for one in objects.of("Service"):
        if values.section(one.root, "spec", "selector") and not _pods_of(objects, one):
            yield Hit(one.path, one.line("spec", "selector"), one.subject)
    for kind, key in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        for one in objects.of(kind):
            selector = values.section(one.root, "spec", key)
            if selector and not objects.selected(selector, one):
                yield Hit(one.path, one.line("spec", key), one.subject)
    yield from _monitors_nothing(objects)


def _monitors_nothing(objects: Objects) -> Iterator[Hit]:
    for one in objects.of("ServiceMonitor"):
        if not _monitored(objects, one):
            yield Hit(one.path, one.line("spec", "selector"), one.subject)
    for one in objects.of("PodMonitor"):
        selector = values.section(one.root, "spec", "selector")
        elsewhere = values.section(one.root, "spec", "namespaceSelector")
        if not elsewhere and not objects.selected(selector, one):
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


def _wanted(one: Object) -> Iterator[tuple[str, int, str, str, bool]]:
    """Kind, line, name, key ('' for all) and whether it may be missing, of what pods read."""
    for c in one.containers:
        for i, source in enumerate(values.sections(c.root, "envFrom")):
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if ref := values.section(source, field):
                    optional = ref.get("optional") is True
                    yield kind, c.line("envFrom", i), values.text(ref, "name"), "", optional
        for i, variable in enumerate(values.sections(c.root, "env")):
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                if ref := values.section(variable, "valueFrom", field):
                    name, key = values.text(ref, "name"), values.text(ref, "key")
                    yield kind, c.line("env", i), name, key, ref.get("optional") is True
    for i, volume in enumerate(values.sections(one.pod, "volumes")):
        line = values.line(one.pod, "volumes", i)
        sources = [volume, *values.sections(volume, "projected", "sources")]
        for source in sources:
            for field, kind, called in (
                ("configMap", "ConfigMap", "name"),
                ("secret", "Secret", "name" if source is not volume else "secretName"),
            ):
                if ref := values.section(source, field):
                    name, optional = values.text(ref, called), ref.get("optional") is True
                    keys = [values.text(item, "key") for item in values.sections(ref, "items")]
                    yield from ((kind, line, name, key, optional) for key in keys or [""])


def _config(parsed: Parsed) -> Iterator[Hit]:
    objects = parsed.objects
    if not objects.by_kind.get("ConfigMap"):
        return
    for one in objects.workloads:
        for kind, line, name, key, optional in _wanted(one):
            if kind != "ConfigMap" or optional or name in _GIVEN_MAPS:
                continue
            found = objects.find(kind, name, one)
            if found is None:
                if not objects.exists(kind, name, one):
                    yield Hit(one.path, line, one.subject, f"ConfigMap {name}")
            elif key and key not in {
                *values.section(found.root, "data"),
                *values.section(found.root, "binaryData"),
            }:
                yield Hit(one.path, line, one.subject, f"ConfigMap {name}: {key}")


def secret_keys(objects: Objects, name: str, near: Object) -> set[str] | None:
    """The keys of the Secret that will be called so; None where that is not known."""
    for one in objects.all("Secret", name, near):
        return {*values.section(one.root, "data"), *values.section(one.root, "stringData")}
    for one in objects.all("SealedSecret", name, near):
        return set(values.section(one.root, "spec", "encryptedData"))
    for one in objects.of("ExternalSecret"):
        target = values.text(one.root, "spec", "target", "name") or one.name
        if target == name and together(one, near):
            if values.items(one.root, "spec", "dataFrom") or values.section(
                one.root, "spec", "target", "template"
            ):
                return None
            return {
                values.text(item, "secretKey") for item in values.sections(one.root, "spec", "data")
            }
    return None


def _secret_key(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.objects.workloads:
        for kind, line, name, key, optional in _wanted(one):
            known = secret_keys(parsed.objects, name, one) if kind == "Secret" else None
            if known is not None and key and key not in known and not optional:
                yield Hit(one.path, line, one.subject, f"Secret {name}: {key}")


def _secret_file(parsed: Parsed) -> Iterator[Hit]:
    """A variable that names a file under a mounted secret, and no such key in it."""
    for one in parsed.objects.workloads:
        for c in one.containers:
            mounts = _secret_mounts(parsed.objects, c)
            for line, name, path in _file_variables(parsed.objects, c):
                for folder, keys in mounts.items():
                    rest = path.removeprefix(f"{folder}/")
                    if rest != path and "/" not in rest and rest not in keys:
                        yield Hit(one.path, line, c.subject, f"{name}={path}")


def _secret_mounts(objects: Objects, one: Container) -> dict[str, set[str]]:
    """Folder and files of each mounted secret whose keys are known."""
    found: dict[str, set[str]] = {}
    volumes = {values.text(v, "name"): v for v in values.sections(one.owner.pod, "volumes")}
    for mount in values.sections(one.root, "volumeMounts"):
        volume = volumes.get(values.text(mount, "name"))
        name = values.text(volume, "secret", "secretName")
        keys = secret_keys(objects, name, one.owner) if name else None
        chosen = {values.text(item, "path") for item in values.sections(volume, "secret", "items")}
        if keys is not None and "subPath" not in mount:
            found[values.text(mount, "mountPath").rstrip("/")] = chosen or keys
    return found


def _file_variables(objects: Objects, one: Container) -> Iterator[tuple[int, str, str]]:
    """Line, name and value of each variable that ends in _FILE, also out of a ConfigMap."""
    for i, variable in enumerate(values.sections(one.root, "env")):
        name = values.text(variable, "name")
        if name.endswith("_FILE"):
            yield one.line("env", i), name, values.text(variable, "value")
    for i, source in enumerate(values.sections(one.root, "envFrom")):
        config = objects.find("ConfigMap", values.text(source, "configMapRef", "name"), one.owner)
        for key, value in values.section(config.root if config else None, "data").items():
            if key.endswith("_FILE") and isinstance(value, str):
                yield one.line("envFrom", i), key, value


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
    others = {
        p.rpartition("/")[2] for p, _root in parsed.raw_objects if p.rpartition("/")[0] == folder
    }
    patches = {one.rpartition("/")[2] for one in parsed.patched()}
    if not names & others:
        return
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
        id="cross-config-key",
        severity=Severity.HIGH,
        title=msg("the pod reads a ConfigMap, or a key of it, that is not there"),
        why=msg("Its containers do not start."),
        fix=msg("Add the key, or correct the name."),
        check=_config,
    ),
    Rule(
        id="cross-secret-key",
        severity=Severity.HIGH,
        title=msg("the pod reads a key that the Secret will not have"),
        why=msg("Its containers do not start."),
        fix=msg("Add the key to the ExternalSecret, or correct the name."),
        check=_secret_key,
    ),
    Rule(
        id="cross-secret-file",
        severity=Severity.HIGH,
        title=msg("a variable names the file of a secret that is not mounted there"),
        why=msg("The service starts, and fails at its first use of the secret."),
        fix=msg("Use the key of the Secret as the file's name."),
        check=_secret_file,
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
