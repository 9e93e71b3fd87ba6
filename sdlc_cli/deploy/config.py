"""deploy.yaml -> one DeploySpec for each environment, with every mistake at once."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET

from sdlc_cli.core import config
from sdlc_cli.core.errors import ConfigError, UsageError
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.nearest import nearest
from sdlc_cli.core.scalars import shown
from sdlc_cli.core.sections import Key
from sdlc_cli.deploy import checks, model, options
from sdlc_cli.deploy.overlay import Missing, merge
from sdlc_cli.deploy.specs import is_production, spec
from sdlc_cli.deploy.words import DIGEST, REPOSITORY, TAG

__all__ = ["FILE_NAME", "PLACEHOLDER_DIGEST", "DeployConfig", "load", "read_image"]

FILE_NAME = "deploy.yaml"
PLACEHOLDER_DIGEST = "sha256:" + 64 * "0"  # of no image: it marks what is still to be filled in
_HINT = msg("'sdlc schema deploy' describes every key of the file")
_IMAGE = re.compile(rf"(?P<repository>{REPOSITORY})(:(?P<tag>{TAG}))?@(?P<digest>{DIGEST})")
_MAX_IMAGE = 500

Mistakes = Iterator[tuple[Key, Message]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployConfig:
    """A deploy.yaml. `specs` are its environments in the order of the file.

    `root` is the folder that its paths are relative to, `templates` a folder of the user's own.
    """

    file: Path
    root: Path
    specs: tuple[model.DeploySpec, ...]
    templates: Path | None = None
    image: str = ""
    allow_placeholder: bool = False

    def chosen(self, names: Sequence[str]) -> tuple[model.DeploySpec, ...]:
        """The environments called `names`, in the order of the file; without names, all.

        Raises UsageError for a name that is none, and ConfigError where production lacks the
        digest of an image.
        """
        known = [spec.environment for spec in self.specs]
        for name in names:
            if name not in known:
                raise UsageError(
                    msg("there is no environment '{name}' in {file}: use {known}",
                        name=shown(name, 40), file=self.file.name, known=", ".join(known)),
                    hint=f"--env {nearest(name, known)}" if nearest(name, known) else "",
                )  # fmt: skip
        picked = tuple(spec for spec in self.specs if not names or spec.environment in names)
        _hold(self, picked)
        return picked


class _File(options.DeployFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    def mistakes(self) -> Mistakes:
        """What is wrong in the whole that each environment makes with the service's own words."""
        told = set()
        own = {(path, str(message)) for path, message in checks.mistakes(self)}
        yield from _alone(self)
        wholes: dict[str, options.Service] = {}
        for name, over in self.environments.items():
            yield from _misplaced(over, ("environments", name))
            missing: Missing = []
            whole = wholes[name] = merge(self, over, options.Service, missing)
            paths = [path for path, _ in missing]
            yield from ((("environments", name, *path), message) for path, message in missing)
            for path, message in _of(name, whole):
                if any(path[: len(one)] == one[: len(path)] for one in paths):
                    continue  # it is about a missing key's stand-in
                if (path, str(message)) not in own:
                    yield ("environments", name, *path), message
                elif (path, str(message)) not in told:
                    told.add((path, str(message)))
                    yield path, message
        if self.build.language == "python":
            yield from checks.processors(wholes)


def load(path: Path, *, image: str = "", allow_placeholder: bool = False) -> DeployConfig:
    """The environments in the deploy.yaml at `path`.

    `image`, REPOSITORY[:TAG]@DIGEST, stands in for the image of all of them. Raises ConfigError
    with every mistake of the file, and UsageError for an image that is none.
    """
    given = read_image(image) if image else None
    written = config.load(path, _File, None, hint=_HINT)
    specs = tuple(spec(written, name, given) for name in written.environments)
    root = path.absolute().parent
    return DeployConfig(
        file=path,
        root=root,
        specs=specs,
        templates=root / written.templates if written.templates else None,
        image=image,
        allow_placeholder=allow_placeholder,
    )


def read_image(text: str) -> model.Image:
    """`REPOSITORY[:TAG]@sha256:…`, as a pipeline knows it after a push. Raises UsageError."""
    found = _IMAGE.fullmatch(text) if len(text) <= _MAX_IMAGE else None
    if found is None:
        raise UsageError(
            msg("the image must be named with its digest: {image}", image=shown(text, 200)),
            hint="--image registry.example.com/app@sha256:…",
        )
    return model.Image(
        repository=found["repository"], tag=found["tag"] or "", digest=found["digest"]
    )


