"""Rules on what pods read: that ConfigMaps, Secrets and their keys are there."""

from collections.abc import Iterator

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules import values
from sdlc_cli.deploy.rules.objects import Container, Object, Objects, together
from sdlc_cli.deploy.rules.parsed import Parsed
from sdlc_cli.deploy.rules.rule import Hit, Rule

# What every namespace has without a manifest.
_GIVEN_MAPS = {"kube-root-ca.crt", "openshift-service-ca.crt"}


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


RULES = (
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
)  # fmt: skip
