"""What the objects of a service are called: one place, which every artifact reads.

Names that other objects point at (a selector, a secret, a port) are made here and nowhere else.
"""

import re

from sdlc_cli.deploy.model import DeploySpec

UID = 10001  # of the process and of its group; above 10000, where no host account lies
GID = 10001
TEMPORARY = "/tmp"  # the one folder that the container may write to
SECRETS = "/var/run/secrets"
COLLECTOR = "otel-collector"  # Service of the OpenTelemetry collector, in the monitoring namespace
COLLECTOR_PORT = 4318  # OTLP over HTTP
TARGET = "app.kubernetes.io/name"
INSTANCE = "app.kubernetes.io/instance"


def namespace(spec: DeploySpec) -> str:
    """The Namespace, which is also the name of the release."""
    return spec.namespace


def workload(spec: DeploySpec) -> str:
    """Deployment, its container, Service, ServiceAccount, HPA, PDB, Role, Ingress and rules."""
    return spec.app


def config_map(spec: DeploySpec) -> str:
    """The ConfigMap of config and flags."""
    return f"{spec.app}-config"


def secret(spec: DeploySpec) -> str:
    """The Secret of all SecretReferences: one key each, called like the reference."""
    return f"{spec.app}-secrets"


def tls_secret(spec: DeploySpec) -> str:
    """The Secret of the Ingress' certificate."""
    return f"{spec.app}-tls"


def secret_folder(spec: DeploySpec) -> str:
    """Where the container finds its secrets, one file each."""
    return f"{SECRETS}/{spec.app}"


def secret_file(spec: DeploySpec, name: str) -> str:
    """The file of one secret; the variable `<name>_FILE` holds this path."""
    return f"{secret_folder(spec)}/{name}"


def flag_variable(flag: str) -> str:
    """The environment variable of a feature flag: new-router -> FLAG_NEW_ROUTER."""
    return f"FLAG_{flag.upper().replace('-', '_')}"


def selector(spec: DeploySpec) -> dict[str, str]:
    """The labels that say which pods belong to the service; they never change."""
    return {INSTANCE: spec.namespace, TARGET: spec.app}


def labels(spec: DeploySpec) -> dict[str, str]:
    """The labels of every object."""
    found = {
        **selector(spec),
        "app.kubernetes.io/managed-by": "sdlc",
        "app.kubernetes.io/part-of": spec.app,
    }
    version = version_label(spec)
    return {**found, "app.kubernetes.io/version": version} if version else found


def version_label(spec: DeploySpec) -> str:
    """The image's tag where it can be a label (63 characters, ending in one that counts)."""
    tag = spec.image.tag
    return tag if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", tag) else ""


def public_port(spec: DeploySpec) -> str:
    """Name of the port that the Ingress sends requests to: `http`, else the first."""
    names = [port.name for port in spec.ports]
    return "http" if "http" in names else names[0]
