"""Any text in any place of deploy.yaml: refused with its key path, or in the spec unchanged."""

import json
import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sdlc_cli.core.config import place
from sdlc_cli.core.errors import ConfigError
from sdlc_cli.deploy.config import load
from sdlc_cli.deploy.render import render

Path_ = tuple[str | int, ...]
DIGEST = "sha256:" + "ab" * 32
WHOLE: dict[str, Any] = {
    "version": 1,
    "app": "answers",
    "owner": "Team Answers",
    "image": {"repository": "registry.example.com/image", "tag": "1.4.2", "digest": DIGEST},
    "build": {
        "python": "3.13",
        "base": {"repository": "slim", "tag": "3.13-slim", "digest": "sha256:" + "cd" * 32},
        "lock": "locked.txt",
        "source": ["code", "data"],
        "command": ["run", "--fast"],
    },
    "ports": {"web": 8080},
    "health": {"port": "web", "live": "/live", "ready": "/ready", "startup": "/started"},
    "metrics": {"port": "web", "path": "/numbers"},
    "resources": {
        "requests": {"cpu": "250m", "memory": "256Mi"},
        "limits": {"cpu": "1", "memory": "512Mi"},
        "gpu": {
            "resource": "nvidia.com/gpu",
            "node_selector": {"kind": "l4"},
            "tolerations": ["nvidia.com/only"],
        },
    },
    "config": {"LOG_LEVEL": "INFO", "REGION": "somewhere"},
    "flags": {"new-router": True},
    "secrets": {
        "DATABASE_URL": {"key": "answers/database", "property": "url"},
        "REDIS_URL": {"key": "answers/cache"},
    },
    "databases": {
        "main": {
            "version": "16",
            "instance": "db.m7g.large",
            "secret": "DATABASE_URL",
            "cidrs": ["10.1.0.0/16"],
        }
    },
    "caches": {
        "fast": {
            "version": "7.2",
            "instance": "cache.m7g.large",
            "secret": "REDIS_URL",
            "cidrs": ["10.2.0.0/16"],
        }
    },
    "model_apis": {"openai": {"host": "api.openai.com", "cidrs": ["10.3.0.0/16"]}},
    "domains": ["answers.example.com"],
    "regions": {"eu-west-1": {"config": {"NEAR": "here"}, "domains": ["eu.example.com"]}},
    "cluster": {
        "kubernetes": "1.35",
        "ingress_class": "traefik",
        "ingress_namespace": "edge",
        "monitoring_namespace": "observe",
        "secret_store": "vault",
        "issuer": "acme",
        "proxy": "proxy.example.com:3128",
        "proxy_namespace": "proxies",
        "name": "cluster-one",
    },
    "monitoring": {
        "secret_file": "/etc/receiver",
        "prometheus": "https://prometheus.example.com",
        "runbook": "https://runbook.example.com",
        "traces": "https://traces.example.com",
        "datasource": "numbers",
    },
    "pipeline": {
        "repository": "example/answers",
        "branch": "trunk",
        "aws_region": "eu-central-1",
        "aws_role": "arn:aws:iam::123456789012:role/deploy",
        "install_sdlc": "./sdlc",
        "runner": "near-cluster",
    },
    "terraform": {
        "state_bucket": "answers-state",
        "state_region": "eu-north-1",
        "vpc_cidr": "10.9.0.0/16",
        "kubernetes": "1.36",
        "node_instance": "g6.xlarge",
    },
    "environments": {
        "dev": {
            "config": {"REGION": "elsewhere"},
            "owner": "Team Dev",
            "domains": ["d.example.com"],
        }
    },
}
# Read into something that is no text: their own tests say what they become.
AMOUNTS = ("cpu", "memory", "ephemeral_storage")
# Covered by what the environment says instead.
HIDDEN = {("owner",), ("config", "REGION"), ("domains", 0)}

HOSTILE = [
    "x\n  hostNetwork: true", "{{", "}}", "{{ .Values.x }}", "{% raw %}", "${HOME}", "$(id)",
    "`id`", "%{ if true }", "'", '"', "'''", '"""', "#", " # comment", ": ", "key: value",
    "- item", "x\0y", "é" * 300, "a" * 300, "a" * 9000, "😀", "👩\u200d👧", "../..",
    "../../etc/passwd", "!!python/object:os.system x", "&anchor", "*anchor", "<<: *x",
    "<<EOF\nx\nEOF", "${{ github.token }}", "\\", "\\n", "~", "null", "true", "no", "0x1f",
    "1e3", "", " ", " x ", "\t", "\r\n", "\u2028", "\u202e", "\ufeff", "|", ">", "@x", "%",
    "? x", "--- x", "...", "[x]", "{x}", "-x", "$", "a,b", "::add-mask::x", "x;id", "x&&id",
]  # fmt: skip
TEXT = st.sampled_from(HOSTILE) | st.text(max_size=40) | st.text("az-._/:@ \n'\"{$", max_size=12)


