"""Rules on compose files."""

from collections.abc import Callable, Iterator

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules import values
from sdlc_cli.deploy.rules.parsed import Parsed
from sdlc_cli.deploy.rules.rule import Hit, Rule
from sdlc_cli.deploy.rules.subjects import At, is_secret, split_image
from sdlc_cli.deploy.rules.values import Mapped


def _each(test: Callable[[Mapped], Iterator[At]]) -> Callable[[Parsed], Iterator[Hit]]:
    """Hold each service of each compose file against `test`."""

    def check(parsed: Parsed) -> Iterator[Hit]:
        for document in parsed.composes:
            every = values.section(document.root, "services")
            for name in every:
                for line, detail in test(values.section(every, name)):
                    yield Hit(document.path, line or every.lines[name], f"service {name}", detail)

    return check


@_each
def _privileged(one: Mapped) -> Iterator[At]:
    if one.get("privileged") is True:
        yield values.line(one, "privileged"), ""


@_each
def _host(one: Mapped) -> Iterator[At]:
    for key in ("network_mode", "pid", "ipc", "userns_mode"):
        if one.get(key) == "host":
            yield values.line(one, key), key


@_each
def _socket(one: Mapped) -> Iterator[At]:
    for i, volume in enumerate(values.items(one, "volumes")):
        source = volume if isinstance(volume, str) else values.text(volume, "source")
        if "docker.sock" in source.partition(":")[0]:
            yield values.line(one, "volumes", i), source


@_each
def _tag(one: Mapped) -> Iterator[At]:
    image = values.text(one, "image")
    _repository, tag, digest = split_image(image)
    if image and "build" not in one and not digest and tag in ("", "latest") and "$" not in image:
        yield values.line(one, "image"), image


@_each
def _secret(one: Mapped) -> Iterator[At]:
    variables = one.get("environment")
    pairs = [(str(k), str(v)) for k, v in variables.items()] if isinstance(variables, dict) else []
    pairs += [word.partition("=")[::2] for word in values.words(one, "environment")]
    for name, value in pairs:
        if value != "None" and is_secret(name, value):
            yield values.line(one, "environment", name), name


@_each
def _open_port(one: Mapped) -> Iterator[At]:
    for i, port in enumerate(values.items(one, "ports")):
        if isinstance(port, Mapped):
            open_ = "published" in port and not values.text(port, "host_ip")
        else:
            open_ = str(port).count(":") == 1
        if open_:
            yield values.line(one, "ports", i), "" if isinstance(port, Mapped) else str(port)


@_each
def _escalation(one: Mapped) -> Iterator[At]:
    words = values.words(one, "security_opt")
    if not any(word.replace("=", ":") in ("no-new-privileges", "no-new-privileges:true")
               for word in words):  # fmt: skip
        yield values.line(one, "security_opt"), ""


def _depends(parsed: Parsed) -> Iterator[Hit]:
    for document in parsed.composes:
        every = values.section(document.root, "services")
        for name in every:
            wanted = values.at(every, name, "depends_on")
            names = list(wanted) if isinstance(wanted, dict) else values.words(wanted)
            for other in names:
                if str(other) not in every and "include" not in document.root:
                    line = values.line(every, name, "depends_on")
                    yield Hit(document.path, line, f"service {name}", str(other))


RULES = (
    Rule(
        id="compose-privileged",
        severity=Severity.HIGH,
        title=msg("the service runs privileged"),
        why=msg("It has the machine's devices and every capability."),
        fix=msg("Remove `privileged`, and add the one capability that is needed."),
        check=_privileged,
    ),
    Rule(
        id="compose-host-namespace",
        severity=Severity.HIGH,
        title=msg("the service shares a namespace of the machine"),
        why=msg("It sees the machine's network or processes as if it were no container."),
        fix=msg("Publish the ports that are needed instead."),
        check=_host,
    ),
    Rule(
        id="compose-docker-socket",
        severity=Severity.HIGH,
        title=msg("the service may command Docker"),
        why=msg("Through the socket it starts a container with the machine's whole disk."),
        fix=msg("Remove the mount, or put a proxy before it that allows reading alone."),
        check=_socket,
    ),
    Rule(
        id="compose-image-tag",
        severity=Severity.LOW,
        title=msg("the image has no tag, or latest"),
        why=msg("Two people who start it get different versions."),
        fix=msg("Name a version."),
        check=_tag,
    ),
    Rule(
        id="compose-secret",
        severity=Severity.MEDIUM,
        title=msg("a secret is written into the compose file"),
        why=msg("Everyone who can read the repository has it, and it is often used elsewhere too."),
        fix=msg("Use `secrets` with a file that git ignores, or a variable: `${NAME:?}`."),
        check=_secret,
    ),
    Rule(
        id="compose-open-port",
        severity=Severity.LOW,
        title=msg("a port is published on every address of the machine"),
        why=msg("Everyone on the same network reaches it; Docker goes past the firewall."),
        fix=msg("Write `127.0.0.1:` before it."),
        check=_open_port,
    ),
    Rule(
        id="compose-privilege-escalation",
        severity=Severity.LOW,
        title=msg("the process may gain more rights than it began with"),
        why=msg("A program with the setuid bit makes an ordinary user root in the container."),
        fix=msg("Add `security_opt: [no-new-privileges:true]`."),
        check=_escalation,
    ),
    Rule(
        id="compose-unknown-service",
        severity=Severity.HIGH,
        title=msg("it waits for a service that is not in the file"),
        why=msg("docker compose refuses the file."),
        fix=msg("Correct the name under `depends_on`."),
        check=_depends,
    ),
)  # fmt: skip
