"""Rules across kinds of files: images, ports, flags and namespaces are the same everywhere."""

import re
from collections.abc import Iterable, Iterator

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules import values
from sdlc_cli.deploy.rules.objects import Container
from sdlc_cli.deploy.rules.parsed import Document, Parsed, beside
from sdlc_cli.deploy.rules.rule import Hit, Rule
from sdlc_cli.deploy.rules.subjects import split_image
from sdlc_cli.deploy.rules.values import Mapped

_FLAG = re.compile(r"(?:FLAG|FEATURE)_\w+")
_VALUES = re.compile(r"values[.-](.+)\.ya?ml")
_PORT = re.compile(r"\b([0-9]{1,5})(?:/(?:tcp|udp))?\b", re.IGNORECASE)


def _image(parsed: Parsed) -> Iterator[Hit]:
    """One repository, two versions of it in one namespace."""
    first: dict[tuple[str, str, str], Container] = {}
    for one in parsed.objects.containers:
        image = values.text(one.root, "image")
        repository = split_image(image)[0]
        key = (one.owner.environment, one.owner.namespace, repository)
        other = first.setdefault(key, one)
        if image and values.text(other.root, "image") != image:
            detail = f"{image}; {other.owner.subject}: {values.text(other.root, 'image')}"
            yield Hit(one.owner.path, one.line("image"), one.subject, detail)


def _chart_image(parsed: Parsed) -> Iterator[Hit]:
    """The image in a chart's values for an environment, and in that environment's manifests."""
    base = {one.folder: one.root for one in parsed.chart_values if _is_base(one)}
    for one in parsed.chart_values:
        match = _VALUES.fullmatch(one.path.rpartition("/")[2])
        if not match:
            continue
        below = values.section(base.get(one.folder), "image")
        image = {**below, **values.section(one.root, "image")}
        for container in parsed.objects.containers:
            repository, tag, digest = split_image(values.text(container.root, "image"))
            if container.owner.environment != match[1] or repository != image.get("repository"):
                continue
            wanted = (str(image.get("tag") or ""), str(image.get("digest") or ""))
            if wanted != (tag, digest) and (wanted[1] or digest or wanted[0] != tag):
                detail = f"{':'.join(filter(None, wanted))}; {container.subject}: {tag} {digest}"
                yield Hit(one.path, values.line(one.root, "image"), "values", detail.strip())


def _is_base(one: Document) -> bool:
    return one.path.rpartition("/")[2] in ("values.yaml", "values.yml")


def _other_environment(parsed: Parsed) -> Iterator[Hit]:
    known = {one.environment for one in parsed.objects.every if one.environment}
    for one in parsed.objects.every:
        space = one.name if one.kind == "Namespace" else one.namespace
        if not one.environment or space.endswith(f"-{one.environment}"):
            continue
        for other in sorted(known - {one.environment}):
            if space == other or space.endswith(f"-{other}"):
                yield Hit(one.path, one.line("metadata", "namespace"), one.subject, space)


def _exposed(parsed: Parsed, path: str) -> tuple[set[int], bool]:
    """The ports that a Dockerfile exposes, and whether it says so in plain numbers."""
    for one in parsed.dockerfiles:
        if one.path == path:
            words = [i.rest for i in one.instructions if i.word == "EXPOSE"]
            found = {int(port) for word in words for port in _PORT.findall(word)}
            return found, bool(found) and not any("$" in word for word in words)
    return set(), False


def _expose(parsed: Parsed) -> Iterator[Hit]:
    """With one Dockerfile and one image in all manifests, that is the image it builds."""
    if len(parsed.dockerfiles) != 1:
        return
    ports, plain = _exposed(parsed, parsed.dockerfiles[0].path)
    containers = [
        one for one in parsed.objects.containers if one.main and one.owner.kind == "Deployment"
    ]
    repositories = {split_image(values.text(one.root, "image"))[0] for one in containers}
    if not plain or len(repositories) != 1:
        return
    for one in containers:
        for i, (_name, number, _protocol) in enumerate(one.ports):
            if number not in ports:
                yield Hit(one.owner.path, one.line("ports", i), one.subject, str(number))