def leaves(value: object, at: Path_ = ()) -> Iterator[tuple[Path_, str]]:
    """Every text, with where it stands."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from leaves(below, (*at, key))
    elif isinstance(value, list | tuple):
        for i, below in enumerate(value):
            yield from leaves(below, (*at, i))
    elif isinstance(value, str):
        yield at, value


PLACES = [path for path, _ in leaves(WHOLE) if path[-1] not in AMOUNTS and path not in HIDDEN]


def put(document: dict[str, Any], path: Path_, text: str) -> dict[str, Any]:
    inside: Any = document
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = text
    return document


def changed(paths: Iterable[Path_], text: str) -> dict[str, Any]:
    made = deepcopy(WHOLE)
    for path in paths:
        put(made, path, text)
    return made


def written(document: dict[str, Any]) -> str:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(document, Dumper=dumper, allow_unicode=True, sort_keys=False)


def texts(folder: Path, document: dict[str, Any]) -> dict[Path_, str]:
    """Every text of the spec that the document becomes."""
    file = folder / "deploy.yaml"
    file.write_text(written(document), "utf-8")
    (spec,) = load(file).specs
    return dict(leaves(msgspec.to_builtins(spec, builtin_types=[Decimal])))


def refused(folder: Path, document: dict[str, Any]) -> tuple[str, ...]:
    """What is complained about."""
    try:
        texts(folder, document)
    except ConfigError as error:
        return error.problems
    return ()


def is_told(path: Path_, wrong: tuple[str, ...]) -> bool:
    """Whether the place, or the list of words that it is one of, is complained about."""
    paths = [path, path[:-1]] if isinstance(path[-1], int) else [path]
    return any(f": {place(one)}: " in problem for one in paths for problem in wrong)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config")


@pytest.fixture(scope="module")
def homes(folder: Path) -> dict[Path_, list[Path_]]:
    """Where in the spec the text of each place of the document goes."""
    usual = texts(folder, WHOLE)
    return {
        at: [home for home, text in usual.items() if text == value] for at, value in leaves(WHOLE)
    }


def test_every_place_has_a_home_of_its_own(homes: dict[Path_, list[Path_]]) -> None:
    assert [path for path in PLACES if not homes[path]] == []
    taken = [home for path in PLACES for home in homes[path]]
    shared = {home for home in taken if taken.count(home) > 1}
    assert shared <= {("health", "port"), ("metrics", "port"), ("ports", 0, "name")}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: json.dumps(text[:20]))
def test_hostile_text_is_refused_everywhere_or_arrives_unchanged(
    folder: Path, homes: dict[Path_, list[Path_]], text: str
) -> None:
    taken = set(PLACES)
    usual = texts(folder, WHOLE)
    while wrong := refused(folder, changed(taken, text)):
        left = {path for path in taken if not is_told(path, wrong)}
        assert left != taken, f"refused without a place: {wrong}"
        taken = left

    found = texts(folder, changed(taken, text))

    meant = {home: text for path in taken for home in homes[path]}
    assert found == {**usual, **meant}


@given(path=st.sampled_from(PLACES), text=TEXT)
def test_any_text_is_refused_or_arrives_unchanged(
    folder: Path, homes: dict[Path_, list[Path_]], path: Path_, text: str
) -> None:
    document = changed([path], text)
    if wrong := refused(folder, document):
        assert is_told(path, wrong)
    else:
        found = texts(folder, document)
        assert [found[home] for home in homes[path]] == [text for _ in homes[path]]


@pytest.mark.parametrize("turn", range(5))
def test_what_is_taken_can_be_rendered(folder: Path, turn: int) -> None:
    """Every place has a hostile text of its own, each turn another."""
    document = deepcopy(WHOLE)
    for i, path in enumerate(PLACES):
        text = HOSTILE[(i + turn * 11) % len(HOSTILE)]
        if not refused(folder, put(deepcopy(document), path, text)):
            put(document, path, text)
    texts(folder, document)
    assert document != WHOLE

    made = render(load(folder / "deploy.yaml").specs)

    assert {one.kind for one in made} >= {"docker", "kubernetes", "helm", "pipeline", "monitoring"}


KEYED = [
    ("ports",), ("config",), ("flags",), ("secrets",), ("databases",), ("caches",),
    ("model_apis",), ("regions",), ("regions", "eu-west-1", "config"), ("environments",),
    ("resources", "gpu", "node_selector"), (), ("image",), ("cluster",),
]  # fmt: skip


@pytest.mark.parametrize("section", KEYED, ids=place)
def test_hostile_keys_are_refused_by_their_path(folder: Path, section: Path_) -> None:
    made = deepcopy(WHOLE)
    inside: Any = made
    for name in section:
        inside = inside[name]
    value = next(iter(inside.values()))
    keys = [text for text in HOSTILE if not re.fullmatch(r"[\w.-]+", text) and "\0" not in text]
    inside.update({key: deepcopy(value) for key in keys})

    wrong = refused(folder, made)

    assert [key for key in keys if not is_told((*section, key), wrong)] == []


@pytest.mark.parametrize("section", KEYED, ids=place)
def test_a_key_with_a_nul_is_refused_by_where_it_stands(folder: Path, section: Path_) -> None:
    made = deepcopy(WHOLE)
    inside: Any = made
    for name in section:
        inside = inside[name]
    inside["x\0y"] = "x"

    (problem,) = refused(folder, made)

    at = f": {place(section)}" if section else ""
    assert f"{at}: holds the character U+0000" in problem
