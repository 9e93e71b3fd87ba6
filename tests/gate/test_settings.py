import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from sdlc_cli.core.errors import ConfigError, WorkError
from sdlc_cli.gate.settings import change
from sdlc_cli.gate.variants import Setting

Tree = Callable[..., Path]

TOML = """\
# limits of the cache
size = 1
[cache]
size = 64  # entries
name = "a"
[cache.disk]
live = true
rate = 0.5
"""
YAML = """\
# limits of the cache
size: 1
cache:
  size: 64  # entries
  name: a
  disk: {live: true, rate: 0.5}
"""
JSON = '{"size": 1, "cache": {"size": 64, "name": "a", "disk": {"live": true, "rate": 0.5}}}'
INI = "; limits\n[cache]\nsize = 64\nName: a\n[disk]\nsize = 3\n"


def changed(tree: Tree, name: str, text: str, key: str, value: str | bool) -> str:
    root = tree({name: text})
    change(root, root, Setting(file=name, key=key, value=value))
    return (root / name).read_text()


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("size", "2", 2),
        ("cache.size", "128", 128),
        ("cache.size", "0.5", 0.5),
        ("cache.name", "7", "7"),
        ("cache.name", 'a "b" # c', 'a "b" # c'),
        ("cache.disk.live", "false", False),
        ("cache.disk.live", False, False),
        ("cache.disk.rate", "1", 1.0),
    ],
)
@pytest.mark.parametrize(
    ("name", "text", "parse"),
    [
        ("a.toml", TOML, tomllib.loads),
        ("a.yaml", YAML, yaml.safe_load),
        ("a.json", JSON, json.loads),
    ],
)
def test_one_value_changes_and_all_others_stay(
    name: str,
    text: str,
    parse: Callable[[str], dict[str, object]],
    key: str,
    value: str | bool,
    expected: object,
    tree: Tree,
) -> None:
    wanted: dict[str, object] = parse(text)
    holder: object = wanted
    for part in key.split(".")[:-1]:
        assert isinstance(holder, dict)
        holder = holder[part]
    assert isinstance(holder, dict)
    holder[key.split(".")[-1]] = expected

    got = changed(tree, name, text, key, value)

    assert parse(got) == wanted
    assert name == "a.json" or "# limits of the cache" in got


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("cache.size", "5", "; limits\n[cache]\nsize = 5\nName: a\n[disk]\nsize = 3\n"),
        ("cache.Name", "b", "; limits\n[cache]\nsize = 64\nName: b\n[disk]\nsize = 3\n"),
        ("disk.size", "5", "; limits\n[cache]\nsize = 64\nName: a\n[disk]\nsize = 5\n"),
    ],
)
def test_a_line_of_an_ini_file_changes(key: str, value: str, expected: str, tree: Tree) -> None:
    assert changed(tree, "a.ini", INI, key, value) == expected


@pytest.mark.parametrize(
    ("name", "text", "key", "value"),
    [
        pytest.param("a.toml", TOML, "cache.absent", "1", id="no such key"),
        pytest.param("a.toml", TOML, "cache", "1", id="a table"),
        pytest.param("a.toml", TOML, "cache.size", "many", id="another kind"),
        pytest.param("a.toml", "a = {b = 1}\n", "a.b", "2", id="an inline table"),
        pytest.param("a.toml", "a = 1\na = 2\n", "a", "2", id="broken toml"),
        pytest.param("a.yaml", "a: &x 1\nb: *x\n", "a", "2", id="an anchor others use"),
        pytest.param("a.yaml", "a: &x {k: 1}\nb:\n  <<: *x\n", "b.k", "2", id="a merged key"),
        pytest.param("a.yaml", YAML, "cache.disk.live", "maybe", id="neither true nor false"),
        pytest.param("a.json", "[1]", "a", "2", id="no mapping"),
        pytest.param("a.ini", INI, "cache.absent", "2", id="no such line"),
        pytest.param("a.txt", "a = 1", "a", "2", id="unknown form"),
    ],
)
def test_what_cannot_be_changed_surely_is_refused_and_stays(
    name: str, text: str, key: str, value: str, tree: Tree
) -> None:
    with pytest.raises(ConfigError):
        changed(tree, name, text, key, value)

    assert (tree({}) / name).read_text() == text


def test_a_file_outside_the_project_is_refused(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"a": 1}')
    root = tree({})
    (root / "link.json").symlink_to(tmp_path / "other.json")

    for name in ("../other.json", "link.json"):
        with pytest.raises(ConfigError, match="outside the project"):
            change(root, root, Setting(file=name, key="a", value="2"))


def test_a_missing_file_is_an_error(tree: Tree) -> None:
    root = tree({})

    with pytest.raises(WorkError, match=r"none\.json cannot be read"):
        change(root, root, Setting(file="none.json", key="a", value="2"))
