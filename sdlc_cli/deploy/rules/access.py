"""Rules on rights, on secrets as objects, and on what a namespace holds its pods to."""

from collections.abc import Iterator

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules import values
from sdlc_cli.deploy.rules.objects import Object
from sdlc_cli.deploy.rules.parsed import Parsed
from sdlc_cli.deploy.rules.rule import Hit, Rule
from sdlc_cli.deploy.rules.subjects import At, each, is_secret
from sdlc_cli.deploy.rules.values import Mapped

_ROLES = ("Role", "ClusterRole")
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_READS = {"get", "list", "watch", "*"}
_WRITES = {"update", "patch", "delete", "deletecollection"}
_SYSTEM = ("kube-system", "kube-public", "kube-node-lease", "default")


def _rules(one: Object) -> Iterator[tuple[int, Mapped, set[str], set[str]]]:
    """Line, rule, verbs and resources of each rule of a role."""
    for i, rule in enumerate(values.sections(one.root, "rules")):
        verbs = set(values.words(rule, "verbs"))
        yield one.line("rules", i), rule, verbs, set(values.words(rule, "resources"))


@each(*_ROLES)
def _wildcard(one: Object) -> Iterator[At]:
    for line, rule, _verbs, _resources in _rules(one):
        keys = [
            key for key in ("verbs", "resources", "apiGroups") if "*" in values.words(rule, key)
        ]
        if keys:
            yield line, ", ".join(keys)


@each(*_ROLES)
def _secrets(one: Object) -> Iterator[At]:
    for line, rule, verbs, resources in _rules(one):
        if "secrets" in resources and verbs & _READS and not values.items(rule, "resourceNames"):
            yield line, ", ".join(sorted(verbs & _READS))


@each(*_ROLES)
def _exec(one: Object) -> Iterator[At]:
    for line, _rule, _verbs, resources in _rules(one):
        for name in sorted(resources & {"pods/exec", "pods/attach", "pods/portforward"}):
            yield line, name


@each(*_ROLES)
def _escalate(one: Object) -> Iterator[At]:
    for line, _rule, verbs, resources in _rules(one):
        for verb in sorted(verbs & {"escalate", "bind", "impersonate"}):
            yield line, verb
        if "serviceaccounts/token" in resources and verbs & {"create", "*"}:
            yield line, "serviceaccounts/token"


@each(*_ROLES)
def _unnamed(one: Object) -> Iterator[At]:
    for line, rule, verbs, resources in _rules(one):
        if verbs & _WRITES and resources and not values.items(rule, "resourceNames"):
            yield line, f"{', '.join(sorted(verbs & _WRITES))}: {', '.join(sorted(resources))}"


@each(*_BINDINGS)
def _admin(one: Object) -> Iterator[At]:
    if values.text(one.root, "roleRef", "name") in ("cluster-admin", "admin", "system:masters"):
        yield one.line("roleRef", "name"), values.text(one.root, "roleRef", "name")


@each(*_BINDINGS)
def _everyone(one: Object) -> Iterator[At]:
    for i, subject in enumerate(values.sections(one.root, "subjects")):
        name = values.text(subject, "name")
        shared = values.text(subject, "kind") == "ServiceAccount" and name == "default"
        if shared or name in ("system:anonymous", "system:unauthenticated", "system:authenticated"):
            yield one.line("subjects", i), name


