"""Rules on containers: what each may do, and what it may use."""

from collections.abc import Iterator

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules import values
from sdlc_cli.deploy.rules.objects import Container
from sdlc_cli.deploy.rules.rule import Rule
from sdlc_cli.deploy.rules.subjects import At, amount, each_container

LEAST_ID = 10_000


@each_container
def _privileged(one: Container) -> Iterator[At]:
    if values.at(one.root, "securityContext", "privileged") is True:
        yield one.line("securityContext", "privileged"), ""


@each_container
def _escalation(one: Container) -> Iterator[At]:
    if values.at(one.root, "securityContext", "allowPrivilegeEscalation") is not False:
        yield one.line("securityContext", "allowPrivilegeEscalation"), ""


@each_container
def _root_user(one: Container) -> Iterator[At]:
    if one.security("runAsNonRoot") is not True or one.security("runAsUser") == 0:
        yield one.line("securityContext", "runAsUser"), ""


@each_container
def _low_id(one: Container) -> Iterator[At]:
    for key in ("runAsUser", "runAsGroup"):
        found = one.security(key)
        if (
            not isinstance(found, int)
            or 0 < found < LEAST_ID
            or (key == "runAsGroup" and not found)
        ):
            yield one.line("securityContext", key), f"{key}: {found or 'unset'}"


@each_container
def _capabilities(one: Container) -> Iterator[At]:
    at = ("securityContext", "capabilities")
    if "ALL" not in (word.upper() for word in values.words(one.root, *at, "drop")):
        yield one.line(*at), "drop: ALL"
    for word in values.words(one.root, *at, "add"):
        if word.upper().removeprefix("CAP_") != "NET_BIND_SERVICE":
            yield one.line(*at, "add"), f"add: {word}"


@each_container
def _seccomp(one: Container) -> Iterator[At]:
    profile = one.security("seccompProfile")
    if values.text(profile, "type") not in ("RuntimeDefault", "Localhost"):
        yield one.line("securityContext", "seccompProfile"), ""


@each_container
def _writable(one: Container) -> Iterator[At]:
    if values.at(one.root, "securityContext", "readOnlyRootFilesystem") is not True:
        yield one.line("securityContext", "readOnlyRootFilesystem"), ""


def _missing(one: Container, part: str, names: tuple[str, ...]) -> Iterator[At]:
    there = values.section(one.root, "resources", part)
    absent = [name for name in names if there.get(name) is None]
    if absent:
        yield one.line("resources", part), ", ".join(absent)


@each_container
def _requests(one: Container) -> Iterator[At]:
    # What has a limit and no request asks for its limit.
    limits = values.section(one.root, "resources", "limits")
    for line, absent in _missing(one, "requests", ("cpu", "memory")):
        if left := [name for name in absent.split(", ") if limits.get(name) is None]:
            yield line, ", ".join(left)


@each_container
def _limits(one: Container) -> Iterator[At]:
    yield from _missing(one, "limits", ("cpu", "memory"))


@each_container
def _storage(one: Container) -> Iterator[At]:
    yield from _missing(one, "limits", ("ephemeral-storage",))


@each_container
def _over(one: Container) -> Iterator[At]:
    limits = values.section(one.root, "resources", "limits")
    for name, asked in values.section(one.root, "resources", "requests").items():
        low, high = amount(str(asked)), amount(str(limits.get(name)))
        if low is not None and high is not None and low > high:
            at = one.line("resources", "requests", name)
            yield at, f"{name}: {asked} > {limits.get(name)}"


@each_container
def _host_port(one: Container) -> Iterator[At]:
    for i, port in enumerate(values.sections(one.root, "ports")):
        if values.number(port, "hostPort"):
            yield one.line("ports", i), values.text(port, "hostPort")


@each_container
def _mount(one: Container) -> Iterator[At]:
    volumes = {values.text(v, "name") for v in values.sections(one.owner.pod, "volumes")}
    volumes |= {
        values.text(claim, "metadata", "name")
        for claim in values.sections(one.owner.root, "spec", "volumeClaimTemplates")
    }
    for i, mount in enumerate(values.sections(one.root, "volumeMounts")):
        if values.text(mount, "name") not in volumes:
            yield one.line("volumeMounts", i), values.text(mount, "name")


