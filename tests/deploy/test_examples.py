"""The two examples: what they describe is there, and the service in one of them works."""

import ast
import http.client
import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from jsonschema import Draft202012Validator

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.deploy import metrics
from sdlc_cli.deploy.config import load
from sdlc_cli.deploy.model import Autoscaling
from sdlc_cli.deploy.schema import get

EXAMPLES = Path(__file__).parents[2] / "examples" / "deploy"
USUAL = EXAMPLES / "deploy.yaml"
AWKWARD = EXAMPLES / "awkward" / "deploy.yaml"
SOURCE = EXAMPLES / "src"


@pytest.mark.parametrize("file", [USUAL, AWKWARD], ids=["usual", "awkward"])
def test_an_example_fits_its_schema_and_is_held_to_real_digests(file: Path) -> None:
    document = yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)
    typed = yaml.safe_load(file.read_text(encoding="utf-8"))

    assert list(Draft202012Validator(get("deploy")).iter_errors(typed)) == []
    assert document["version"] == "1"
    assert load(file, allow_placeholder=True).chosen([])
    with pytest.raises(ConfigError, match="mistake") as caught:
        load(file).chosen([])
    assert all("is the placeholder" in problem for problem in caught.value.problems)


def test_the_usual_service_grows_with_its_environments() -> None:
    specs = {spec.environment: spec for spec in load(USUAL).specs}

    assert {name: spec.replicas for name, spec in specs.items()} == {
        "dev": 1, "staging": 2, "prod": 5, "dr": 3,
    }  # fmt: skip
    assert [name for name, spec in specs.items() if spec.production] == ["prod", "dr"]
    assert specs["prod"].resources.limits.cpu == 2000
    for name in ("resources", "databases", "caches"):
        assert getattr(specs["dr"], name) == getattr(specs["prod"], name)
    assert specs["dr"].autoscaling == Autoscaling(min=3, max=20)
    assert specs["prod"].config["LOG_LEVEL"] == "info"
    assert specs["dev"].config["LOG_LEVEL"] == "debug"
    assert [region.name for region in specs["prod"].regions] == ["eu-west-1", "us-east-1"]


def test_the_awkward_service_has_nothing_that_the_usual_one_has() -> None:
    lab, floor = load(AWKWARD).specs

    assert [port.name for port in floor.ports] == ["grpc", "admin"]
    assert (floor.databases, floor.caches, floor.cluster.provides) == ((), (), frozenset())
    assert (floor.build.language, floor.infrastructure) == ("other", "existing")
    assert floor.resources.gpu is not None
    assert lab.resources.gpu is None
    assert floor.config["GREETING"] == 'Hello {{ name }}: "${USER}" pays 100% # or not'
    assert (lab.production, floor.production) == (False, True)


def test_what_the_usual_file_names_is_there() -> None:
    spec = load(USUAL).specs[0]
    lock = (EXAMPLES / spec.build.lock).read_text(encoding="utf-8")

    assert all((EXAMPLES / source).is_dir() for source in spec.build.source)
    assert spec.build.command == ("python", "-m", "assistant")
    assert (SOURCE / "assistant" / "__main__.py").is_file()
    wanted = (EXAMPLES / "requirements.in").read_text(encoding="utf-8").split()
    for name in (re.split(r"\[", word)[0] for word in wanted):
        assert re.search(rf"^{name}==[0-9.]+ ", lock, re.M)
    assert "http" not in lock


def test_the_service_reads_what_its_deploy_yaml_says() -> None:
    spec = load(USUAL).specs[0]
    text = (SOURCE / "assistant" / "settings.py").read_text(encoding="utf-8")
    read = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}

    flags = {f"FLAG_{name.upper().replace('-', '_')}" for name in spec.flags}
    names = {*spec.config, *flags, *(secret.name for secret in spec.secrets)}
    assert names - read == set()


def test_the_service_exports_the_metrics_that_alerts_read() -> None:
    text = (SOURCE / "assistant" / "telemetry.py").read_text(encoding="utf-8")

    for name in (
        metrics.REQUEST_SECONDS, metrics.REQUEST_STATUS, metrics.MODEL_SECONDS, metrics.MODEL_ERROR,
        metrics.MODEL_NAME, metrics.MODEL_TOKENS, metrics.MODEL_DIRECTION,
        metrics.COST_USD.removesuffix("_total"), metrics.COST_MODEL,
    ):  # fmt: skip
        assert f'"{name}"' in text


class Measured:
    """A metric that only remembers what it was told."""

    def __init__(self, name: str, *_: object, **__: object) -> None:
        self.name = name
        self.seen: list[tuple[object, ...]] = []

    def labels(self, *values: object) -> "Measured":
        self.seen.append(values)
        return self

    def observe(self, _: float) -> None: ...

    inc = observe


class Model:
    def answer(self, question: str) -> str:
        if question == "bad":
            raise ConnectionError("the model gave no answer")
        return question.upper()


class Database:
    def __init__(self) -> None:
        self.kept: list[tuple[str, str]] = []

    def keep(self, question: str, answer: str) -> None:
        self.kept.append((question, answer))

    def ready(self) -> bool:
        return not self.kept


class Cache(dict[str, str]):
    def put(self, question: str, answer: str) -> None:
        self[question] = answer


@contextmanager
def running(monkeypatch: pytest.MonkeyPatch, database: Database) -> Iterator[tuple[str, int]]:
    """The example's service on a port of its own, without the packages it needs elsewhere."""
    library = ModuleType("prometheus_client")
    library.Counter = library.Histogram = Measured  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "prometheus_client", library)
    monkeypatch.syspath_prepend(str(SOURCE))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    from assistant.service import Service  # type: ignore[import-not-found]

    service = Service(("127.0.0.1", 0), model=Model(), cache=Cache(), database=database, workers=1)
    thread = threading.Thread(target=service.serve_forever)
    thread.start()
    try:
        yield service.server_address
    finally:
        service.shutdown()
        service.server_close()
        thread.join()
        for name in [one for one in sys.modules if one.split(".")[0] == "assistant"]:
            del sys.modules[name]


def call(address: tuple[str, int], path: str, body: object = None) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection(*address, timeout=30)
    method = "GET" if body is None else "POST"
    connection.request(method, path, None if body is None else json.dumps(body))
    response = connection.getresponse()
    answer = json.load(response)
    connection.close()
    return response.status, answer


def test_the_service_answers_and_remembers(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database()
    with running(monkeypatch, database) as address:
        assert call(address, "/health/ready")[0] == 200
        first = call(address, "/answers", {"question": "hello"})
        again = call(address, "/answers", {"question": "hello"})
        answers = [
            call(address, "/answers", {"question": "bad"})[0],
            call(address, "/answers", {"question": ""})[0],
            call(address, "/answers", ["x"])[0],
            call(address, "/elsewhere")[0],
            call(address, "/health/live")[0],
            call(address, "/health/ready")[0],
        ]

    assert first == again == (200, {"answer": "HELLO"})
    assert database.kept == [("hello", "HELLO")]
    assert answers == [502, 400, 400, 404, 200, 503]