def _hold(loaded: DeployConfig, picked: Iterable[model.DeploySpec]) -> None:
    """Raises ConfigError, with lines, where one of these environments names no certain image."""
    if loaded.image.endswith(PLACEHOLDER_DIGEST) and not loaded.allow_placeholder:
        raise UsageError(
            msg("the digest in --image is the placeholder, which no image has"),
            hint=msg("to try things out, add --allow-placeholder"),
        )
    wanting = [
        (spec.environment, spec.production)
        for spec in picked
        if _wants(spec, loaded.allow_placeholder)
    ]
    if loaded.templates and not loaded.templates.is_dir():
        raise ConfigError(
            msg("{file}: templates: there is no such folder", file=loaded.file.name),
            hint=msg("'sdlc deploy eject' puts a template there"),
        )
    if not wanting:
        return

    class Held(options.DeployFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
        def mistakes(self) -> Mistakes:
            return _unpinned(self, wanting, loaded)

    hint = msg("the pipeline knows the digest: --image REPOSITORY@sha256:…")
    config.load(loaded.file, Held, None, hint=_HINT if loaded.image else hint)


def _wants(spec: model.DeploySpec, allow_placeholder: bool) -> bool:
    """Whether an image of the environment lacks what it needs."""
    images = [spec.image, *([spec.build.base] if spec.build.language == "python" else [])]
    if not spec.production:
        return not spec.image.digest and not spec.image.tag
    return any(_problem(image.digest, allow_placeholder) for image in images)


def _unpinned(
    file: options.DeployFile, wanting: Iterable[tuple[str, bool]], loaded: DeployConfig
) -> Mistakes:
    told: set[Key] = set()
    for name, production in wanting:
        image = merge(file, file.environments[name], options.Service, []).image
        at: Key = ("environments", name, "image")
        if loaded.image:
            continue
        if not production:
            yield (*at, "tag"), msg("missing, and there is no digest either")
        elif problem := _problem(image.digest, loaded.allow_placeholder):
            if image.digest and image.digest == file.image.digest:
                at = ("image",)  # it is written once, for all
            if at not in told:
                told.add(at)
                yield (*at, "digest"), problem
    if file.build.language == "python" and any(production for _, production in wanting):
        digest = file.build.base.digest if file.build.base else ""
        if problem := _problem(digest, loaded.allow_placeholder):
            yield ("build", "base", "digest"), problem


def _problem(digest: str, allow_placeholder: bool) -> Message | None:
    if not digest:
        return msg("missing, and needed by production")
    if digest == PLACEHOLDER_DIGEST and not allow_placeholder:
        return msg("is the placeholder, which no image has (--allow-placeholder to try)")
    return None


def _of(environment: str, whole: options.Service) -> Mistakes:
    yield from checks.mistakes(whole)
    if is_production(environment, whole):
        yield from checks.production(whole)


def _alone(file: options.DeployFile) -> Mistakes:
    """What is wrong in the parts that all environments share."""
    yield from checks.app(file.app)
    if file.build.language == "python":
        yield from ((("build", *path), message) for path, message in checks.build(file.build))
    yield from checks.hidden(file.templates, ("templates",))
    if file.templates and not checks.is_below(file.templates):
        yield ("templates",), msg("must be a path below the file's own folder")
    for key in ("staging", "production"):
        name = getattr(file.pipeline, key)
        if name and name not in file.environments:
            yield ("pipeline", key), checks.unknown(name, file.environments)
    if file.pipeline.staging and file.pipeline.staging == file.pipeline.production:
        yield ("pipeline", "staging"), msg("is the environment after the approval too")


def _misplaced(over: options.Overlay, at: Key) -> Mistakes:
    message = msg("is one for all environments: write it at the top of the file")
    for key in options.SHARED:
        if getattr(over, key) is not UNSET:
            yield (*at, key), message
    for key in options.Pipeline.__struct_fields__ if over.pipeline else ():
        if key not in options.OF_ENVIRONMENT and getattr(over.pipeline, key) is not UNSET:
            yield (*at, "pipeline", key), message
