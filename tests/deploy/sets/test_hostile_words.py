"""No word of a spec, wherever it stands, adds anything to workflows, script or monitoring."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest
import yaml
from msgspec import Struct
from msgspec.structs import fields, replace

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.deploy import render
from sdlc_cli.deploy.model import DeploySpec, Monitoring, Pipeline, Region
from sdlc_cli.deploy.sets import monitoring, pipeline

Put = Callable[[str], Any]
RENDERER = render.Renderer(None)
PLAIN = "zq7mark"
HOSTILE = (
    "x\n  hostNetwork: true\n- x",
    "$(touch /tmp/zq7) `id` '; exit 1 #",
    "${{ github.token }} }} {{ fail }} {% for x in y %}",
    '"}], "x": ["y": !!python/object:os.system &a *a',
    "a|b\\c # d: e ${HOME} $$",
    "é🚀 \u2028\x85",
)


def leaves(value: Any) -> Iterator[tuple[str, Put]]:
    """Each text below `value`: where it is, and `value` with another one in its place."""
    if isinstance(value, str):
        yield "", lambda text: text
    elif isinstance(value, Struct):
        for one in fields(value):
            for path, put in leaves(getattr(value, one.name)):
                yield f".{one.name}{path}", partial(_with_field, value, one.name, put)
    elif isinstance(value, tuple):
        for index, entry in enumerate(value):
            for path, put in leaves(entry):
                yield f"[{index}]{path}", partial(_with_entry, value, index, put)


def _with_field(whole: Any, name: str, put: Put, text: str) -> Any:
    return replace(whole, **{name: put(text)})


def _with_entry(whole: tuple[Any, ...], index: int, put: Put, text: str) -> Any:
    return (*whole[:index], put(text), *whole[index + 1 :])


def full(specs: tuple[DeploySpec, ...]) -> tuple[DeploySpec, ...]:
    """Two environments that use every field that these files read."""
    words = Pipeline(
        repository="example/answers",
        aws_region="eu-west-1",
        aws_role="arn:aws:iam::123456789012:role/deploy",
        install_sdlc="sdlc-cli",
    )
    watched = Monitoring(
        runbook="https://example.com/runbook", traces="http://jaeger:4318", prometheus="https://p"
    )
    prod = replace(
        specs[2], pipeline=words, monitoring=watched, regions=(Region(name="us-east-1"),)
    )
    return (replace(specs[1], pipeline=words, monitoring=watched), prod)


def rendered(specs: tuple[DeploySpec, ...]) -> dict[str, str]:
    wanted = [*pipeline.files(specs), *monitoring.files(specs)]
    return {one.path: RENDERER.artifact(one).text for one in wanted}


def parsed(path: str, text: str) -> Any:
    if path.endswith(".json"):
        return json.loads(text)
    return yaml.load(text, yaml.CSafeLoader)


def shape(value: Any) -> Any:
    """Keys, lengths and kinds; the texts themselves are left out."""
    if isinstance(value, Mapping):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return type(value).__name__


def same_kind(found: Mapping[str, str], expected: Mapping[str, str]) -> None:
    """Both hold the same things, and no shell and no workflow sees a command in either."""
    assert found.keys() == expected.keys()
    for path, text in found.items():
        if text == expected[path]:
            continue  # it does not read the word
        if path.endswith(".md"):
            assert text.count("\n") == expected[path].count("\n")
        elif path.endswith(".sh"):
            assert text.count("\n") == expected[path].count("\n")
            subprocess.run(["sh", "-n"], input=text, text=True, check=True)
        else:
            assert shape(parsed(path, text)) == shape(parsed(path, expected[path])), path
        if path.startswith(".github/"):
            assert expressions(text) - {"'${{'"} == expressions(expected[path])


def expressions(text: str) -> set[str]:
    return {one.strip() for one in re.findall(r"\$\{\{(.*?)\}\}", text)}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_word_is_refused_or_stays_a_word(specs: tuple[DeploySpec, ...], text: str) -> None:
    whole = full(specs)
    plain = rendered(whole)
    refused, kept = [], []
    for path, put in leaves(whole[1]):
        try:
            found = rendered((whole[0], put(text)))
        except (ConfigError, KeyError):  # KeyError: the port that a probe names
            refused.append(path)
            continue
        if found == plain:
            continue
        try:
            expected = rendered((whole[0], put(PLAIN)))
        except (ConfigError, KeyError):
            continue  # the plain word is none that this field takes
        same_kind(found, expected)
        kept.append(path)

    assert ".owner" in kept
    assert {".monitoring.runbook", ".monitoring.traces", ".monitoring.secret_file"} <= set(kept)
    assert {".app", ".environment", ".regions[0].name"} <= set(refused)
