"""render.lock.json: what a render wrote, so that the next one knows its own files from the user's.

`plan` compares it with what lies on the disk and what is to lie there, and decides file by file.
It reads and writes nothing.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sdlc_cli import __version__
from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.deploy.folder import LOCK, Found, digest, is_ours
from sdlc_cli.deploy.model import Artifact

SCHEMA_VERSION = 1
SHARED = ""  # the environment of what serves all of them

State = Literal["new", "changed", "unchanged", "edited", "foreign", "stale", "left"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The files of the last render of each environment: path -> SHA-256 of what was written.

    `image` is what `--image` said, for the comparisons that come after.
    """

    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    image: str = ""

    def environment(self, path: str) -> str | None:
        """Whose file it is; None when no render wrote it."""
        return next((name for name, files in self.files.items() if path in files), None)

    def sha256(self, path: str) -> str:
        """What the last render wrote there, "" when it wrote nothing."""
        return next((files[path] for files in self.files.values() if path in files), "")

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments that were rendered."""
        return tuple(sorted(name for name in self.files if name != SHARED))

    @property
    def paths(self) -> frozenset[str]:
        """All that was written."""
        return frozenset(path for files in self.files.values() for path in files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is to become of one path.

    new: written where nothing was; changed: ours, and to be overwritten; unchanged: as wanted;
    edited: ours, changed by hand; foreign: never ours, and in the way; stale: ours and no longer
    wanted, so removed; left: stale but changed by hand, so it stays and is the user's from now on.
    """

    path: str
    state: State
    artifact: Artifact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All steps in the order of their paths, and the lock as it is after them."""

    steps: tuple[Step, ...]
    lock: Lock

    def paths(self, *states: State) -> tuple[str, ...]:
        """The paths in these states."""
        return tuple(step.path for step in self.steps if step.state in states)

    @property
    def differs(self) -> bool:
        """Whether anything on the disk is not what is wanted."""
        return any(step.state != "unchanged" for step in self.steps)


def plan(
    lock: Lock,
    artifacts: Sequence[Artifact],
    find: Callable[[str], Found | None],
    *,
    chosen: Collection[str],
    known: Collection[str],
    image: str = "",
) -> Plan:
    """Decide what becomes of each path: of `artifacts`, and of what the lock holds beside them.

    Files of environments that are `known` but not `chosen` are none of this render's business;
    those of environments that are unknown by now are stale.
    """
    wanted = {artifact.path: artifact for artifact in artifacts}
    for path in wanted:
        if not is_ours(path):
            raise ValueError(f"no render may write {path!r}")
    kept = {
        name: {path: sha for path, sha in files.items() if path not in wanted}
        for name, files in lock.files.items()
        if name in known and name not in chosen and name != SHARED
    }
    others = {path for files in kept.values() for path in files}
    steps = [_wanted(artifact, lock, find(path)) for path, artifact in wanted.items()]
    steps += [
        step
        for path in lock.paths - wanted.keys() - others
        if (step := _unwanted(path, lock, find(path)))
    ]
    made = {name: dict[str, str]() for name in (SHARED, *chosen)} | kept
    for artifact in artifacts:
        owner = _owner(artifact, chosen)
        made[owner][artifact.path] = digest(artifact.text.encode())
    return Plan(
        steps=tuple(sorted(steps, key=lambda step: step.path)), lock=Lock(files=made, image=image)
    )


def _owner(artifact: Artifact, chosen: Collection[str]) -> str:
    """The environment without which the file would not be; a chart's values belong to all."""
    own = artifact.kind == "kubernetes" and artifact.environment in chosen
    return artifact.environment if own else SHARED


def _wanted(artifact: Artifact, lock: Lock, found: Found | None) -> Step:
    state: State
    if found is None:
        state = "new"
    elif found.kind == "file" and found.sha256 == digest(artifact.text.encode()):
        state = "changed" if artifact.executable and not found.executable else "unchanged"
    elif _is_as_written(found, artifact.path, lock):
        state = "changed"
    else:
        state = "edited" if artifact.path in lock.paths else "foreign"
    return Step(path=artifact.path, state=state, artifact=artifact)


def _unwanted(path: str, lock: Lock, found: Found | None) -> Step | None:
    if found is None:
        return None
    return Step(path=path, state="stale" if _is_as_written(found, path, lock) else "left")


def _is_as_written(found: Found, path: str, lock: Lock) -> bool:
    return found.kind == "file" and bool(found.sha256) and found.sha256 == lock.sha256(path)


def dump(lock: Lock) -> str:
    """The text of render.lock.json: one line a file, sorted, the same on every machine."""
    shared = lock.files.get(SHARED, {})
    body = {
        "schema_version": SCHEMA_VERSION,
        "version": __version__,
        "image": lock.image,
        "shared": dict(sorted(shared.items())),
        "environments": {
            name: dict(sorted(lock.files[name].items())) for name in lock.environments
        },
    }
    return json.dumps(body, indent=2) + "\n"


def load(data: bytes | None) -> Lock:
    """The lock that `dump` wrote; an empty one for no file. Raises ConfigError."""
    if data is None:
        return Lock()
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise _broken(msg("it is not JSON")) from None
    if not isinstance(body, dict) or not isinstance(body.get("schema_version"), int):
        raise _broken(msg("schema_version is missing"))
    if body["schema_version"] != SCHEMA_VERSION:
        raise _broken(msg("a newer sdlc wrote it"))
    image, shared = body.get("image", ""), body.get("shared")
    environments = body.get("environments")
    if not isinstance(image, str) or not isinstance(environments, dict) or SHARED in environments:
        raise _broken(msg("image or environments are not what a render writes"))
    return Lock(
        files={name: _files(files) for name, files in {SHARED: shared, **environments}.items()},
        image=image,
    )


def _files(files: object) -> Mapping[str, str]:
    if not isinstance(files, dict):
        raise _broken(msg("shared or environments are not what a render writes"))
    for path, sha in files.items():
        if not is_ours(path) or not isinstance(sha, str) or len(sha) != 64:
            raise _broken(msg("it names {path}, which no render writes", path=repr(path)))
    return files


def _broken(why: Message) -> ConfigError:
    return ConfigError(
        msg("{file} cannot be used: {why}", file=LOCK, why=why),
        hint=msg(
            "take {file} back from git, or delete it: files that are there then need --force",
            file=LOCK,
        ),
    )