RULES = (
    Rule(
        id="k8s-privileged",
        severity=Severity.CRITICAL,
        title=msg("the container runs privileged"),
        why=msg("It has the host's devices and every capability: who breaks into it owns the"
                " node."),
        fix=msg("Remove `privileged`, and add the one capability that is needed."),
        same_as=("CKV_K8S_16", "KSV017", "KL privileged-container"),
        check=_privileged,
    ),
    Rule(
        id="k8s-privilege-escalation",
        severity=Severity.HIGH,
        title=msg("the process may gain more rights than it began with"),
        why=msg("A program with the setuid bit makes an ordinary user root in the container."),
        fix=msg("Set `securityContext.allowPrivilegeEscalation: false`."),
        same_as=("CKV_K8S_20", "KSV001", "KL privilege-escalation-container"),
        check=_escalation,
    ),
    Rule(
        id="k8s-root-user",
        severity=Severity.HIGH,
        title=msg("nothing keeps the container from running as root"),
        why=msg("Root in the container is root on the node as soon as it gets out."),
        fix=msg("Set `runAsNonRoot: true`, and a `runAsUser` that is not 0."),
        same_as=("CKV_K8S_6", "CKV_K8S_23", "KSV012", "KL run-as-non-root"),
        check=_root_user,
    ),
    Rule(
        id="k8s-low-user-id",
        severity=Severity.LOW,
        title=msg("the user or group id is not set, or under 10000"),
        why=msg("Low ids belong to accounts of the host, whose files the process could reach."),
        fix=msg("Set `runAsUser` and `runAsGroup` to 10000 or above."),
        same_as=("CKV_K8S_40", "KSV020", "KSV021", "KS container-security-context-user-group-id"),
        check=_low_id,
    ),
    Rule(
        id="k8s-capabilities",
        severity=Severity.MEDIUM,
        title=msg("the container keeps or adds Linux capabilities"),
        why=msg("The default set still holds raw sockets and more that no service needs."),
        fix=msg("Drop ALL; add back NET_BIND_SERVICE where a low port is needed."),
        same_as=("CKV_K8S_28", "CKV_K8S_37", "KSV003", "KSV106"),
        check=_capabilities,
    ),
    Rule(
        id="k8s-seccomp",
        severity=Severity.MEDIUM,
        title=msg("no seccomp profile filters its system calls"),
        why=msg("Holes in the kernel are mostly in calls that a service never makes."),
        fix=msg("Set `seccompProfile: {type: RuntimeDefault}` on the pod."),
        same_as=("CKV_K8S_31", "KSV030", "KSV104"),
        check=_seccomp,
    ),
    Rule(
        id="k8s-writable-root",
        severity=Severity.MEDIUM,
        title=msg("the container can write to its own image"),
        why=msg("An intruder can put programs there, and what is written fills the node's disk."),
        fix=msg("Set `readOnlyRootFilesystem: true` and mount an emptyDir where it must write."),
        same_as=("CKV_K8S_22", "KSV014", "KL no-read-only-root-fs"),
        check=_writable,
    ),
    Rule(
        id="k8s-no-requests",
        severity=Severity.MEDIUM,
        title=msg("the container does not say what it needs"),
        why=msg("The scheduler then packs it onto a full node, and it is evicted first."),
        fix=msg("Set `resources.requests` for cpu and memory from what it was measured to use."),
        same_as=("CKV_K8S_10", "CKV_K8S_12", "KL unset-cpu-requirements", "KSV015", "KSV016"),
        check=_requests,
    ),
    Rule(
        id="k8s-no-limits",
        severity=Severity.MEDIUM,
        title=msg("the container may use the whole node"),
        why=msg("A leak or a loop in one service takes its neighbours with it."),
        fix=msg("Set `resources.limits` for cpu and memory."),
        same_as=("CKV_K8S_11", "CKV_K8S_13", "KL unset-memory-requirements", "KSV011", "KSV018"),
        check=_limits,
    ),
    Rule(
        id="k8s-no-storage-limit",
        severity=Severity.LOW,
        title=msg("what the container writes to local disk has no limit"),
        why=msg("Logs and temporary files fill the node's disk, and every pod on it is evicted."),
        fix=msg("Set `ephemeral-storage` in its requests and limits."),
        same_as=("KS container-ephemeral-storage-request-and-limit",),
        check=_storage,
    ),
    Rule(
        id="k8s-requests-over-limits",
        severity=Severity.HIGH,
        title=msg("the container asks for more than it may use"),
        why=msg("The API server refuses the pod."),
        fix=msg("Raise the limit or lower the request."),
        check=_over,
    ),
    Rule(
        id="k8s-host-port",
        severity=Severity.MEDIUM,
        title=msg("the container takes a port of its node"),
        why=msg("It is reached past Services and network policies, and only one fits on a node."),
        fix=msg("Remove `hostPort` and use a Service."),
        same_as=("CKV_K8S_26", "KSV024"),
        check=_host_port,
    ),
    Rule(
        id="k8s-mount-without-volume",
        severity=Severity.HIGH,
        title=msg("a volume is mounted that the pod does not have"),
        why=msg("The API server refuses the pod."),
        fix=msg("Add the volume to the pod, or correct the name."),
        check=_mount,
    ),
)  # fmt: skip
