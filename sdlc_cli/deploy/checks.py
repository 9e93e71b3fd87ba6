"""What the parts of a service must agree on, which none of them can say alone."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.nearest import nearest
from sdlc_cli.core.sections import Key
from sdlc_cli.deploy.names import flag_variable
from sdlc_cli.deploy.nodes import is_arm, node_image
from sdlc_cli.deploy.options import Autoscaling, Build, Cache, Image, Resources, Service
from sdlc_cli.deploy.quantity import read_cpu, read_size
from sdlc_cli.deploy.specs import DEFAULT_REPLICAS
from sdlc_cli.deploy.words import AWS_REGION, HIDDEN

Mistakes = Iterator[tuple[Key, Message]]

PRODUCTION_REPLICAS = 3  # one may be drained and another fail while the third serves
MANAGED_NODES = 2  # of a cache in several zones
MAX_VARIABLES = 500
# COPY of a Dockerfile expands `$`, quotes, `\` and wildcards even in its JSON form, and
# .dockerignore has no quotes at all.
_COPYABLE = re.compile(r"[A-Za-z0-9@_./-]+")
_LOCK = re.compile(r"(?:.*/)?(?:uv\.lock|poetry\.lock|pylock(?:\..+)?\.toml|[^/]+\.(?:txt|lock))")
_NO_LOCK = ("Pipfile.lock", "pdm.lock", "pixi.lock", "conda.lock")  # which pip cannot read
_ECR = re.compile(r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/.*")
_CONFIG_BYTES = 900_000  # a ConfigMap takes 1 MiB with all that is around the values
_SMALLEST_MEMORY = 2**20
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|PWD|SECRET|TOKEN|CREDENTIALS?|API_?KEY|(?<!PUBLIC_)KEY)$",
    re.I,
)
_SECRET_VALUE = re.compile(
    r"://[^/\s:@]*:[^/\s@]+@"  # an address with a password
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\bAKIA[0-9A-Z]{16}\b|\bgh[opsu]_[A-Za-z0-9]{30,}|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\bsk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{20,}"
)


def mistakes(service: Service) -> Mistakes:
    """What is wrong in a service, whichever environment it is of."""
    yield from hidden(service, ())
    yield from image(service.image, ("image",))
    yield from _ports(service)
    yield from _resources(service.resources)
    yield from _scaling(service.autoscaling, service.replicas)
    yield from _variables(service)
    yield from _secrets(service)
    yield from _backends(service)
    yield from _network(service)
    yield from _pipeline(service)
    yield from _terraform(service)


def production(service: Service) -> Mistakes:
    """What production needs and the service lacks, apart from digests."""
    scaling = service.autoscaling
    if scaling is not None:
        if 0 < scaling.min < PRODUCTION_REPLICAS:  # 0: refused already
            yield ("autoscaling", "min"), _too_few()
    elif (service.replicas or DEFAULT_REPLICAS) < PRODUCTION_REPLICAS:
        yield ("replicas",), _too_few()
    for name, region in service.regions.items():
        if region.replicas is not None and region.replicas < PRODUCTION_REPLICAS:
            yield ("regions", name, "replicas"), _too_few()


def _too_few() -> Message:
    return msg(
        "production needs at least {n}, so that one can be drained and another fail",
        n=PRODUCTION_REPLICAS,
    )


def hidden(value: object, at: Key) -> Mistakes:
    """Texts below `value` with letters that cannot be seen or that end a line, or with a secret."""
    if isinstance(value, str):
        if found := HIDDEN.search(value):
            code = f"{ord(found[0]):04X}"
            yield at, msg("holds the control character U+{code}; values are one line", code=code)
        elif _SECRET_VALUE.search(value) and not _has_own_words(at):
            yield at, msg("holds a password or a key, which does not belong in this file")
    elif isinstance(value, msgspec.Struct):
        kind = type(value)  # `msgspec.structs.fields` would evaluate every annotation anew
        names = zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True)
        for name, encoded in names:
            yield from hidden(getattr(value, name), (*at, encoded))
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from hidden(entry, (*at, str(key)))
    elif isinstance(value, tuple | list):
        for i, entry in enumerate(value):
            yield from hidden(entry, (*at, i))


def _has_own_words(at: Key) -> bool:
    """Whether a secret at this place is told elsewhere, with what to do instead."""
    return "config" in (at[0], *at[2:3]) or (at[:1] == ("secrets",) and len(at) == 2)


def image(written: Image, at: Key) -> Mistakes:
    """A tag that moves."""
    if written.tag == "latest" and not written.digest:
        yield (*at, "tag"), msg("is another image tomorrow: name a version")


def build(written: Build) -> Mistakes:
    """What the image is made of must be written in a Dockerfile, and installed."""
    yield from hidden(written, ())
    if written.base is not None:
        yield from image(written.base, ("base",))
        if not written.base.tag and not written.base.digest:
            yield ("base", "tag"), msg("missing, and there is no digest either")
    for at, path in (*((("source", i), one) for i, one in enumerate(written.source)),
                     (("lock",), written.lock)):  # fmt: skip
        if not is_below(path):
            yield at, msg("must be a path below the file's own folder")
        elif not _COPYABLE.fullmatch(path):
            yield at, msg("may hold letters, digits and {others} only", others="@ _ . / -")
    name = written.lock.rpartition("/")[2]
    if not _LOCK.fullmatch(written.lock) or name in _NO_LOCK:
        known = "uv.lock, poetry.lock, requirements.lock, requirements.txt"
        yield ("lock",), msg("is no lock that can be installed; use {known}", known=known)


def is_below(path: str) -> bool:
    """Whether a path of the file leads to what is beside the file or deeper."""
    return not path.startswith(("/", "~", "-")) and ".." not in path.split("/")


def _ports(service: Service) -> Mistakes:
    if not service.ports:
        yield ("ports",), msg("must not be empty")
        return
    seen: dict[int, str] = {}
    for name, number in service.ports.items():
        if number in seen:
            yield ("ports", name), msg("has the same number as {other}", other=seen[number])
        seen.setdefault(number, name)
    for key, used in (
        ("health", service.health.port),
        ("metrics", service.metrics and service.metrics.port),
    ):
        if used and used not in service.ports:
            yield (key, "port"), unknown(used, service.ports)


def unknown(name: str, known: Iterable[str]) -> Message:
    """The complaint about a name that is none of `known`."""
    known = list(known)
    if near := nearest(name, known):
        return msg("there is no '{name}' (nearest: '{nearest}')", name=name, nearest=near)
    if not known:
        return msg("there is no '{name}', and no other", name=name)
    return msg("there is no '{name}'; there are: {known}", name=name, known=", ".join(known))


def _resources(resources: Resources) -> Mistakes:
    for name in ("cpu", "memory", "ephemeral_storage"):
        low, high = getattr(resources.requests, name), getattr(resources.limits, name)
        if not low or not high:
            continue  # refused already
        read = read_cpu if name == "cpu" else read_size
        least = 1 if name == "cpu" else _SMALLEST_MEMORY
        small = [part for part, n in (("requests", low), ("limits", high)) if read(n) < least]
        for part in small:
            yield ("resources", part, name), _too_small(name, low if part == "requests" else high)
        if not small and read(high) < read(low):
            message = msg("lies under the request of {request}", request=low)
            yield ("resources", "limits", name), message


def _too_small(name: str, written: str) -> Message:
    if name == "cpu":
        return msg("must be at least {least}", least="1m")
    return msg("is {bytes} B; write a unit such as Mi", bytes=read_size(written))


def _scaling(scaling: Autoscaling | None, replicas: int | None) -> Mistakes:
    if scaling is None:
        return
    if scaling.max < scaling.min:
        message = msg("lies under min, which is {min}", min=scaling.min)
        yield ("autoscaling", "max"), message
    elif replicas is not None and not scaling.min <= replicas <= scaling.max:
        yield (
            ("replicas",),
            msg(
                "lies outside autoscaling, which is {min} to {max}",
                min=scaling.min,
                max=scaling.max,
            ),
        )
    if not scaling.cpu and not scaling.memory:
        yield ("autoscaling",), msg("looks at nothing: set cpu or memory above 0%")
    for name in ("cpu", "memory"):
        share: Decimal = getattr(scaling, name)
        if share * 100 % 1:
            yield ("autoscaling", name), msg("must be a whole number of percent")


def _variables(service: Service) -> Mistakes:
    if len(service.config) > MAX_VARIABLES:
        yield ("config",), msg("holds more than {n} variables", n=MAX_VARIABLES)
    elif sum(len(value.encode()) for value in service.config.values()) > _CONFIG_BYTES:
        yield ("config",), msg("holds more than {n} B, all in all", n=f"{_CONFIG_BYTES:,}")
    yield from _plain(service.config, service, ("config",))
    for name, region in service.regions.items():
        yield from _plain(region.config, service, ("regions", name, "config"))
    seen: dict[str, str] = {}
    for flag in service.flags:
        variable = flag_variable(flag)
        if variable in seen:
            yield ("flags", flag), msg("is the same variable as {other}", other=seen[variable])
        seen.setdefault(variable, flag)


def _plain(config: Mapping[str, str], service: Service, at: Key) -> Mistakes:
    flags = {flag_variable(flag): flag for flag in service.flags}
    for name, value in config.items():
        here = (*at, name)
        if name in service.secrets:
            yield here, msg("is one of the secrets too")
        elif name.removesuffix("_FILE") in service.secrets:
            yield here, msg("is set for the secret {name}", name=name.removesuffix("_FILE"))
        elif name in service.flags or name in flags:
            yield here, msg("is the variable of the flag {flag} too", flag=flags.get(name, name))
        elif value and looks_secret(name, value):
            yield here, msg("looks like a secret: refer to it under secrets, by key")


def looks_secret(name: str, value: str) -> bool:
    """Whether an environment variable called so, or with such a value, should not be plain."""
    return bool(_SECRET_NAME.search(name) or _SECRET_VALUE.search(value))


def _secrets(service: Service) -> Mistakes:
    for name, reference in service.secrets.items():
        if isinstance(reference, str):
            yield (
                ("secrets", name),
                msg("wants a reference, {example}; a secret's value does not belong in this file",
                    example="{key: path/in/the/store}"),
            )  # fmt: skip
        elif name in {flag_variable(flag) for flag in service.flags}:
            yield ("secrets", name), msg("is the variable of a flag too")


def _backends(service: Service) -> Mistakes:
    groups = (("databases", service.databases), ("caches", service.caches))
    for key, backends in groups:
        for name, backend in backends.items():
            at = (key, name)
            if backend.secret not in service.secrets:
                yield (*at, "secret"), unknown(backend.secret, service.secrets)
            yield from _cidrs(backend.cidrs, at)
            few = isinstance(backend, Cache) and 0 < backend.nodes < MANAGED_NODES
            if service.infrastructure == "managed" and few:
                yield (
                    (*at, "nodes"),
                    msg("must be at least {n} with infrastructure: managed, so that one can fail",
                        n=MANAGED_NODES),
                )  # fmt: skip
            if service.infrastructure == "existing" and not backend.cidrs:
                yield (
                    (*at, "cidrs"),
                    msg("missing: nobody else knows where it is, with infrastructure: existing"),
                )
    both = service.databases.keys() & service.caches.keys()
    for name in sorted(both):
        yield ("caches", name), msg("is the name of a database too")
    for name, api in service.model_apis.items():
        yield from _cidrs(api.cidrs, ("model_apis", name))


def _cidrs(cidrs: Iterable[str], at: Key) -> Mistakes:
    for i, text in enumerate(cidrs):
        if message := _not_a_network(text):
            yield (*at, "cidrs", i), message


def _not_a_network(text: str) -> Message | None:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return msg("is not a range of addresses such as {example}", example="10.0.0.0/16")
    if str(network) == text:
        return None
    return msg("is not how the range is written (nearest: '{nearest}')", nearest=str(network))


def _network(service: Service) -> Mistakes:
    provides = service.cluster.provides
    if service.egress in ("cilium", "eks-auto"):
        if service.infrastructure == "managed":
            yield (
                ("egress",),
                msg("infrastructure: managed makes no cluster with {name}: use cidr or proxy, or"
                    " infrastructure: existing", name=service.egress),
            )  # fmt: skip
        elif service.egress not in provides:
            yield ("egress",), msg("needs {name} in cluster.provides", name=service.egress)
    if service.egress == "proxy" and not service.cluster.proxy:
        yield ("cluster", "proxy"), msg("missing, and needed by egress: proxy")
    if service.cluster.proxy and int(service.cluster.proxy.rpartition(":")[2]) not in _PORTS:
        yield ("cluster", "proxy"), msg("the port must be from 1 to 65535")
    for key, names in (("domains", service.domains), ("cluster", provides)):
        at: Key = (key,) if key == "domains" else (key, "provides")
        for i, name in enumerate(names):
            if name in names[:i]:
                yield (*at, i), msg("'{name}' is written twice", name=name)


_PORTS = range(1, 65536)


def _pipeline(service: Service) -> Mistakes:
    pipeline = service.pipeline
    if (
        pipeline.aws_role
        and not pipeline.aws_region
        and not _ECR.fullmatch(service.image.repository)
    ):
        yield ("pipeline", "aws_region"), msg("missing, and needed by pipeline.aws_role")


def app(name: str) -> Mistakes:
    """Names that Kubernetes has for its own namespaces and objects."""
    if name == "default" or name == "kube" or name.startswith("kube-"):
        yield ("app",), msg("'{name}' is a name of Kubernetes' own: choose another", name=name)


def processors(services: Mapping[str, Service]) -> Mistakes:
    """Nodes of two kinds of processor: one image, built once, runs in every environment."""
    nodes = {
        name: service.terraform.node_instance
        for name, service in services.items()
        if service.infrastructure == "managed"
    }
    first = next(iter(nodes.values()), "")
    for name, instance in nodes.items():
        if is_arm(instance) != is_arm(first):
            yield (
                ("environments", name, "terraform", "node_instance"),
                msg("{instance} cannot run the image that is built for {other}: one of the two has"
                    " an ARM processor", instance=instance, other=first),
            )  # fmt: skip


def _terraform(service: Service) -> Mistakes:
    for region in service.regions if service.infrastructure == "managed" else ():
        if not AWS_REGION.fullmatch(region):
            yield (
                ("regions", region),
                msg("is not called as a region of AWS ({example}), where infrastructure: managed"
                    " would make it", example="eu-west-1"),
            )  # fmt: skip
    terraform = service.terraform
    gpu = service.resources.gpu
    if (
        service.infrastructure == "managed"
        and gpu is not None
        and gpu.resource.startswith("nvidia.com/")
        and "NVIDIA" not in node_image(terraform.node_instance)
    ):
        yield (
            ("terraform", "node_instance"),
            msg("{instance} has no {resource}, which resources.gpu asks for; {example} has",
                instance=terraform.node_instance, resource=gpu.resource, example="g6.xlarge"),
        )  # fmt: skip
    if terraform.nodes_max < terraform.nodes_min:
        message = msg("lies under nodes_min, which is {min}", min=terraform.nodes_min)
        yield ("terraform", "nodes_max"), message
    if message := _not_a_network(terraform.vpc_cidr):  # type: ignore[assignment]
        yield ("terraform", "vpc_cidr"), message
        return
    network = ipaddress.ip_network(terraform.vpc_cidr)
    if network.version != 4 or not 16 <= network.prefixlen <= 20:
        yield ("terraform", "vpc_cidr"), msg("must be a range of IPv4 from /16 to /20")