def _compose_port(parsed: Parsed) -> Iterator[Hit]:
    for document in parsed.composes:
        for name, service, dockerfile in _built(document):
            ports, plain = _exposed(parsed, dockerfile)
            for i, port in enumerate(values.items(service, "ports")):
                target = values.text(port, "target") if isinstance(port, Mapped) else str(port)
                target = target.rpartition(":")[2].partition("/")[0]
                if plain and target.isdecimal() and int(target) not in ports:
                    line = values.line(service, "ports", i)
                    yield Hit(document.path, line, f"service {name}", target)


def _built(document: Document) -> Iterator[tuple[str, Mapped, str]]:
    """Name, service and Dockerfile of each service that compose builds."""
    every = values.section(document.root, "services")
    for name in every:
        service = values.section(every, name)
        build = service.get("build")
        if build is not None:
            context = build if isinstance(build, str) else values.text(build, "context") or "."
            file = values.text(build, "dockerfile") or "Dockerfile"
            yield name, service, beside(document.path, f"{context}/{file}")


def _flags(parsed: Parsed) -> Iterator[Hit]:
    """A flag that one environment knows and another does not."""
    places: dict[str, list[tuple[Hit, set[str]]]] = {}
    for one in parsed.objects.of("ConfigMap"):
        where = Hit(one.path, one.line("data"), one.subject)
        written = values.section(one.root, "data")
        places.setdefault(one.name, []).append((where, _flags_in(written)))
    places = {name: same for name, same in places.items() if any(keys for _w, keys in same)}
    if len(places) == 1:  # else nobody knows which belong together
        next(iter(places.values())).extend(_flags_of_compose(parsed))
    for same in places.values():
        union = set().union(*(keys for _where, keys in same))
        for where, keys in same:
            if missing := sorted(union - keys):
                yield Hit(where.path, where.line, where.subject, ", ".join(missing))


def _flags_of_compose(parsed: Parsed) -> Iterator[tuple[Hit, set[str]]]:
    """The flags of the one service that compose builds."""
    built = [(document, *one) for document in parsed.composes for one in _built(document)]
    for document, name, service, _dockerfile in built if len(built) == 1 else ():
        variables = [str(key) for key in values.section(service, "environment")]
        variables += [word.partition("=")[0] for word in values.words(service, "environment")]
        where = Hit(document.path, values.line(service, "environment"), f"service {name}")
        yield where, _flags_in(variables)


def _flags_in(keys: Iterable[str]) -> set[str]:
    return {key for key in keys if _FLAG.fullmatch(key)}


RULES = (
    Rule(
        id="cross-image",
        severity=Severity.MEDIUM,
        title=msg("one image runs in two versions in one namespace"),
        why=msg("Two parts of a service that were never tested together."),
        fix=msg("Use the same tag and digest everywhere."),
        check=_image,
    ),
    Rule(
        id="cross-chart-image",
        severity=Severity.HIGH,
        title=msg("the chart's values and the manifests name different images"),
        why=msg("What runs depends on how it was deployed."),
        fix=msg("Use the same tag and digest in both."),
        check=_chart_image,
    ),
    Rule(
        id="cross-environment",
        severity=Severity.HIGH,
        title=msg("it goes to the namespace of another environment"),
        why=msg("A change that was meant for a test changes what customers use."),
        fix=msg("Use the namespace of the environment whose folder it is in."),
        check=_other_environment,
    ),
    Rule(
        id="cross-exposed-port",
        severity=Severity.MEDIUM,
        title=msg("the container's port is not one that the Dockerfile exposes"),
        why=msg("One of the two is out of date, and nothing listens there."),
        fix=msg("Use the same port in EXPOSE and in `containerPort`."),
        check=_expose,
    ),
    Rule(
        id="cross-compose-port",
        severity=Severity.MEDIUM,
        title=msg("compose publishes a port that the Dockerfile does not expose"),
        why=msg("One of the two is out of date, and nothing listens there."),
        fix=msg("Use the same port in EXPOSE and under `ports`."),
        check=_compose_port,
    ),
    Rule(
        id="cross-flag",
        severity=Severity.MEDIUM,
        title=msg("a feature flag is set elsewhere and missing here"),
        why=msg("The service then takes a default that nobody chose for this environment."),
        fix=msg("Set every flag in every environment, on or off."),
        check=_flags,
    ),
)  # fmt: skip
