"""Rules on who can reach a pod, and whom it can reach."""

from collections.abc import Iterator

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules import values
from sdlc_cli.deploy.rules.objects import Object, matches, together
from sdlc_cli.deploy.rules.parsed import Parsed
from sdlc_cli.deploy.rules.rule import Hit, Rule
from sdlc_cli.deploy.rules.subjects import At, each
from sdlc_cli.deploy.rules.values import Mapped

_POLICY = "NetworkPolicy"
_BY_NAME = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "ApplicationNetworkPolicy")
_EVERYWHERE = ("0.0.0.0/0", "::/0")
_DNS = 53


def _types(policy: Object) -> list[str]:
    """The directions that it isolates."""
    written = values.words(policy.root, "spec", "policyTypes")
    return written or ["Ingress", *(["Egress"] if values.at(policy.root, "spec", "egress") else [])]


def _policies(parsed: Parsed, one: Object) -> list[Object]:
    """The NetworkPolicies that select this workload's pods."""
    return [
        policy
        for policy in parsed.objects.of(_POLICY)
        if together(policy, one)
        and matches(values.section(policy.root, "spec", "podSelector"), one.pod_labels)
    ]


def _unselected(parsed: Parsed) -> Iterator[Hit]:
    others = list(parsed.objects.of(*_BY_NAME))
    for one in parsed.objects.workloads:
        if _policies(parsed, one) or any(together(other, one) for other in others):
            continue
        yield Hit(one.path, one.line("metadata", "name"), one.subject)


def _denies_all(policy: Object) -> bool:
    spec = values.section(policy.root, "spec")
    return (
        not values.section(spec, "podSelector")
        and set(_types(policy)) == {"Ingress", "Egress"}
        and not values.items(spec, "ingress")
        and not values.items(spec, "egress")
    )


def _no_deny(parsed: Parsed) -> Iterator[Hit]:
    """Once for each namespace that has policies and pods."""
    first: dict[tuple[str, str], Object] = {}
    closed: set[tuple[str, str]] = set()
    for policy in parsed.objects.of(_POLICY):
        key = (policy.environment, policy.namespace)
        first.setdefault(key, policy)
        if _denies_all(policy):
            closed.add(key)
    for key, policy in first.items():
        if key not in closed:
            detail = policy.namespace
            yield Hit(policy.path, policy.line("metadata", "name"), policy.subject, detail)


def _allows_dns(rule: Mapped) -> set[str]:
    """The protocols by which a rule lets port 53 through."""
    ports = list(values.sections(rule, "ports"))
    if not ports:
        return {"UDP", "TCP"}
    found: set[str] = set()
    for one in ports:
        low = values.number(one, "port")
        high = values.number(one, "endPort") or low
        if "port" not in one or (low is not None and high is not None and low <= _DNS <= high):
            found.add(values.text(one, "protocol") or "TCP")
    return found


