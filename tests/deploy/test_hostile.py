"""Whatever text a spec holds comes out as that text, or is refused: nothing is injected."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import fields, replace

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.deploy import render
from sdlc_cli.deploy.escape import NotWritable
from sdlc_cli.deploy.model import DeploySpec, Region
from sdlc_cli.deploy.sets import helm, kubernetes

MARK = "zq7mark"  # a word that every field takes, and that nothing of ours says
HOSTILE = (
    "x\n  hostNetwork: true",
    "{{ .Release.Name }}",
    "}}{{ fail `x` }}",
    "{% for x in y %}",
    "${HOME} $(id) `id` ${{ github.token }} %{ if true }",
    "'\"\\ \\n",
    "# comment",
    "a: b, - c",
    "x\x00y",
    "é" * 300,
    "🚀",
    "../../etc/passwd",
    "!!python/object:os.system",
    "&anchor *alias",
    "<<EOT\nx\nEOT",
    "|-\n  x",
    "true",
    "null",
    "012",
    "1e3",
    "~",
    " lead and trail ",
    "\u2028\u2029\x85",
    "\ufeff",
    "\ud800",
)
COMPUTED = ("checksum/config", "app.kubernetes.io/version", "version")  # the last from the tag
REGION = Region(name="us-east-1", config={"REGION": "us"}, replicas=4, domains=("us.example.com",))

Put = Callable[[str], Any]


def leaves(whole: DeploySpec) -> Iterator[tuple[str, Put]]:
    """Every text of a spec: where it is, and the spec with another text in its place."""
    yield from _leaves(whole)


def _leaves(value: Any) -> Iterator[tuple[str, Put]]:
    if isinstance(value, str):
        yield "", lambda text: text
    elif isinstance(value, Struct):
        for one in fields(value):
            for path, put in _leaves(getattr(value, one.name)):
                yield f".{one.name}{path}", partial(_in_field, value, one.name, put)
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield f".key({key})", partial(_as_key, value, key)
            for path, put in _leaves(entry):
                yield f".{key}{path}", partial(_in_entry, value, key, put)
    elif isinstance(value, tuple):
        for index, entry in enumerate(value):
            for path, put in _leaves(entry):
                yield f"[{index}]{path}", partial(_in_item, value, index, put)


def _in_field(whole: Any, name: str, put: Put, text: str) -> Any:
    return replace(whole, **{name: put(text)})


def _as_key(whole: Mapping[str, Any], key: str, text: str) -> Any:
    return {text if old == key else old: entry for old, entry in whole.items()}


def _in_entry(whole: Mapping[str, Any], key: str, put: Put, text: str) -> Any:
    return {**whole, key: put(text)}


def _in_item(whole: tuple[Any, ...], index: int, put: Put, text: str) -> Any:
    return (*whole[:index], put(text), *whole[index + 1 :])


REFUSED = (ConfigError, NotWritable, KeyError)  # the last: a port that nobody has
RENDERER = render.Renderer(None)
Files = dict[str, Any]


def rendered(spec: DeploySpec, *, chart: bool = False) -> Files:
    """The manifests, and the values of the `chart`, parsed back."""
    wanted = list(kubernetes.files([spec]))
    if chart:
        wanted += [one for one in helm.files([spec]) if "/values" in one.path]
    return {made.path: parsed(made.text) for made in map(RENDERER.artifact, wanted)}


@cache
def parsed(text: str) -> Any:
    documents = list(yaml.load_all(text, yaml.CSafeLoader))
    for document in documents:
        for patch in document.get("patches", ()) if isinstance(document, dict) else ():
            patch["patch"] = yaml.load(patch["patch"], yaml.CSafeLoader)
    return documents


def replaced(value: Any, text: str) -> Any:
    """`value` with `text` where MARK was, without what is computed from it."""
    if isinstance(value, str):
        return value.replace("{{`{{`}}", "{{").replace(MARK, text)  # as alerts write {{ literally
    if isinstance(value, dict):
        return {
            replaced(key, text): replaced(entry, text)
            for key, entry in value.items()
            if key not in COMPUTED
        }
    if isinstance(value, list):
        if [one for one in value if isinstance(one, dict) and "checksum" in str(one.get("path"))]:
            return []
        return [replaced(entry, text) for entry in value]
    return value


def tried(put: Put, text: str, *, chart: bool = False) -> Files | None:
    """What comes out, or None where it is refused."""
    try:
        return rendered(put(text), chart=chart)
    except REFUSED:
        return None


def rich(specs: Sequence[DeploySpec], awkward: DeploySpec) -> tuple[DeploySpec, ...]:
    """Specs that together use every field: all ways out, all that a cluster may provide or not."""
    service = specs[0]
    prod = replace(specs[2], regions=(REGION,))
    proxy = replace(
        service.cluster, proxy="proxy.example.com:3128", proxy_namespace="out", provides=frozenset()
    )
    return (
        prod,
        replace(service, egress="cilium"),
        replace(service, egress="eks-auto"),
        replace(service, egress="proxy", cluster=proxy),
        awkward,
    )


@pytest.mark.slow
def test_every_text_is_literal_or_refused(
    specs: tuple[DeploySpec, ...], awkward: DeploySpec
) -> None:
    came_out: set[str] = set()
    refused: set[str] = set()
    for spec in rich(specs, awkward):
        plain = rendered(spec)
        for path, put in leaves(spec):
            marked = tried(put, MARK)
            if marked == plain or path in came_out or path.startswith(".flags.key"):
                continue  # it is printed nowhere, or was looked at, or has a test of its own
            for text in HOSTILE:
                found = tried(put, text)
                (refused if found is None else came_out).add(path)
                if found is not None:
                    assert replaced(found, MARK) == replaced(marked, text), path

    assert {".owner", ".config.LOG_LEVEL", ".secrets[0].key", ".health.ready"} <= came_out
    assert {".app", ".environment", ".image.repository", ".image.digest"} <= refused
    assert len(came_out | refused) > 50


@given(text=st.text())
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_literal_or_refused(specs: tuple[DeploySpec, ...], text: str) -> None:
    def everywhere(text: str) -> DeploySpec:
        config, secret = {"LOG_LEVEL": text}, replace(specs[2].secrets[0], key=text, property="")
        return replace(specs[2], owner=text, config=config, secrets=(secret,))

    found = tried(everywhere, text, chart=True)

    if found is None:
        assert any("\ud800" <= letter <= "\udfff" for letter in text)
    else:
        assert "helm/answers/values.yaml" in found
        assert replaced(found, MARK) == replaced(tried(everywhere, MARK, chart=True), text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_flag_is_a_variable_or_refused(spec: Callable[..., DeploySpec], text: str) -> None:
    found = tried(lambda text: spec(flags={text: True}), text)

    if found is not None:
        (config,) = found["k8s/dev/configmap.yaml"]
        assert config["data"][f"FLAG_{text.upper()}"] == "true"
