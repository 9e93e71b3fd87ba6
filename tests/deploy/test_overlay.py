"""An environment over its service: the same as if its words were written into the service's."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.deploy.config import load
from sdlc_cli.deploy.model import DeploySpec

Document = dict[str, Any]
SERVICE: Document = {
    "version": 1,
    "app": "answers",
    "owner": "team",
    "image": {"repository": "answers", "tag": "1.0"},
    "resources": {
        "requests": {"cpu": "250m", "memory": "256Mi"},
        "limits": {"cpu": 1, "memory": "512Mi"},
        "gpu": {"count": 2, "node_selector": {"kind": "l4"}, "tolerations": ["a"]},
    },
    "ports": {"http": 8080, "admin": 8081},
    "autoscaling": {"min": 2, "max": 4},
    "config": {"A": "a", "B": "b"},
    "flags": {"new": True},
    "secrets": {"DATABASE_URL": {"key": "k", "property": "p"}, "REDIS_URL": {"key": "r"}},
    "databases": {"main": {"cidrs": ["10.0.0.0/24", "10.0.1.0/24"], "version": 16}},
    "domains": ["a.example.com", "b.example.com"],
    "regions": {"eu-west-1": {"config": {"A": "eu"}, "domains": ["eu.example.com"]}},
    "budget": {"monthly_usd": 5},
    "terraform": {"node_instance": "g6.xlarge"},
}
OVERLAYS: list[Document] = [
    {"owner": "other"},
    {"image": {"tag": "2.0"}},
    {"image": {"repository": "other/answers"}},
    {"resources": {"limits": {"memory": "1Gi"}}},
    {"resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": 2}}},
    {"resources": {"gpu": None}},
    {"resources": {"gpu": {"count": 1}}},
    {"resources": {"gpu": {"node_selector": {"kind": None, "zone": "a"}, "tolerations": []}}},
    {"ports": {"admin": 9000}},
    {"ports": {"admin": None, "grpc": 9001}},
    {"health": {"live": "/alive", "start_seconds": "2m"}},
    {"metrics": None},
    {"metrics": {"path": "/m"}},
    {"autoscaling": None},
    {"autoscaling": {"max": 9}},
    {"autoscaling": {"min": 3, "cpu": "50%"}},
    {"config": {"A": "other", "C": "c"}},
    {"config": {"A": None}},
    {"flags": {"new": None, "old": False}},
    {"secrets": {"REDIS_URL": None}},
    {"secrets": {"DATABASE_URL": {"key": "other"}}},
    {"databases": {"main": {"version": 17}}},
    {"databases": {"main": {"cidrs": []}, "more": {"storage_gib": 50}}},
    {"databases": {"main": None}},
    {"caches": {"fast": {"nodes": 3}}},
    {"domains": []},
    {"domains": ["c.example.com"]},
    {"regions": {"eu-west-1": {"config": {"B": "eu"}}, "us-east-1": {}}},
    {"regions": {"eu-west-1": None}},
    {"budget": {"monthly_usd": 0}},
    {"service_levels": {"p95_seconds": "500ms"}},
    {"cluster": {"provides": ["ingress"], "kubernetes": 1.35}},
    {"infrastructure": "managed"},
    {"terraform": {"nodes_max": 9}},
    {"production": True},
]


def laid_over(base: Document, over: Document) -> Document:
    """What an overlay means: mappings merge, null takes away, all else replaces."""
    made = deepcopy(base)
    for key, value in over.items():
        if value is None:
            made[key] = None
        elif isinstance(value, dict):
            made[key] = laid_over(made.get(key) or {}, value)
        else:
            made[key] = value
    return made


def without_nulls(value: Any) -> Any:
    """Entries of mappings that were taken away, gone; `metrics: null` stays, for it says no."""
    if not isinstance(value, dict):
        return value
    kept = {key: without_nulls(one) for key, one in value.items()}
    return {key: one for key, one in kept.items() if one is not None or key == "metrics"}


def specs(file: Path, document: Document) -> tuple[DeploySpec, ...] | None:
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    try:
        return load(file).specs
    except ConfigError:
        return None


@given(chosen=st.lists(st.sampled_from(OVERLAYS), max_size=6))
def test_an_overlay_means_what_writing_it_out_means(
    tmp_path_factory: pytest.TempPathFactory, chosen: list[Document]
) -> None:
    file = tmp_path_factory.getbasetemp() / "deploy.yaml"
    over: Document = {}
    for one in chosen:
        over = laid_over(over, one)

    by_environment = specs(file, {**SERVICE, "environments": {"dev": over, "other": {}}})
    written_out = specs(
        file, {**without_nulls(laid_over(SERVICE, over)), "environments": {"dev": {}}}
    )

    assert (by_environment is None) == (written_out is None)
    if by_environment and written_out:
        assert by_environment[0] == written_out[0]
        plain = specs(file, {**SERVICE, "environments": {"other": {}}})
        assert plain is not None
        assert by_environment[1] == plain[0]