def _dns(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.objects.workloads:
        out = [policy for policy in _policies(parsed, one) if "Egress" in _types(policy)]
        if not out or values.at(one.pod, "dnsPolicy") == "None" or _by_name(parsed, one):
            continue
        allowed = {
            protocol
            for policy in out
            for rule in values.sections(policy.root, "spec", "egress")
            for protocol in _allows_dns(rule)
        }
        if missing := sorted({"UDP", "TCP"} - allowed):
            detail = ", ".join(missing)
            yield Hit(out[0].path, out[0].line("spec", "egress"), one.subject, detail)


def _by_name(parsed: Parsed, one: Object) -> bool:
    """Whether a policy by host name lets the workload reach port 53."""
    others = [other for other in parsed.objects.of(*_BY_NAME) if together(other, one)]
    return any(word == str(_DNS) for other in others for _line, word in _words(other))


def _words(one: Object) -> Iterator[tuple[int, str]]:
    """Texts below, and port numbers as texts."""
    stack: list[object] = [one.root.get("spec"), one.root.get("specs")]
    left = 10_000
    while stack and left:
        left -= 1
        value = stack.pop()
        if isinstance(value, dict):
            stack += value.values()
        elif isinstance(value, list):
            stack += value
        elif value is not None:
            yield 0, str(value)


@each(_POLICY)
def _open(one: Object) -> Iterator[At]:
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for i, rule in enumerate(values.items(one.root, "spec", direction)):
            line = one.line("spec", direction, i)
            if not isinstance(rule, Mapped) or not rule:
                yield line, f"{direction}: everything"
                continue
            named = list(values.sections(rule, peers))
            everywhere = not named or any(
                values.text(peer, "ipBlock", "cidr") in _EVERYWHERE
                and not values.items(peer, "ipBlock", "except")
                for peer in named
            )
            if everywhere and not values.items(rule, "ports"):
                yield line, direction


@each("Service")
def _exposed(one: Object) -> Iterator[At]:
    kind = values.text(one.root, "spec", "type")
    if kind in ("NodePort", "LoadBalancer"):
        yield one.line("spec", "type"), kind
    if values.items(one.root, "spec", "externalIPs"):
        yield one.line("spec", "externalIPs"), "externalIPs"


@each("Ingress")
def _plain_ingress(one: Object) -> Iterator[At]:
    covered = {
        host for entry in values.sections(one.root, "spec", "tls")
        for host in values.words(entry, "hosts")
    }  # fmt: skip
    for i, rule in enumerate(values.sections(one.root, "spec", "rules")):
        host = values.text(rule, "host")
        wildcard = "*." + host.partition(".")[2]
        if host not in covered and wildcard not in covered:
            yield one.line("spec", "rules", i), host or "*"


@each("Ingress")
def _snippet(one: Object) -> Iterator[At]:
    for key in one.annotations:
        if key.endswith("-snippet"):
            yield one.line("metadata", "annotations", key), key


RULES = (
    Rule(
        id="k8s-no-network-policy",
        severity=Severity.MEDIUM,
        title=msg("no network policy holds for its pods"),
        why=msg("Every pod of the cluster can reach it, and it can reach everything."),
        fix=msg("Deny all in its namespace, then allow what it needs."),
        same_as=("KS pod-networkpolicy", "KL non-isolated-pod", "CKV2_K8S_6"),
        check=_unselected,
    ),
    Rule(
        id="k8s-no-default-deny",
        severity=Severity.MEDIUM,
        title=msg("the namespace has policies, and none that denies everything else"),
        why=msg("A new pod that no policy selects is open in both directions."),
        fix=msg("Add a policy with an empty podSelector, both policyTypes and no rules."),
        check=_no_deny,
    ),
    Rule(
        id="k8s-no-dns",
        severity=Severity.HIGH,
        title=msg("its way out is closed, and names cannot be looked up"),
        why=msg("Every connection by name fails; long answers need TCP beside UDP."),
        fix=msg("Allow port 53 by UDP and TCP to the cluster's DNS."),
        check=_dns,
    ),
    Rule(
        id="k8s-open-policy",
        severity=Severity.MEDIUM,
        title=msg("a rule of the policy allows everyone at every port"),
        why=msg("It undoes all other policies of these pods in that direction."),
        fix=msg("Name who is meant, or at least the ports."),
        same_as=("KSV038",),
        check=_open,
    ),
    Rule(
        id="k8s-exposed-service",
        severity=Severity.MEDIUM,
        title=msg("the Service is reached from outside, past the Ingress"),
        why=msg("No TLS, no limits and no log of the Ingress stand before it."),
        fix=msg("Use ClusterIP, and an Ingress or Gateway with TLS."),
        same_as=("KL exposed-services", "KS service-type"),
        check=_exposed,
    ),
    Rule(
        id="k8s-ingress-without-tls",
        severity=Severity.HIGH,
        title=msg("the Ingress serves a host without TLS"),
        why=msg("Whoever is on the way reads and changes requests."),
        fix=msg("List the host under `spec.tls` with the Secret of its certificate."),
        same_as=("POL tlsSettingsMissing",),
        check=_plain_ingress,
    ),
    Rule(
        id="k8s-ingress-snippet",
        severity=Severity.HIGH,
        title=msg("an annotation writes into the configuration of the Ingress controller"),
        why=msg("Who may write an Ingress reads the controller's secrets through it"
                " (CVE-2021-25742)."),
        fix=msg("Use the annotations that are made for the purpose, and forbid snippets."),
        same_as=("CKV_K8S_152", "CKV_K8S_153", "CKV_K8S_154"),
        check=_snippet,
    ),
)  # fmt: skip
