"""deploy.yaml: what each environment says in the end, and what is refused, with its key path."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdlc_cli.core.errors import ConfigError, UsageError
from sdlc_cli.deploy.config import PLACEHOLDER_DIGEST, DeployConfig, load, read_image
from sdlc_cli.deploy.model import Autoscaling, Image, Metrics, Port, SecretReference

DIGEST = "sha256:" + "0123456789abcdef" * 4
IMAGE = f"registry.example.com/answers@{DIGEST}"
Document = dict[str, Any]


def document(**changes: object) -> Document:
    """A small service with one environment; a change of None takes a key away."""
    made: Document = {
        "version": 1,
        "app": "answers",
        "owner": "team-answers",
        "image": {"repository": "registry.example.com/answers", "tag": "1.4.2"},
        "resources": {
            "requests": {"cpu": "250m", "memory": "256Mi"},
            "limits": {"cpu": 1, "memory": "512Mi"},
        },
        "environments": {"dev": {}},
    }
    made.update(changes)
    return {key: value for key, value in made.items() if value is not None}


def loaded(folder: Path, written: Document | str, **options: Any) -> DeployConfig:
    path = folder / "deploy.yaml"
    text = written if isinstance(written, str) else yaml.safe_dump(written, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    return load(path, **options)


def problems(folder: Path, written: Document | str) -> list[str]:
    """`key.path: what is wrong` for each mistake."""
    with pytest.raises(ConfigError) as caught:
        loaded(folder, written)
    return [problem.split(": ", 1)[1] for problem in caught.value.problems]


def test_what_is_not_written_has_a_default(tmp_path: Path) -> None:
    (spec,) = loaded(tmp_path, document()).specs

    assert spec.environment == "dev"
    assert spec.namespace == "answers-dev"
    assert spec.image.reference == "registry.example.com/answers:1.4.2"
    assert spec.build.command == ("python", "-m", "answers")
    assert spec.build.base == Image(repository="python", tag="3.12-slim")
    assert spec.ports == (Port(name="http", port=8080),)
    assert (spec.health.port, spec.health.startup) == ("http", "/health/live")
    assert spec.metrics == Metrics(port="http")
    assert spec.resources.requests.ephemeral_storage == 2**30
    assert spec.replicas == 2
    assert spec.cluster.name == "answers-dev"
    assert spec.service_levels.availability == Decimal("99.9")
    assert spec.service_levels.p95_seconds == 1
    assert spec.production is False


def test_an_environment_overrides_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    written = document(
        config={"LOG_LEVEL": "INFO", "REGION": "eu"},
        domains=["answers.example.com"],
        ports={"http": 8080, "debug": 9999},
        secrets={"DATABASE_URL": {"key": "base", "property": "url"}},
        databases={"main": {"version": 17, "cidrs": ["10.1.0.0/16"]}},
        autoscaling={"min": 3, "max": 9},
        environments={
            "dev": {},
            "prod": {
                "config": {"LOG_LEVEL": "WARNING", "MORE": "x"},
                "domains": ["answers.example.org", "www.example.org"],
                "ports": {"debug": None},
                "secrets": {"DATABASE_URL": {"key": "prod"}},
                "databases": {"main": {"storage_gib": 100}, "other": {"version": 16}},
                "resources": {"limits": {"cpu": "2"}},
                "autoscaling": {"max": 30},
                "metrics": None,
                "owner": "team-prod",
            },
        },
    )

    dev, prod = loaded(tmp_path, written).specs

    assert dev.config == {"LOG_LEVEL": "INFO", "REGION": "eu"}
    assert prod.config == {"LOG_LEVEL": "WARNING", "REGION": "eu", "MORE": "x"}
    assert prod.domains == ("answers.example.org", "www.example.org")
    assert [port.name for port in prod.ports] == ["http"]
    assert prod.secrets == (SecretReference(name="DATABASE_URL", key="prod", property="url"),)
    assert [(d.name, d.version, d.storage_gib, d.cidrs) for d in prod.databases] == [
        ("main", "17", 100, ("10.1.0.0/16",)),
        ("other", "16", 20, ()),
    ]
    assert (prod.resources.requests.cpu, prod.resources.limits.cpu) == (250, 2000)
    assert prod.resources.limits.memory == dev.resources.limits.memory
    assert prod.autoscaling == Autoscaling(min=3, max=30)
    assert (dev.metrics, prod.metrics) == (Metrics(port="http"), None)
    assert (dev.owner, prod.owner) == ("team-answers", "team-prod")
    assert dev.replicas == 3


def test_null_takes_away_what_may_be_absent(tmp_path: Path) -> None:
    gpu = {"resource": "nvidia.com/gpu", "count": 2}
    resources = {**document()["resources"], "gpu": gpu}
    written = document(
        resources=resources,
        infrastructure="existing",
        autoscaling={"min": 1, "max": 2},
        flags={"new-router": True},
        environments={
            "dev": {"resources": {"gpu": None}, "autoscaling": None, "flags": {"new-router": None}},
            "test": {"resources": {"gpu": {"count": 1}}},
        },
    )

    dev, test = loaded(tmp_path, written).specs

    assert (dev.resources.gpu, dev.autoscaling, dev.flags) == (None, None, {})
    assert test.resources.gpu is not None
    assert (test.resources.gpu.resource, test.resources.gpu.count) == ("nvidia.com/gpu", 1)
    assert test.flags == {"new-router": True}


@pytest.mark.parametrize(
    ("name", "says", "production"),
    [
        ("prod", None, True),
        ("production", None, True),
        ("dr", None, True),
        ("staging", None, False),
        ("live", True, True),
        ("prod", False, False),
    ],
)
def test_production_is_told_by_name_or_by_word(
    tmp_path: Path, name: str, says: bool | None, production: bool
) -> None:
    over = {"replicas": 3} if says is None else {"replicas": 3, "production": says}

    (spec,) = loaded(tmp_path, document(environments={name: over})).specs

    assert spec.production is production


def test_variables_of_the_environment_stay_as_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME_OF_X", "replaced")

    (spec,) = loaded(tmp_path, document(config={"A": "${HOME_OF_X}", "B": "$${X}"})).specs

    assert spec.config == {"A": "${HOME_OF_X}", "B": "$${X}"}


def test_numbers_are_what_was_written(tmp_path: Path) -> None:
    text = yaml.safe_dump(document()) + "config: {A: 010, B: 1.0, C: 1e3, D: on, E: 0x1f}\n"

    (spec,) = loaded(tmp_path, text).specs

    assert spec.config == {"A": "010", "B": "1.0", "C": "1e3", "D": "on", "E": "0x1f"}


def test_an_image_of_the_command_line_stands_in_for_all(tmp_path: Path) -> None:
    written = document(environments={"dev": {"image": {"tag": "dev"}}, "test": {}})

    specs = loaded(tmp_path, written, image=IMAGE).specs

    assert {spec.image.reference for spec in specs} == {IMAGE}


@pytest.mark.parametrize(
    ("text", "image"),
    [
        (IMAGE, Image(repository="registry.example.com/answers", digest=DIGEST)),
        (
            f"localhost:5000/a/b_c:v1.2@{DIGEST}",
            Image(repository="localhost:5000/a/b_c", tag="v1.2", digest=DIGEST),
        ),
        (f"answers@{DIGEST}", Image(repository="answers", digest=DIGEST)),
    ],
)
def test_an_image_is_read_with_its_digest(text: str, image: Image) -> None:
    assert read_image(text) == image


@pytest.mark.parametrize(
    "text",
    [
        "answers:1.0", "answers@sha256:abc", f"@{DIGEST}", f"answers@{DIGEST}\n",
        f" answers@{DIGEST}",
        f"Answers@{DIGEST}", f"answers@{DIGEST.upper()}", f"https://example.com/a@{DIGEST}",
        f"a//b@{DIGEST}", f"../a@{DIGEST}", f"a:{'t' * 129}@{DIGEST}", f"{'a' * 9999}@{DIGEST}",
    ],
)  # fmt: skip
def test_an_image_without_a_digest_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="with its digest"):
        read_image(text)


NO_LOCK = (
    "is no lock that can be installed; use uv.lock, poetry.lock, requirements.lock,"
    " requirements.txt"
)
NOT_MADE = (
    "infrastructure: managed makes no cluster with {}: use cidr or proxy, or infrastructure:"
    " existing"
)
RESERVED = "'{}' is a name of Kubernetes' own: choose another"
NO_REGION = (
    "is not called as a region of AWS (eu-west-1), where infrastructure: managed would make it"
)
FEW_NODES = "must be at least 2 with infrastructure: managed, so that one can fail"
LEAKED = "holds a password or a key, which does not belong in this file"
NOTHING = "holds nothing: leave it out instead"
PLACEHOLDER = "is the placeholder, which no image has (--allow-placeholder to try)"
TOO_FEW = "production needs at least 3, so that one can be drained and another fail"
SHARED = "is one for all environments: write it at the top of the file"
HIDDEN = "holds the control character U+{}; values are one line"
PROD = {"prod": {"replicas": 3}}
BASE = {"command": ["answers"], "base": {"repository": "python", "digest": DIGEST}}


@pytest.mark.parametrize(
    ("changes", "options", "expected"),
    [
        pytest.param(
            {"environments": PROD},
            {},
            ["environments.prod.image.digest: missing, and needed by production",
             "build.base.digest: missing, and needed by production"],
            id="no digest at all",
        ),
        pytest.param(
            {"environments": PROD, "build": BASE},
            {},
            ["environments.prod.image.digest: missing, and needed by production"],
            id="no digest of the image",
        ),
        pytest.param({"environments": PROD, "build": BASE}, {"image": IMAGE}, [], id="--image"),
        pytest.param(
            {"environments": PROD},
            {"image": IMAGE},
            ["build.base.digest: missing, and needed by production"],
            id="no digest of the base",
        ),
        pytest.param(
            {"environments": PROD, "build": {"language": "other"}}, {"image": IMAGE}, [],
            id="nothing is built",
        ),
        pytest.param(
            {"environments": {"prod": {"replicas": 3, "image": {"digest": PLACEHOLDER_DIGEST}}},
             "build": BASE},
            {},
            [f"environments.prod.image.digest: {PLACEHOLDER}"],
            id="placeholder",
        ),
        pytest.param(
            {"environments": {"prod": {"replicas": 3}, "dr": {"replicas": 3}}, "build": BASE,
             "image": {"repository": "answers", "digest": PLACEHOLDER_DIGEST}},
            {},
            [f"image.digest: {PLACEHOLDER}"],
            id="placeholder for all",
        ),
        pytest.param(
            {"environments": {"prod": {"replicas": 3, "image": {"digest": PLACEHOLDER_DIGEST}}},
             "build": {**BASE, "base": {"repository": "python", "digest": PLACEHOLDER_DIGEST}}},
            {"allow_placeholder": True},
            [],
            id="placeholder allowed",
        ),
        pytest.param({}, {}, [], id="development needs none"),
        pytest.param(
            {"image": {"repository": "answers"}},
            {},
            ["environments.dev.image.tag: missing, and there is no digest either"],
            id="neither tag nor digest",
        ),
    ],
)  # fmt: skip
def test_production_is_held_to_a_digest(
    tmp_path: Path, changes: Document, options: dict[str, Any], expected: list[str]
) -> None:
    config = loaded(tmp_path, document(**changes), **options)
    found: list[str] = []
    try:
        config.chosen([])
    except ConfigError as error:
        found = [problem.split(": ", 1)[1] for problem in error.problems]

    assert sorted(found) == sorted(expected)


def test_an_environment_that_is_not_chosen_needs_no_digest(tmp_path: Path) -> None:
    config = loaded(tmp_path, document(environments={**PROD, "dev": {}}))

    assert [spec.environment for spec in config.chosen(["dev"])] == ["dev"]
    assert [spec.environment for spec in config.specs] == ["prod", "dev"]
    with pytest.raises(ConfigError) as caught:
        config.chosen(["dev", "prod"])
    assert "--image" in caught.value.hint


def test_the_placeholder_is_no_image_on_the_command_line_either(tmp_path: Path) -> None:
    image = f"answers@{PLACEHOLDER_DIGEST}"

    with pytest.raises(UsageError, match="placeholder"):
        loaded(tmp_path, document(), image=image).chosen([])
    assert loaded(tmp_path, document(), image=image, allow_placeholder=True).chosen([])


def test_an_unknown_environment_is_told_with_the_nearest(tmp_path: Path) -> None:
    config = loaded(tmp_path, document(environments={"staging": {}, "dev": {}}))

    with pytest.raises(UsageError, match="no environment 'stagin'") as caught:
        config.chosen(["stagin"])
    assert caught.value.hint == "--env staging"


CACHE = {"main": {"cidrs": ["10.0.0.0/24"]}}
REDIS = {"REDIS_URL": {"key": "k"}}


def test_every_mistake_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = (
        "version: 1\napp: answers\nowner: a\nimage: {repository: a}\nreplica: 3\n"
        "build: {command: [a]}\n"
        "resources:\n  requests: {cpu: 2, memory: 1Gi}\n  limits: {cpu: 1, memory: 1Gi}\n"
        "environments:\n  dev:\n    ports: {http: 80}\n  prod: {}\n"
    )
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)

    assert [problem.rpartition("deploy.yaml:")[2] for problem in caught.value.problems] == [
        "5: replica: unknown key (nearest: 'replicas')",
        "9: resources.limits.cpu: lies under the request of 2",
        "12: environments.dev.ports.http: must be from 1024 to 65535, found 80",
        f"13: environments.prod.replicas: {TOO_FEW}",
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"app": "Answers"}, ["app: must look like 'assistant', found 'Answers'"]),
        ({"app": "a" * 41}, ["app: must have at most 40 letters"]),
        ({"app": "answers-"}, ["app: must look like 'assistant', found 'answers-'"]),
        ({"app": "answers\n"}, ["app: must look like 'assistant', found 'answers\\n'"]),
        ({"app": None}, ["app: missing, and needed here"]),
        ({"owner": ""}, ["owner: must not be empty"]),
        ({"environments": {}}, ["environments: must not be empty"]),
        ({"environments": {"Dev": {}}}, ["environments.Dev: must look like 'prod', found 'Dev'"]),
        (
            {"environments": {"a" * 17: {}}},
            [f"environments.{'a' * 17}: must have at most 16 letters"],
        ),
        (
            {"environments": {"dev": {"replcias": 2}}},
            ["environments.dev.replcias: unknown key (nearest: 'replicas')"],
        ),
        (
            {"environments": {"dev": {"build": {"python": "3.13"}}}},
            [f"environments.dev.build: {SHARED}"],
        ),
        (
            {"environments": {"dev": {"pipeline": {"branch": "dev", "aws_region": "eu-west-1"}}}},
            [f"environments.dev.pipeline.branch: {SHARED}"],
        ),
        (
            {"environments": {"dev": {"caches": {"main": {"port": "x"}}}}, "secrets": REDIS},
            ["environments.dev.caches.main.port: wants a whole number, found the text 'x'"],
        ),
        (
            {"environments": {"dev": {"autoscaling": {"min": 2}}}},
            ["environments.dev.autoscaling.max: missing, and needed here"],
        ),
        (
            {"image": {"repository": "answers", "tag": "latest"}},
            ["image.tag: is another image tomorrow: name a version"],
        ),
        (
            {"image": {"repository": "answers", "digest": "sha256:abc"}},
            [f"image.digest: must look like '{PLACEHOLDER_DIGEST}', found 'sha256:abc'"],
        ),
        (
            {"build": {"command": ["a"], "source": ["src", "../other"], "lock": "/etc/passwd"}},
            ["build.source[1]: must be a path below the file's own folder",
             "build.lock: must be a path below the file's own folder",
             f"build.lock: {NO_LOCK}"],
        ),
        (
            {"build": {"source": ["s*c", ""], "lock": "Pipfile.lock"}},
            ["build.source[0]: may hold letters, digits and @ _ . / - only",
             "build.source[1]: must not be empty",
             f"build.lock: {NO_LOCK}"],
        ),
        ({"build": {"lock": "setup.py"}}, [f"build.lock: {NO_LOCK}"]),
        (
            {"build": {"base": {"repository": "python"}}},
            ["build.base.tag: missing, and there is no digest either"],
        ),
        (
            {"caches": {"main": {"nodes": 1}}, "secrets": REDIS},
            [f"caches.main.nodes: {FEW_NODES}"],
        ),
        (
            {"pipeline": {"aws_role": "arn:aws:iam::123456789012:role/deploy"}},
            ["pipeline.aws_region: missing, and needed by pipeline.aws_role"],
        ),
        (
            {"environments": {"dev": {"resources": None, "health": None, "pipeline": None}}},
            [f"environments.dev.resources: {NOTHING}", f"environments.dev.health: {NOTHING}",
             f"environments.dev.pipeline: {NOTHING}"],
        ),
        (
            {"environments": {"dev": {"config": None, "domains": None}}},
            ["environments.dev.config: wants a section of keys, found nothing",
             "environments.dev.domains: wants a list, found nothing"],
        ),
        ({"templates": "~/x"}, ["templates: must be a path below the file's own folder"]),
        ({"ports": {"http": 1024, "more": 1024}}, ["ports.more: has the same number as http"]),
        ({"ports": {}}, ["ports: must not be empty"]),
        ({"ports": {"a--b": 8080}}, ["ports.a--b: must look like 'http', found 'a--b'"]),
        (
            {"ports": {"web": 8080}, "health": {"port": "wbe"}, "metrics": {"port": "http"}},
            ["health.port: there is no 'wbe' (nearest: 'web')",
             "metrics.port: there is no 'http'; there are: web"],
        ),
        (
            {"resources": {"requests": {"cpu": 1, "memory": "1Gi"},
                           "limits": {"cpu": "500m", "memory": "512Mi"}}},
            ["resources.limits.cpu: lies under the request of 1",
             "resources.limits.memory: lies under the request of 1Gi"],
        ),
        (
            {"resources": {"requests": {"cpu": "0m", "memory": 512},
                           "limits": {"cpu": "1", "memory": "512MB", "ephemeral_storage": 1}}},
            ["resources.requests.cpu: must be at least 1m",
             "resources.limits.memory: must look like '512Mi', found '512MB'",
             "resources.limits.ephemeral_storage: is 1 B; write a unit such as Mi"],
        ),
        (
            {"autoscaling": {"min": 5, "max": 3}},
            ["autoscaling.max: lies under min, which is 5"],
        ),
        (
            {"autoscaling": {"min": 2, "max": 3}, "replicas": 4},
            ["replicas: lies outside autoscaling, which is 2 to 3"],
        ),
        (
            {"autoscaling": {"min": 2, "max": 3, "cpu": "0%"}},
            ["autoscaling: looks at nothing: set cpu or memory above 0%"],
        ),
        (
            {"autoscaling": {"min": 2, "max": 3, "cpu": "70.5%"}},
            ["autoscaling.cpu: must be a whole number of percent"],
        ),
        ({"replicas": 0}, ["replicas: must be from 1 to 1000, found 0"]),
        (
            {"environments": {"prod": {"autoscaling": {"min": 2, "max": 8}}}},
            [f"environments.prod.autoscaling.min: {TOO_FEW}"],
        ),
        (
            {"environments": {"prod": {"replicas": 3, "regions": {"eu-west-1": {"replicas": 1}}}}},
            [f"environments.prod.regions.eu-west-1.replicas: {TOO_FEW}"],
        ),
        ({"config": {"1A": "x"}}, ["config.1A: must look like 'LOG_LEVEL', found '1A'"]),
        (
            {"config": {f"A{n}": "x" for n in range(501)}},
            ["config: holds more than 500 variables"],
        ),
        (
            {"config": {f"A{n}": "x" * 8000 for n in range(120)}},
            ["config: holds more than 900,000 B, all in all"],
        ),
        ({"config": {"A": "x" * 8193}}, ["config.A: must have at most 8192 letters"]),
        ({"config": {"A": "x\ny"}}, [f"config.A: {HIDDEN}".format("000A")]),
        ({"config": {"A": "x\u202ey"}}, [f"config.A: {HIDDEN}".format("202E")]),
        (
            {"config": {"REDIS_URL": "x", "REDIS_URL_FILE": "y", "FLAG_NEW_ROUTER": "1"},
             "secrets": REDIS, "flags": {"new-router": True}},
            ["config.REDIS_URL: is one of the secrets too",
             "config.REDIS_URL_FILE: is set for the secret REDIS_URL",
             "config.FLAG_NEW_ROUTER: is the variable of the flag new-router too"],
        ),
        (
            {"flags": {"new-router": True, "NEW_ROUTER": False}},
            ["flags.NEW_ROUTER: is the same variable as new-router"],
        ),
        (
            {"secrets": {"DATABASE_URL": "postgres://u:p@h/db"}},
            [("secrets.DATABASE_URL: wants a reference, {key: path/in/the/store}; a secret's value"
             " does not belong in this file")],
        ),
        (
            {"databases": {"main": {"cidrs": ["10.0.0.1/8", "x"]}}},
            ["databases.main.secret: there is no 'DATABASE_URL', and no other",
             "databases.main.cidrs[0]: is not how the range is written (nearest: '10.0.0.0/8')",
             "databases.main.cidrs[1]: is not a range of addresses such as 10.0.0.0/16"],
        ),
        (
            {"caches": {"main": {}}, "secrets": REDIS, "infrastructure": "existing"},
            [("caches.main.cidrs: missing: nobody else knows where it is, with infrastructure:"
             " existing")],
        ),
        (
            {"caches": CACHE, "databases": {"main": {"secret": "REDIS_URL"}}, "secrets": REDIS},
            ["caches.main: is the name of a database too"],
        ),
        (
            {"egress": "cilium", "infrastructure": "existing"},
            ["egress: needs cilium in cluster.provides"],
        ),
        (
            {"egress": "cilium", "cluster": {"provides": ["cilium"]}},
            [f"egress: {NOT_MADE.format('cilium')}"],
        ),
        (
            {"cluster": {"provides": ["eks-auto"]}, "infrastructure": "existing",
             "environments": {"dev": {"egress": "eks-auto"},
                              "test": {"egress": "eks-auto", "infrastructure": "managed"}}},
            [f"environments.test.egress: {NOT_MADE.format('eks-auto')}"],
        ),
        ({"app": "default"}, [f"app: {RESERVED.format('default')}"]),
        ({"app": "kube-router"}, [f"app: {RESERVED.format('kube-router')}"]),
        (
            {"regions": {"europe": {}, "eu-west-1": {}, "eu-west": {}}},
            [f"regions.europe: {NO_REGION}", f"regions.eu-west: {NO_REGION}"],
        ),
        (
            {"environments": {"dev": {"regions": {"oslo": {}}, "infrastructure": "existing"},
                              "test": {"regions": {"oslo": {}}}}},
            [f"environments.test.regions.oslo: {NO_REGION}"],
        ),
        ({"egress": "proxy"}, ["cluster.proxy: missing, and needed by egress: proxy"]),
        (
            {"egress": "proxy", "cluster": {"proxy": "proxy:0"}},
            ["cluster.proxy: the port must be from 1 to 65535"],
        ),
        (
            {"cluster": {"kubernetes": 1.2}},
            [("cluster.kubernetes: must be one of 1.31, 1.32, 1.33, 1.34, 1.35, 1.36, 1.37, found"
             " the number 1.2 (nearest: '1.32')")],
        ),
        (
            {"domains": ["a.example.com", "a.example.com"]},
            ["domains[1]: 'a.example.com' is written twice"],
        ),
        ({"domains": ["A.b"]}, ["domains[0]: must look like 'assistant.example.com', found 'A.b'"]),
        (
            {"monitoring": {"traces": "https://user:word@example.com"}},
            [f"monitoring.traces: {LEAKED}"],
        ),
        (
            {"secrets": {"DATABASE_URL": {"key": "postgres://user:word@example.com"}},
             "build": {"command": ["run", "--key", "sk-" + "a1" * 12]},
             "pipeline": {"install_sdlc": "git+https://x:word@example.com/sdlc"}},
            [f"secrets.DATABASE_URL.key: {LEAKED}", f"build.command[2]: {LEAKED}",
             f"pipeline.install_sdlc: {LEAKED}"],
        ),
        (
            {"pipeline": {"staging": "dev", "production": "dev"}},
            ["pipeline.staging: is the environment after the approval too"],
        ),
        (
            {"pipeline": {"staging": "dve"}},
            ["pipeline.staging: there is no 'dve' (nearest: 'dev')"],
        ),
        (
            {"terraform": {"nodes_min": 3, "nodes_max": 2, "vpc_cidr": "10.0.0.0/24"}},
            ["terraform.nodes_max: lies under nodes_min, which is 3",
             "terraform.vpc_cidr: must be a range of IPv4 from /16 to /20"],
        ),
    ],
    ids=lambda value: str(value)[:150],
)  # fmt: skip
def test_what_is_wrong_is_refused_by_its_key_path(
    tmp_path: Path, changes: Document, expected: list[str]
) -> None:
    assert problems(tmp_path, document(**changes)) == expected


@pytest.mark.parametrize(
    ("resource", "instance", "refused"),
    [
        ("nvidia.com/gpu", "m7g.large", True),
        ("nvidia.com/gpu", "g4ad.xlarge", True),
        ("nvidia.com/gpu", "g4dn.xlarge", False),
        ("nvidia.com/gpu", "g6.xlarge", False),
        ("nvidia.com/gpu", "p5.48xlarge", False),
        ("amd.com/gpu", "g4ad.xlarge", False),
    ],
)
def test_nodes_that_we_make_have_the_cards_that_pods_ask_for(
    tmp_path: Path, resource: str, instance: str, refused: bool
) -> None:
    asks = {"resources": {"gpu": {"resource": resource}}}
    written = document(environments={"dev": asks}, terraform={"node_instance": instance})

    if refused:
        message = f"{instance} has no {resource}, which resources.gpu asks for; g6.xlarge has"
        assert problems(tmp_path, written) == [
            f"environments.dev.terraform.node_instance: {message}"
        ]
    else:
        assert loaded(tmp_path, written).specs[0].resources.gpu is not None
    assert loaded(tmp_path, {**written, "infrastructure": "existing"})


def test_a_file_of_thousands_is_refused_before_it_takes_minutes(tmp_path: Path) -> None:
    regions: dict[str, object] = {f"r{i}": {} for i in range(65)}
    written = document(environments={f"e{i}": {} for i in range(5000)}, regions=regions)

    assert problems(tmp_path, written) == [
        "environments: must hold at most 64 items, found 5000",
        "regions: must hold at most 64 items, found 65",
    ]


def test_one_image_cannot_run_on_two_kinds_of_processor(tmp_path: Path) -> None:
    other = {"terraform": {"node_instance": "m7i.large"}}
    written = document(environments={"dev": {}, "test": other})
    message = (
        "m7i.large cannot run the image that is built for m7g.large: one of the two has an ARM"
        " processor"
    )

    assert problems(tmp_path, written) == [f"environments.test.terraform.node_instance: {message}"]
    assert loaded(tmp_path, {**written, "terraform": {"node_instance": "t3.large"}})
    assert loaded(tmp_path, {**written, "build": {"language": "other"}})
    existing = {"dev": {"infrastructure": "existing"}, "test": other}
    assert loaded(tmp_path, document(environments=existing))


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("DB_PASSWORD", "x", True),
        ("token", "x", True),
        ("OPENAI_API_KEY", "x", True),
        ("SIGNING_KEY", "x", True),
        ("PASSWORD", "", False),
        ("PUBLIC_KEY", "x", False),
        ("MAX_TOKENS", "4096", False),
        ("MONKEY", "x", False),
        ("PASSWORD_LENGTH", "12", False),
        ("QUEUE", "amqp://user:word@queue.example.com", True),
        ("QUEUE", "amqp://user@queue.example.com", False),
        ("ADDRESS", "https://example.com:8080/@x", False),
        ("A", "AKIA" + "A" * 16, True),
        ("A", "-----BEGIN RSA PRIVATE KEY-----", True),
    ],
)
def test_a_plain_value_that_looks_like_a_secret_is_refused_and_not_shown(
    tmp_path: Path, name: str, value: str, secret: bool
) -> None:
    written = document(environments={"dev": {"config": {name: value}}})

    if secret:
        message = "looks like a secret: refer to it under secrets, by key"
        assert problems(tmp_path, written) == [f"environments.dev.config.{name}: {message}"]
    else:
        assert loaded(tmp_path, written).specs[0].config == {name: value}


def test_a_mistake_of_the_service_is_told_once_and_not_for_each_environment(
    tmp_path: Path,
) -> None:
    written = document(
        egress="cilium",
        infrastructure="existing",
        environments={"dev": {}, "test": {}, "new": {"cluster": {"provides": ["cilium"]}}},
    )

    assert problems(tmp_path, written) == ["egress: needs cilium in cluster.provides"]


def test_what_every_environment_mends_is_no_mistake(tmp_path: Path) -> None:
    cilium = {"cluster": {"provides": ["cilium"]}, "infrastructure": "existing"}
    written = document(egress="cilium", environments={"new": cilium})

    assert loaded(tmp_path, written).specs[0].egress == "cilium"


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("deploy.yaml").write_text(yaml.safe_dump(document(templates=".sdlc/templates")), "utf-8")

    config = load(Path("deploy.yaml"))

    assert config.root == tmp_path
    assert config.templates == tmp_path / ".sdlc/templates"
    with pytest.raises(ConfigError, match="templates: there is no such folder"):
        config.chosen([])
    config.templates.mkdir(parents=True)
    assert config.chosen([])


def test_the_pipeline_names_only_environments_that_there_are(tmp_path: Path) -> None:
    (spec,) = loaded(tmp_path, document(environments={"production": {"replicas": 3}})).specs

    assert (spec.pipeline.staging, spec.pipeline.production) == ("", "production")
