"""bandit's own configuration, read as bandit reads it: which tests run, with which options."""

import configparser
import fnmatch
import logging
import tempfile
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.files import read_within
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate.formats import load_toml

_format_warning = warnings.formatwarning
with warnings.catch_warnings():  # what bandit's own imports warn of is nothing of the user's
    warnings.simplefilter("ignore")
    from bandit.core import config as bandit_config
    from bandit.core import extension_loader, utils
    from bandit.core.manager import BanditManager

# bandit replaces it when imported; the rest of the program keeps Python's.
warnings.formatwarning = _format_warning
# It logs each `# nosec` that suppressed nothing and each error inside a test. Both are counted.
logging.getLogger("bandit").addHandler(logging.NullHandler())
logging.getLogger("bandit").propagate = False

Test = Callable[..., Any]  # a bandit plug-in: a function with _test_id, _checks and _config

INI = ".bandit"
YAML = ("bandit.yaml", "bandit.yml")
MAX_BYTES = 1_000_000  # of a configuration; nobody writes longer ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What bandit would run with. `tests` maps a node type to its plug-ins in bandit's order.

    bandit keeps a plug-in's options on the plug-in itself, one for the whole process; `activate`
    puts ours there, so that two setups can live side by side.
    """

    tests: Mapping[str, tuple[Test, ...]]
    options: tuple[tuple[Test, Any], ...]
    excluded: tuple[str, ...]
    ignore_nosec: bool
    manager: BanditManager

    def excludes(self, path: str) -> bool:
        """True when bandit's configuration leaves the file out; `path` is relative to the root."""
        dotted = f"./{path}"
        return any(
            word in dotted or fnmatch.fnmatch(dotted, word) or fnmatch.fnmatch(path, word)
            for word in self.excluded
        )

    def activate(self) -> None:
        """Make this setup's options the ones that the plug-ins see."""
        for test, options in self.options:
            test._config = options  # type: ignore[attr-defined]


def version() -> str:
    """The installed bandit's version."""
    return metadata.version("bandit")


def load(root: Path, base: Path, config: str) -> Setup:
    """The setup of the project in `root`. Raises ConfigError.

    `config` (relative to `base`) is a YAML, TOML or INI file. Without it: `.bandit` in `root`,
    beside it `[tool.bandit]` in pyproject.toml, else bandit.yaml, as a user would pass with
    `bandit -c`.
    """
    ini: Mapping[str, str] = {}
    chosen: Path | None = None
    if config:
        chosen = base / config
        if not chosen.is_file():
            raise ConfigError(
                msg("there is no bandit configuration {path}", path=config),
                hint=msg("correct gates.security.config in gates.yaml"),
            )
        if chosen.name == INI or chosen.suffix in (".ini", ".cfg"):
            ini, chosen = _read_ini(root, chosen), None
    else:
        if (root / INI).is_file():
            ini = _read_ini(root, root / INI)
        if not ini.get("configfile"):
            chosen = _usual(root)
    if ini.get("configfile"):
        chosen = root / ini["configfile"]
    return _build(root, chosen, ini)


def _read_ini(root: Path, path: Path) -> Mapping[str, str]:
    parser = configparser.ConfigParser()
    try:
        parser.read_string(_content(root, path).decode("utf-8"))
        return dict(parser.items("bandit"))
    except (configparser.Error, UnicodeDecodeError) as error:
        raise _wrong(path, str(error)) from error


def _usual(root: Path) -> Path | None:
    """The file that bandit's documentation tells users to keep, or None."""
    pyproject = root / "pyproject.toml"
    # A broken pyproject.toml is the syntax gate's to report.
    with suppress(OSError, ValueError, RecursionError, AttributeError):
        if "bandit" in load_toml(read_within(pyproject, root, MAX_BYTES)).get("tool", {}):
            return pyproject
    return next((root / name for name in YAML if (root / name).is_file()), None)


def _content(root: Path, path: Path) -> bytes:
    try:
        return read_within(path, root, MAX_BYTES)
    except OSError as error:
        raise _wrong(path, error.strerror or str(error)) from error


def _wrong(path: Path | None, why: str) -> ConfigError:
    return ConfigError(
        msg("the bandit configuration {path} is wrong: {why}", path=path or INI, why=why),
        hint=msg("run `bandit` with it to see what it accepts"),
    )


def _build(root: Path, path: Path | None, ini: Mapping[str, str]) -> Setup:
    try:
        config = _read_config(root, path)
        profile = _profile(config, ini, path)
        ignore_nosec = bool(ini.get("ignore-nosec"))
        manager = BanditManager(config, "file", profile=profile, ignore_nosec=ignore_nosec)
    except (utils.ConfigError, utils.ProfileNotFound) as error:
        raise _wrong(path, str(error)) from error
    except (ValueError, TypeError, AttributeError, KeyError, OSError, RecursionError) as error:
        # bandit itself does not check the types in its configuration
        raise _wrong(path, str(error)) from error
    if not manager.b_ts.tests:
        raise _wrong(path, msg("no test is left to run"))
    found: Mapping[str, list[Test]] = manager.b_ts.tests
    tests = {kind: tuple(plugins) for kind, plugins in found.items()}
    every = {id(test): test for plugins in tests.values() for test in plugins}
    return Setup(
        tests=tests,
        options=tuple((t, t._config) for t in every.values() if hasattr(t, "_config")),
        excluded=_excluded(root, config, ini, path),
        ignore_nosec=ignore_nosec,
        manager=manager,
    )


def _read_config(root: Path, path: Path | None) -> bandit_config.BanditConfig:
    """bandit's reading of `path`. bandit would wait for a pipe: it gets a copy of the bytes."""
    if path is None:
        return bandit_config.BanditConfig(None)
    data = _content(root, path)
    with tempfile.TemporaryDirectory(prefix="sdlc-") as folder:
        copy = Path(folder, path.name)
        copy.write_bytes(data)
        try:
            return bandit_config.BanditConfig(str(copy))
        except (utils.ConfigError, ValueError) as error:
            raise _wrong(path, str(error).replace(str(copy), str(path))) from error


def _profile(
    config: bandit_config.BanditConfig, ini: Mapping[str, str], path: Path | None
) -> dict[str, Any]:
    """The tests to include and exclude, as `bandit.cli.main` puts them together."""
    name = ini.get("profile")
    if name:
        profile = (config.get_option("profiles") or {}).get(name)
        if profile is None:
            raise utils.ProfileNotFound(str(path or INI), name)
    else:
        profile = {
            "include": set(config.get_option("tests") or []),
            "exclude": set(config.get_option("skips") or []),
        }
    for key, option in (("include", "tests"), ("exclude", "skips")):
        if ini.get(option):
            profile[key].update(word.strip() for word in ini[option].split(","))
    extension_loader.MANAGER.validate_profile(profile)
    return dict(profile)


def _excluded(
    root: Path, config: bandit_config.BanditConfig, ini: Mapping[str, str], path: Path | None
) -> tuple[str, ...]:
    """Patterns of files to leave out; a folder that `.bandit` names means all that is in it."""
    listed = config.get_option("exclude_dirs") or []
    if not isinstance(listed, list):
        raise _wrong(path, msg("exclude_dirs is no list"))
    words = [word.strip() for word in ini.get("exclude", "").split(",")]
    folders = [
        word.rstrip("/") + "/*" if (root / word).is_dir() else word for word in words if word
    ]
    return (*filter(None, map(str, listed)), *folders)


def known(test: Test) -> bool:
    """True for a plug-in that comes with bandit, False for one from another package."""
    return test.__module__.startswith("bandit.")