def _plain_secret(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.objects.of("Secret"):
        if "sops" in one.root or values.text(one.root, "type").startswith("kubernetes.io/service-"):
            continue
        for key in ("data", "stringData"):
            held = values.section(one.root, key)
            if any(value not in (None, "") for value in held.values()):
                yield Hit(one.path, one.line(key), one.subject, ", ".join(sorted(held)[:5]))


@each("ConfigMap")
def _secret_config(one: Object) -> Iterator[At]:
    for key, value in values.section(one.root, "data").items():
        if is_secret(key, str(value)) or (
            "-----BEGIN " in str(value) and "PRIVATE KEY" in str(value)
        ):
            yield one.line("data", key), key


@each("Namespace")
def _pod_security(one: Object) -> Iterator[At]:
    if one.name in _SYSTEM:
        return
    loose = [
        mode
        for mode in ("enforce", "audit", "warn")
        if one.labels.get(f"pod-security.kubernetes.io/{mode}") != "restricted"
    ]
    if loose:
        yield one.line("metadata", "labels"), ", ".join(loose)


def _without(parsed: Parsed, kind: str) -> Iterator[Hit]:
    """Namespaces that hold workloads of the set and no object of this kind."""
    for space in parsed.objects.of("Namespace"):
        used = any(one.namespace == space.name for one in parsed.objects.workloads)
        if used and not any(one.namespace == space.name for one in parsed.objects.of(kind)):
            yield Hit(space.path, space.line("metadata", "name"), space.subject)


def _quota(parsed: Parsed) -> Iterator[Hit]:
    yield from _without(parsed, "ResourceQuota")


def _limit_range(parsed: Parsed) -> Iterator[Hit]:
    yield from _without(parsed, "LimitRange")


RULES = (
    Rule(
        id="k8s-rbac-wildcard",
        severity=Severity.HIGH,
        title=msg("the role allows * instead of what is needed"),
        why=msg("It also allows what is added to the cluster later."),
        fix=msg("List groups, resources and verbs."),
        same_as=("KL wildcard-in-rules", "CKV_K8S_49", "KSV044", "KSV045", "KSV046"),
        check=_wildcard,
    ),
    Rule(
        id="k8s-rbac-secrets",
        severity=Severity.HIGH,
        title=msg("the role reads every secret of its scope"),
        why=msg("Among them are tokens of other accounts, so it is as strong as all of them."),
        fix=msg("Name the secrets in `resourceNames`, or mount them instead."),
        same_as=("KL access-to-secrets", "KSV041"),
        check=_secrets,
    ),
    Rule(
        id="k8s-rbac-exec",
        severity=Severity.HIGH,
        title=msg("the role may enter running pods"),
        why=msg("Who may enter a pod has its rights, secrets and network."),
        fix=msg("Remove it; give it to people for a limited time, when it is needed."),
        same_as=("KL access-to-create-pods", "KSV053"),
        check=_exec,
    ),
    Rule(
        id="k8s-rbac-escalation",
        severity=Severity.HIGH,
        title=msg("the role can give itself more rights"),
        why=msg("escalate, bind, impersonate and tokens of accounts lead to every right there is."),
        fix=msg("Remove these verbs."),
        same_as=("CKV_K8S_158", "KSV050"),
        check=_escalate,
    ),
    Rule(
        id="k8s-rbac-unnamed",
        severity=Severity.LOW,
        title=msg("the role may change every object of a kind"),
        why=msg("A mistake, or an intruder, reaches objects that are none of its business."),
        fix=msg("Name the objects in `resourceNames`."),
        check=_unnamed,
    ),
    Rule(
        id="k8s-rbac-admin",
        severity=Severity.CRITICAL,
        title=msg("an account is made an administrator"),
        why=msg("Whoever takes over a pod with this account owns the cluster or the namespace."),
        fix=msg("Bind a role that holds what the account needs."),
        same_as=("KL cluster-admin-role-binding", "KSV111"),
        check=_admin,
    ),
    Rule(
        id="k8s-rbac-everyone",
        severity=Severity.HIGH,
        title=msg("a right is given to an account that many share"),
        why=msg("Pods that name no account use default; system:authenticated is everybody."),
        fix=msg("Bind a ServiceAccount of the one service."),
        same_as=("CKV_K8S_42",),
        check=_everyone,
    ),
    Rule(
        id="k8s-plain-secret",
        severity=Severity.HIGH,
        title=msg("a Secret lies in the files with its values"),
        why=msg("base64 is no encryption: everyone who can read the repository has them."),
        fix=msg("Use an ExternalSecret, a SealedSecret or SOPS, and revoke these values."),
        same_as=("CKV_SECRET_6",),
        check=_plain_secret,
    ),
    Rule(
        id="k8s-secret-in-config",
        severity=Severity.HIGH,
        title=msg("a ConfigMap holds what looks like a secret"),
        why=msg("ConfigMaps are shown to everyone who may look at the namespace."),
        fix=msg("Revoke it, and keep the new one in a secret store."),
        same_as=("KSV0109",),
        check=_secret_config,
    ),
    Rule(
        id="k8s-pod-security",
        severity=Severity.MEDIUM,
        title=msg("the namespace does not hold its pods to the restricted standard"),
        why=msg("A pod that somebody adds later may run as root and privileged."),
        fix=msg("Label it pod-security.kubernetes.io/enforce, audit and warn: restricted."),
        same_as=("PSS",),
        check=_pod_security,
    ),
    Rule(
        id="k8s-no-quota",
        severity=Severity.LOW,
        title=msg("nothing limits what the namespace may use"),
        why=msg("One namespace can take the cluster's capacity from all others."),
        fix=msg("Add a ResourceQuota."),
        same_as=("KSV040",),
        check=_quota,
    ),
    Rule(
        id="k8s-no-limit-range",
        severity=Severity.LOW,
        title=msg("pods without limits get none in the namespace"),
        why=msg("A pod that somebody adds later, as for debugging, has no bounds."),
        fix=msg("Add a LimitRange with defaults."),
        same_as=("KSV039",),
        check=_limit_range,
    ),
)  # fmt: skip
