"""Rules on how a container is asked whether it is well, and how it is stopped."""

from collections.abc import Iterator

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules import values
from sdlc_cli.deploy.rules.objects import Container
from sdlc_cli.deploy.rules.rule import Rule
from sdlc_cli.deploy.rules.subjects import At, each_server

_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


@each_server
def _no_readiness(one: Container) -> Iterator[At]:
    if one.root.get("readinessProbe") is None and one.ports:
        yield 0, ""


@each_server
def _no_liveness(one: Container) -> Iterator[At]:
    if one.root.get("livenessProbe") is None and one.ports:
        yield 0, ""


@each_server
def _no_startup(one: Container) -> Iterator[At]:
    if one.root.get("livenessProbe") is not None and one.root.get("startupProbe") is None:
        yield one.line("livenessProbe"), ""


@each_server
def _identical(one: Container) -> Iterator[At]:
    ready, live = one.root.get("readinessProbe"), one.root.get("livenessProbe")
    if ready is not None and ready == live:
        yield one.line("livenessProbe"), ""


def _probe_ports(one: Container) -> Iterator[tuple[int, object, str]]:
    for key in _PROBES:
        for how in ("httpGet", "tcpSocket", "grpc"):
            port = values.at(one.root, key, how, "port")
            if port is not None:
                yield one.line(key, how, "port"), port, how


@each_server
def _probe_port(one: Container) -> Iterator[At]:
    named = {name for name, _number, _protocol in one.ports}
    numbers = {number for _name, number, _protocol in one.ports}
    for line, port, _how in _probe_ports(one):
        known = port in numbers if isinstance(port, int) else port in named
        if not known and (isinstance(port, str) or one.ports):
            yield line, str(port)


@each_server
def _probe_number(one: Container) -> Iterator[At]:
    numbers = {number for name, number, _protocol in one.ports if name}
    for line, port, how in _probe_ports(one):
        if isinstance(port, int) and how != "grpc" and port in numbers:  # grpc takes no name
            yield line, str(port)


@each_server
def _pre_stop(one: Container) -> Iterator[At]:
    if one.ports and not values.section(one.root, "lifecycle", "preStop"):
        yield one.line("lifecycle"), ""


RULES = (
    Rule(
        id="k8s-no-readiness-probe",
        severity=Severity.MEDIUM,
        title=msg("nothing says when the container can take requests"),
        why=msg("Requests go to it from its first moment and while it is overloaded."),
        fix=msg("Add a `readinessProbe` that asks for what a request needs."),
        same_as=("CKV_K8S_9", "KS pod-probes", "KL no-readiness-probe"),
        check=_no_readiness,
    ),
    Rule(
        id="k8s-no-liveness-probe",
        severity=Severity.MEDIUM,
        title=msg("nothing notices when the container hangs"),
        why=msg("A process that is stuck and has not ended stays there for ever."),
        fix=msg("Add a `livenessProbe` that asks the process alone, not what it depends on."),
        same_as=("CKV_K8S_8", "KL no-liveness-probe"),
        check=_no_liveness,
    ),
    Rule(
        id="k8s-no-startup-probe",
        severity=Severity.LOW,
        title=msg("a slow start looks like a hang"),
        why=msg("The liveness probe restarts a container that is still loading, again and again."),
        fix=msg("Add a `startupProbe` with time enough; the others wait for it."),
        check=_no_startup,
    ),
    Rule(
        id="k8s-identical-probes",
        severity=Severity.MEDIUM,
        title=msg("readiness and liveness are the same probe"),
        why=msg("Under load every replica is then restarted instead of being given a rest."),
        fix=msg("Let readiness look at dependencies, and liveness be cheap and more patient."),
        same_as=("KS pod-probes-identical",),
        check=_identical,
    ),
    Rule(
        id="k8s-probe-port",
        severity=Severity.HIGH,
        title=msg("a probe asks at a port that the container does not have"),
        why=msg("The probe never succeeds: the container is restarted or never ready."),
        fix=msg("Use the name of a port in the container's `ports`."),
        same_as=("KL liveness-port", "KL readiness-port", "KL startup-port"),
        check=_probe_port,
    ),
    Rule(
        id="k8s-probe-port-number",
        severity=Severity.LOW,
        title=msg("a probe names its port by number though it has a name"),
        why=msg("When the port changes, the probe is the place that is forgotten."),
        fix=msg("Write the port's name."),
        check=_probe_number,
    ),
    Rule(
        id="k8s-no-pre-stop",
        severity=Severity.LOW,
        title=msg("the container stops at once, while requests are still sent to it"),
        why=msg("Load balancers learn of the end seconds later; those requests fail."),
        fix=msg("Add `lifecycle.preStop` with a sleep of a few seconds."),
        check=_pre_stop,
    ),
)  # fmt: skip
