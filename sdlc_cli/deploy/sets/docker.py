"""Dockerfile, .dockerignore and a compose file for local use."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy import names
from sdlc_cli.deploy.model import Build, Cache, Database, DeploySpec, Image
from sdlc_cli.deploy.render import Wanted

Installer = Literal["uv", "uv pip", "poetry", "pip"]
# Versions on PyPI, seen 2026-11.
_INSTALLERS: Mapping[Installer, str] = {"uv": "0.13.8", "uv pip": "0.13.8", "poetry": "2.5.1"}
_LOCKS: Mapping[str, Installer] = {"uv.lock": "uv", "poetry.lock": "poetry"}
_PYLOCK = re.compile(r"pylock(\..+)?\.toml")
_REQUIREMENTS = re.compile(r".*\.(txt|lock)")
_OTHER_LOCKS = ("Pipfile.lock", "pdm.lock", "pixi.lock", "conda.lock")
# COPY expands `$`, quotes, `\` and wildcards even in its JSON form.
_COPYABLE = re.compile(r"[A-Za-z0-9@_.+=,/-]+")

SECRET_SOURCES = ".secrets"  # beside compose.yaml; git ignores it


def files(specs: Sequence[DeploySpec]) -> Iterator[Wanted]:
    """One Dockerfile for all environments, a compose file of the first that serves nobody."""
    if not specs:
        return
    released = next((spec for spec in specs if spec.production), specs[0])
    if released.build.language == "python":
        yield from _image(released)
    local = next((spec for spec in specs if not spec.production), specs[0])
    yield from _compose(local)


def _image(spec: DeploySpec) -> Iterator[Wanted]:
    build = spec.build
    lock = _path(build.lock, "build.lock")
    sources = tuple(_path(one, f"build.source[{place}]") for place, one in enumerate(build.source))
    installer = _installer(build.lock)
    folder = posixpath.dirname(lock)
    project = posixpath.join(folder, "pyproject.toml")
    locked = (project, lock) if installer in ("uv", "poetry") else (lock,)
    values = {
        "base": base(build).reference,
        "base_digest": build.base.digest,
        "installer": installer,
        "version": _INSTALLERS.get(installer, ""),
        "lock": lock,
        "lock_file": posixpath.basename(lock),
        "locked": locked,
        "sources": [{"words": [one, posixpath.join("/app", one)]} for one in sources],
        "python_path": _python_path(sources),
        "user": f"{names.UID}:{names.GID}",
        "temporary": names.TEMPORARY,
        "ports": [port.port for port in spec.ports],
        "command": build.command or ("python", "-m", spec.app.replace("-", "_")),
        "health": _health(spec),
        "start_seconds": spec.health.start_seconds,
        "labels": _labels(spec),
    }
    yield Wanted(
        template="docker/Dockerfile.j2",
        path="Dockerfile",
        kind="docker",
        about="the image, in two stages",
        values=values,
    )
    yield Wanted(
        template="docker/dockerignore.j2",
        path=".dockerignore",
        kind="docker",
        about="what the image may be built from",
        values={"kept": sorted({*locked, *sources}), "everything": "." in sources},
    )


def base(build: Build) -> Image:
    """The image of both stages, with a tag where deploy.yaml gave neither tag nor digest."""
    if build.base.tag or build.base.digest:
        return build.base
    return Image(repository=build.base.repository, tag=f"{build.python}-slim")


def _path(written: str, key: str) -> str:
    path = posixpath.normpath(written)
    if not _COPYABLE.fullmatch(path):
        raise ConfigError(
            msg(
                "{key}: {path} holds a character that a Dockerfile does not take literally",
                key=key,
                path=repr(written),
            ),
            hint=msg("use letters, digits and @ _ . + = , / -"),
        )
    if path.startswith(("/", "-")) or path.split("/")[0] == "..":
        raise ConfigError(
            msg("{key}: {path} does not lie in the repository", key=key, path=repr(written))
        )
    return path


def _installer(lock: str) -> Installer:
    name = posixpath.basename(lock)
    if name in _LOCKS:
        return _LOCKS[name]
    if _PYLOCK.fullmatch(name):
        return "uv pip"  # pip reads it from 26.1 on, which few images have
    if name in _OTHER_LOCKS or not _REQUIREMENTS.fullmatch(name):
        raise ConfigError(
            msg("build.lock: {name} is no lock file that can be installed", name=name),
            hint=msg(
                "use uv.lock, poetry.lock, pylock.toml or exported requirements (requirements.lock)"
            ),
        )
    return "pip"


def _python_path(sources: Sequence[str]) -> str:
    """Where modules are looked for: the folders called src, and the working folder."""
    layouts = (one[: place + 3] for one in sources if (place := f"/{one}/".find("/src/")) >= 0)
    return ":".join(dict.fromkeys([*(posixpath.join("/app", one) for one in layouts), "/app"]))


# http.client, because urllib would ask a proxy of the environment for 127.0.0.1.
_PROBE = (
    "import sys, http.client as h; c = h.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=4);"
    " c.request('GET', sys.argv[2]); sys.exit(c.getresponse().status >= 400)"
)


def _health(spec: DeploySpec) -> tuple[str, ...]:
    path = quote(spec.health.live, safe="/?&=%:;,@!~*'()$+-._")
    return ("python", "-c", _PROBE, str(spec.port(spec.health.port)), path)


def _labels(spec: DeploySpec) -> Mapping[str, str]:
    repository = spec.pipeline.repository
    found = {
        "title": spec.app,
        "vendor": spec.owner,
        "source": f"https://github.com/{repository}" if repository else "",
        "base.name": base(spec.build).reference.partition("@")[0],
        "base.digest": spec.build.base.digest,
    }
    return {f"org.opencontainers.image.{key}": text for key, text in found.items() if text}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Backend:
    """A database or a cache as a service of the compose file."""

    service: str
    name: str
    version: str
    port: int
    secret: str
    volume: str = ""


def _compose(spec: DeploySpec) -> Iterator[Wanted]:
    databases = [_database(one) for one in spec.databases]
    caches = [_cache(one) for one in spec.caches]
    addresses = {one.secret: one for one in (*databases, *caches)}
    yield Wanted(
        template="docker/compose.yaml.j2",
        path="compose.yaml",
        kind="docker",
        about="the service on one's own machine",
        values={
            "app": spec.app,
            "image": spec.image.reference,
            "built": spec.build.language == "python",
            "user": f"{names.UID}:{names.GID}",
            "temporary": f"{names.TEMPORARY}:size={_TEMPORARY_SIZE},mode=1777",
            "ports": [f"127.0.0.1:{port.port}:{port.port}" for port in spec.ports],
            "cpus": f"{spec.resources.limits.cpu / 1000:g}",
            "memory": f"{spec.resources.limits.memory}b",
            "grace": f"{spec.longest_call_seconds + 10}s",
            "variables": _variables(spec),
            "secrets": [
                {
                    "name": one.name,
                    "target": names.secret_file(spec, one.name),
                    "file": f"./{SECRET_SOURCES}/{one.name}",
                    "backend": addresses.get(one.name),
                }
                for one in spec.secrets
            ],
            "databases": databases,
            "caches": caches,
            "folder": SECRET_SOURCES,
        },
    )
    yield Wanted(
        template="docker/gitignore.j2",
        path=f"{SECRET_SOURCES}/.gitignore",
        kind="docker",
        about="keeps local secrets out of git",
    )


_TEMPORARY_SIZE = "64m"


def _variables(spec: DeploySpec) -> Mapping[str, str]:
    flags = {names.flag_variable(flag): str(on).lower() for flag, on in spec.flags.items()}
    secrets = {f"{one.name}_FILE": names.secret_file(spec, one.name) for one in spec.secrets}
    return {**spec.config, **flags, **secrets}


def _database(database: Database) -> _Backend:
    return _Backend(
        service=f"database-{database.name}",
        name=database.name,
        version=database.version,
        port=database.port,
        secret=database.secret,
        volume=_volume(database.version),
    )


def _cache(cache: Cache) -> _Backend:
    return _Backend(
        service=f"cache-{cache.name}",
        name=cache.name,
        version=cache.version,
        port=cache.port,
        secret=cache.secret,
    )


def _volume(version: str) -> str:
    """Where the image keeps its data (https://github.com/docker-library/postgres/pull/1259)."""
    major = int(version.partition(".")[0])
    return "/var/lib/postgresql" if major >= 18 else "/var/lib/postgresql/data"
