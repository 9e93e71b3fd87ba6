"""Rules on images, and on secrets in containers: the one is to be known, the other is not."""

from collections.abc import Iterator

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules import values
from sdlc_cli.deploy.rules.objects import Container
from sdlc_cli.deploy.rules.parsed import Parsed
from sdlc_cli.deploy.rules.rule import Hit, Rule
from sdlc_cli.deploy.rules.subjects import At, each_container, is_secret, split_image


def _changed_by_kustomize(parsed: Parsed) -> set[str]:
    return {
        values.text(one, "name")
        for document in parsed.kustomizations
        for one in values.sections(document.root, "images")
    }


def _image_hits(parsed: Parsed, *, digest: bool) -> Iterator[Hit]:
    elsewhere = _changed_by_kustomize(parsed)
    for one in parsed.objects.containers:
        image = values.text(one.root, "image")
        repository, tag, pinned = split_image(image)
        if not image or repository in elsewhere:
            continue
        wrong = not pinned if digest else not pinned and tag in ("", "latest")
        if wrong:
            yield Hit(one.owner.path, one.line("image"), one.subject, image)


def _image_tag(parsed: Parsed) -> Iterator[Hit]:
    yield from _image_hits(parsed, digest=False)


def _image_digest(parsed: Parsed) -> Iterator[Hit]:
    yield from _image_hits(parsed, digest=True)


@each_container
def _pull(one: Container) -> Iterator[At]:
    policy = values.text(one.root, "imagePullPolicy")
    _repository, tag, digest = split_image(values.text(one.root, "image"))
    by_default = not policy and not digest and tag in ("", "latest")  # then it is Always
    if policy != "Always" and not by_default:
        yield one.line("imagePullPolicy"), policy or "IfNotPresent"


@each_container
def _secret_env(one: Container) -> Iterator[At]:
    for i, variable in enumerate(values.sections(one.root, "env")):
        if values.section(variable, "valueFrom", "secretKeyRef"):
            yield one.line("env", i), values.text(variable, "name")
    for i, source in enumerate(values.sections(one.root, "envFrom")):
        if values.section(source, "secretRef"):
            yield one.line("envFrom", i), values.text(source, "secretRef", "name")


@each_container
def _secret_literal(one: Container) -> Iterator[At]:
    for i, variable in enumerate(values.sections(one.root, "env")):
        name = values.text(variable, "name")
        if is_secret(name, values.text(variable, "value")):
            yield one.line("env", i), name


RULES = (
    Rule(
        id="k8s-image-tag",
        severity=Severity.HIGH,
        title=msg("the image has no tag, or latest"),
        why=msg("Nobody knows what runs, and a restart may bring another version."),
        fix=msg("Name a version, and best its digest."),
        same_as=("CKV_K8S_14", "KSV013", "KL latest-tag"),
        check=_image_tag,
    ),
    Rule(
        id="k8s-image-digest",
        severity=Severity.LOW,
        title=msg("the image is not pinned by digest"),
        why=msg("A tag can be moved to another image after it was tested."),
        fix=msg("Write `repository:tag@sha256:…`, as the build printed it."),
        same_as=("CKV_K8S_43",),
        check=_image_digest,
    ),
    Rule(
        id="k8s-pull-policy",
        severity=Severity.LOW,
        title=msg("the node may start an image that it has from before"),
        why=msg("Who may not pull the image can still start it where another pod left it."),
        fix=msg("Set `imagePullPolicy: Always`; layers that are there are not loaded again."),
        same_as=("CKV_K8S_15",),
        check=_pull,
    ),
    Rule(
        id="k8s-secret-in-env",
        severity=Severity.MEDIUM,
        title=msg("a secret is handed over as an environment variable"),
        why=msg("Crash reports, child processes and `kubectl describe` show the environment."),
        fix=msg("Mount the secret as a file and name its path in a variable."),
        same_as=("CKV_K8S_35", "KL env-var-secret"),
        check=_secret_env,
    ),
    Rule(
        id="k8s-secret-literal",
        severity=Severity.CRITICAL,
        title=msg("a secret is written into the manifest"),
        why=msg("Everyone who can read the repository has it, for ever."),
        fix=msg("Revoke it, then refer to a Secret that comes from a store outside."),
        same_as=("CKV_SECRET_6", "KSV0109"),
        check=_secret_literal,
    ),
)  # fmt: skip
