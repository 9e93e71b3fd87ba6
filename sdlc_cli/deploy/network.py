"""Whom a service may talk to, as its network policies say it, and what each of them guarantees.

A standard NetworkPolicy knows addresses only: where a host is allowed by name, the guarantee
says how its addresses are found, and where it is not, what else is reachable.
"""

from sdlc_cli.deploy import subnets
from sdlc_cli.deploy.model import DeploySpec, ModelApi

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
# Private, shared (RFC 6598) and link-local addresses; the last hold the cloud's credentials.
NOT_PUBLIC = (*PRIVATE, "100.64.0.0/10", "169.254.0.0/16")
POD_IDENTITY = "169.254.170.23/32"  # EKS Pod Identity agent, "Considerations" of its page
NOT_PUBLIC_6 = ("fc00::/7", "fe80::/10")

Words = dict[str, object]


def words(spec: DeploySpec) -> Words:
    """What the templates of the policies read."""
    by_name = spec.egress in ("cilium", "eks-auto") and bool(spec.model_apis)
    from_ingress = spec.has("ingress") and bool(
        spec.domains or any(region.domains for region in spec.regions)
    )
    return {
        "monitoring_namespace": spec.cluster.monitoring_namespace,
        "from_ingress": from_ingress,
        "certificates": from_ingress and spec.has("cert-manager"),
        "traces": bool(spec.monitoring.traces),
        "dns": _dns(spec),
        "by_name": spec.egress if by_name else "",
        "hosts": [{"host": one.host, "port": one.port} for one in spec.model_apis]
        if by_name
        else [],
        "proxy": _proxy(spec),
        "destinations": _destinations(spec),
    }


def guarantee(spec: DeploySpec) -> str:
    """In a sentence: what keeps the service from calling anybody else than its model APIs."""
    if _by_proxy(spec):
        return f"{_at_proxy(spec)} reachable; which hosts are called, the proxy decides"
    if not spec.model_apis:
        return "no model API is reachable"
    if spec.egress in ("cilium", "eks-auto"):
        also = ", and port 53 of every address" if _dns(spec) == "anywhere" else ""
        return f"only addresses that DNS gave for the model APIs' hosts{also} are reachable"
    if all(api.cidrs for api in spec.model_apis):
        return "only the given addresses of the model APIs are reachable"
    return "every public address is reachable on the port of a model API without addresses"


def _dns(spec: DeploySpec) -> str:
    """Where name servers are: `pods`, `anywhere` (on the node), or `cilium`, which watches them."""
    if spec.egress == "cilium" and spec.model_apis:
        return "cilium"
    return "anywhere" if spec.egress == "eks-auto" or spec.has("eks-auto") else "pods"


def _by_proxy(spec: DeploySpec) -> bool:
    return spec.egress == "proxy" and bool(spec.cluster.proxy)


def _proxy_port(spec: DeploySpec) -> int:
    _, colon, port = spec.cluster.proxy.rpartition(":")
    return int(port) if colon and port.isdecimal() else 3128


def _at_proxy(spec: DeploySpec) -> str:
    port = _proxy_port(spec)
    if namespace := spec.cluster.proxy_namespace:
        return f"only port {port} of the namespace {namespace}, where the proxy runs, is"
    return f"only port {port} of private addresses, one of which is the proxy's, is"


def _proxy(spec: DeploySpec) -> Words:
    enabled = _by_proxy(spec)
    says = guarantee(spec)
    return {
        "enabled": enabled,
        "namespace": spec.cluster.proxy_namespace if enabled else "",
        "port": _proxy_port(spec) if enabled else 3128,
        "cidrs": list(PRIVATE),
        "guarantee": f"{says[0].upper()}{says[1:]}." if enabled else "",
    }


def _destinations(spec: DeploySpec) -> list[Words]:
    servers = [
        *(("database", one.name, one.port, one.cidrs) for one in spec.databases),
        *(("cache", one.name, one.port, one.cidrs) for one in spec.caches),
    ]
    found = [_server(spec, *server) for server in servers]
    if servers and spec.infrastructure == "managed":
        found.append(_credentials())
    if spec.egress == "cidr":
        found += [_model_api(api) for api in spec.model_apis]
    return found


def _server(spec: DeploySpec, what: str, name: str, port: int, cidrs: tuple[str, ...]) -> Words:
    if cidrs:
        says = f"Allows port {port} of the given addresses of the {what} {name}, and nothing else."
    elif spec.infrastructure == "managed":
        cidrs = subnets.data(spec.terraform.vpc_cidr)
        says = f"Allows port {port} of the subnets that hold databases and caches: {what} {name}."
    else:
        cidrs = PRIVATE
        says = (
            f"Allows port {port} of every private address, because none is given for the "
            f"{what} {name}."
        )
    return {
        "policy": f"allow-{what}-{name}",
        "guarantee": says,
        "port": port,
        "blocks": [{"cidr": cidr, "except": []} for cidr in cidrs],
    }


def _credentials() -> Words:
    """Where EKS Pod Identity gives a pod its role: on each node, at the same link-local address."""
    return {
        "policy": "allow-aws-credentials",
        "guarantee": "Allows the agent that hands the service its own role, to sign in by IAM.",
        "port": 80,
        "blocks": [{"cidr": POD_IDENTITY, "except": []}],
    }


def _model_api(api: ModelApi) -> Words:
    blocks: list[Words] = [{"cidr": cidr, "except": []} for cidr in api.cidrs]
    says = f"Allows port {api.port} of the given addresses, whatever host answers there."
    if not api.cidrs:
        blocks = [
            {"cidr": "0.0.0.0/0", "except": list(NOT_PUBLIC)},
            {"cidr": "::/0", "except": list(NOT_PUBLIC_6)},
        ]
        says = (
            f"Allows port {api.port} of every public address: a NetworkPolicy knows no host "
            "names. Give the addresses, or choose another way out."
        )
    return {
        "policy": f"allow-model-api-{api.name}",
        "guarantee": says,
        "port": api.port,
        "blocks": blocks,
    }
