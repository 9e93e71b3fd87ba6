"""The GitHub workflows and the deploy script, which the workflows use too."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy import names, pins
from sdlc_cli.deploy.model import DeploySpec
from sdlc_cli.deploy.nodes import node_image
from sdlc_cli.deploy.render import Wanted

SDLC_PYTHON = "3.12"  # runs sdlc where the service is in another language
MOST_MINUTES = 360  # of a job, on GitHub's runners
_ECR = re.compile(r"[0-9]{12}\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An environment as the pipeline and the script see it."""

    environment: str
    namespace: str
    regions: tuple[str, ...]
    urls: tuple[str, ...]  # answer 200 from outside when it is well
    cluster: str
    aws_role: str
    aws_region: str
    runner: str  # label of a runner that reaches the cluster
    needs: tuple[str, ...]  # jobs before this one
    seconds: int  # one rollout may take
    minutes: int  # the job may take: the rollout, and the way back


def files(specs: Sequence[DeploySpec]) -> Iterator[Wanted]:
    """Two workflows and a script for all environments."""
    staging, after = _order(specs)
    first = specs[0]
    values = {
        "app": first.app,
        "build": first.build,
        "image": first.image,
        "pipeline": first.pipeline,
        "uses": pins.uses(),
        "python": first.build.python if first.build.language == "python" else SDLC_PYTHON,
        "targets": _targets(staging, after),
        "staging": staging.environment if staging else "",
        "reviewed": tuple(spec.environment for spec in after),
        "builder": _builder(specs),
        **_registry(first),
    }
    ours = {
        "app": first.app,
        "config_map": names.config_map(first),
        "targets": tuple(_target(spec, ()) for spec in specs),
    }
    yield Wanted(
        template="github/ci.yml.j2",
        path=".github/workflows/ci.yml",
        kind="pipeline",
        about="tests and gates of a pull request",
        values=values,
    )
    yield Wanted(
        template="github/deploy.yml.j2",
        path=".github/workflows/deploy.yml",
        kind="pipeline",
        about="pipeline from a commit to production",
        values=values,
    )
    yield Wanted(
        template="github/deploy.sh.j2",
        path="scripts/deploy.sh",
        kind="script",
        about="deploys, verifies and rolls back by hand",
        executable=True,
        values=ours,
    )


def _order(specs: Sequence[DeploySpec]) -> tuple[DeploySpec | None, tuple[DeploySpec, ...]]:
    """The environment before the approval, and those after it: production first, then standbys."""
    words = specs[0].pipeline
    named = {spec.environment: spec for spec in specs}
    ready = [spec for spec in specs if spec.production]
    production = named.get(words.production) or next(iter(ready), specs[-1])
    staging = named.get(words.staging)
    after = [production, *(spec for spec in ready if spec not in (production, staging))]
    return staging if staging != production else None, tuple(after)


def _targets(staging: DeploySpec | None, after: Sequence[DeploySpec]) -> tuple[Target, ...]:
    found = [_target(staging, ("render",))] if staging else []
    before = "approval"
    for spec in after:
        found.append(_target(spec, (before,)))
        before = f"deploy-{spec.environment}"
    return tuple(found)


def _target(spec: DeploySpec, needs: tuple[str, ...]) -> Target:
    # A new pod starts before an old one ends, which first finishes the calls that it has.
    seconds = (spec.health.start_seconds + spec.longest_call_seconds + 30) * spec.replicas
    seconds = min(max(seconds, 300), 3600)
    answers = spec.health.port == names.public_port(spec)
    return Target(
        environment=spec.environment,
        namespace=names.namespace(spec),
        regions=tuple(region.name for region in spec.regions),
        urls=tuple(f"https://{host}{spec.health.ready}" for host in spec.domains if answers),
        cluster=spec.cluster.name or spec.namespace,
        aws_role=spec.pipeline.aws_role,
        aws_region=_region(spec),
        runner=spec.pipeline.runner,
        needs=needs,
        seconds=seconds,
        minutes=min(2 * max(len(spec.regions), 1) * seconds // 60 + 15, MOST_MINUTES),
    )


def _builder(specs: Sequence[DeploySpec]) -> str:
    """The runner with the processor of the nodes: an image is built for the one it is built on."""
    nodes = {
        node_image(spec.terraform.node_instance)
        for spec in specs
        if spec.infrastructure == "managed"
    }
    arm = nodes and all("ARM" in image for image in nodes)
    return "ubuntu-24.04-arm" if arm else "ubuntu-24.04"


def _registry(spec: DeploySpec) -> Mapping[str, str]:
    """How the pipeline logs in to push an image."""
    host = spec.image.repository.split("/", 1)[0]
    ecr = _ECR.fullmatch(host)
    login = "ecr" if ecr and spec.pipeline.aws_role else "password"
    return {
        "login": "github" if host == "ghcr.io" else login,
        "registry": host,
        "registry_region": ecr["region"] if ecr else _region(spec),
    }


def _region(spec: DeploySpec) -> str:
    """The AWS region that the pipeline works in. Raises ConfigError for a role without one."""
    ecr = _ECR.fullmatch(spec.image.repository.split("/", 1)[0])
    region = spec.pipeline.aws_region or (ecr["region"] if ecr else "")
    if spec.pipeline.aws_role and not region:
        raise ConfigError(
            msg("pipeline.aws_role needs pipeline.aws_region"),
            hint=msg("name the AWS region in which the pipeline works"),
        )
    return region
