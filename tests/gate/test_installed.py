"""What is installed is told from folder names as `importlib.metadata` would tell it."""

from importlib import metadata
from pathlib import Path

import pytest

from sdlc_cli.gate import installed


@pytest.mark.parametrize("name", ["bandit", "radon", "PyYAML", "msgspec", "sdlc-cli"])
def test_a_version_is_the_one_that_python_tells(name: str) -> None:
    assert installed.version(name) == metadata.version(name)


def test_a_package_that_is_not_there_has_no_version() -> None:
    assert installed.version("no-such-package-here") == ""


def test_the_packages_with_plugins_are_those_that_python_tells() -> None:
    told = {
        one.dist.name.lower() for one in metadata.entry_points(group="bandit.plugins") if one.dist
    }

    assert {name for name, _version in installed.naming(b"bandit.plugins")} >= told
    assert "bandit" in told


def test_the_first_folder_on_the_path_wins(tmp_path: Path) -> None:
    for place, name in (("a", "Some_Tool-1.0.dist-info"), ("b", "some.tool-2.0.dist-info")):
        (tmp_path / place / name).mkdir(parents=True)

    found = installed.folders([str(tmp_path / "none"), str(tmp_path / "a"), str(tmp_path / "b")])

    assert found == {"some-tool": (str(tmp_path / "a" / "Some_Tool-1.0.dist-info"), "1.0")}
