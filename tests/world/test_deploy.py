"""The tables of the deploy job are closed: what is in one is in all, documented, translated."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from sdlc_cli.cli import deploy_tools, schemas
from sdlc_cli.deploy import eject, lock, rendering
from sdlc_cli.deploy.folder import PLACES, is_ours
from sdlc_cli.deploy.report import FORMATS
from sdlc_cli.deploy.schema import SCHEMAS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "examples" / "deploy").rglob("deploy.yaml"))
Tree = Callable[..., Path]


def test_every_command_has_its_section(walked: Any) -> None:
    commands = {path.split()[-1] for path in walked.pages if path.startswith("sdlc deploy ")}

    assert len(commands) == 7
    assert [name for name in sorted(commands) if f"\n### {name}\n" not in PAGE] == []


def test_every_format_is_offered_and_documented() -> None:
    assert tuple(FORMATS) == deploy_tools.FORMATS
    assert [form for form in FORMATS if form != "text" and f"`{form}`" not in PAGE] == []


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_its_golden_files(form: str) -> None:
    ends = {"text": "txt", "markdown": "md", "junit": "junit.xml", "github": "github.txt",
            "gitlab": "gitlab.json"}  # fmt: skip
    folder = ROOT / "tests" / "golden" / "deploy"

    assert (folder / f"findings.{ends.get(form, form)}").exists()
    assert (folder / f"hostile.{ends.get(form, form)}").exists()


def test_every_schema_is_offered() -> None:
    assert set(SCHEMAS) == {name for name in schemas.NAMES if name.startswith("deploy")}


def test_every_place_of_a_render_is_documented() -> None:
    table = PAGE.split("## What is rendered\n")[1].split("\n## ")[0]

    assert [place for place in PLACES if f"`{place}" not in table] == []


def test_every_state_of_an_artifact_is_documented() -> None:
    states = set(get_args(lock.State)) - {"stale", "left"}

    assert [state for state in sorted(states) if f"`{state}`" not in PAGE] == []


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.parent.name)
def test_a_render_uses_every_place_and_no_other(file: Path) -> None:
    made = rendering.rendering(rendering.load(file, allow_placeholder=True), ())

    paths = [artifact.path for artifact in made.all]
    assert [path for path in paths if not is_ours(path)] == []
    assert [one.path for one in made.all if not one.about] == []
    if file.parent.name == "deploy":
        starts = tuple(PLACES)
        unused = [place for place in starts if not any(p.startswith(place) for p in paths)]
        assert unused == []


def test_the_classic_set_is_contained() -> None:
    """Dockerfile, 8 kinds in 4 environments, chart and values, two of Terraform, a pipeline."""
    file = next(path for path in EXAMPLES if path.parent.name == "deploy")
    made = rendering.rendering(rendering.load(file, allow_placeholder=True), ())
    paths = {artifact.path for artifact in made.artifacts}
    classic = PAGE.split("38 files")[1].split("Beyond it")[0]
    named = re.findall(r"`(k8s/<env>/\w+\.yaml)`", classic)
    wanted = {"Dockerfile", "helm/assistant/Chart.yaml", "helm/assistant/values.yaml"}
    wanted |= {"terraform/aws/main.tf", "terraform/aws/variables.tf"}
    wanted |= {".github/workflows/deploy.yml"}
    environments = ("dev", "staging", "prod", "dr")
    wanted |= {name.replace("<env>", env) for name in named for env in environments}
    wanted -= {"k8s/dev/hpa.yaml", "k8s/staging/hpa.yaml"}  # they do not scale

    assert len(made.chosen) == 4
    assert len(set(named)) == 8
    assert wanted - paths == set()


def test_every_template_is_used_by_an_example() -> None:
    """A template that nothing renders is dead, and nobody would see that it broke."""
    used: set[str] = set()
    from importlib import import_module

    from sdlc_cli.deploy.render import SETS

    for file in EXAMPLES:
        specs = rendering.load(file, allow_placeholder=True).specs
        for name in SETS:
            for one in import_module(f"sdlc_cli.deploy.sets.{name}").files(specs):
                used.add(one.template)
    included = {
        name
        for template in eject.names()
        for name in re.findall(
            r"""{%-?\s*include\s+["']([^"']+)["']""",
            (eject.TEMPLATES / template).read_text(encoding="utf-8"),
        )
    }

    assert len(used) > 30
    assert set(eject.names()) - used - included == set()


CONFIG = """\
version: 1
app: shop
owner: shop-team
image: {repository: registry.example.com/shop, tag: 1.2.0}
build: {command: [python, -m, shop]}
resources:
  requests: {cpu: 250m, memory: 256Mi}
  limits: {cpu: 1, memory: 512Mi}
environments:
  dev: {replicas: 1}
"""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(["render"], 2, id="no environment"),
        pytest.param(["render", "--all"], 0, id="render"),
        pytest.param(["render", "--all", "--verbose"], 0, id="each file"),
        pytest.param(["render", "--env", "pro"], 2, id="unknown environment"),
        pytest.param(["render", "--all", "--image", "x"], 2, id="bad image"),
        pytest.param(["render", "--all", "--out", "deploy.yaml"], 3, id="a file as folder"),
        pytest.param(["drift"], 4, id="no render yet"),
        pytest.param(["diff", "--env", "dev", "--all"], 2, id="contradiction"),
        pytest.param(["validate"], 4, id="nothing to look at"),
        pytest.param(["validate", "deploy.yaml"], 2, id="a file, not a folder"),
        pytest.param(["explain", "k8s-nothing"], 2, id="unknown rule"),
        pytest.param(["explain", "k8s-privileged"], 0, id="a rule"),
        pytest.param(["eject", "nothing"], 2, id="unknown template"),
        pytest.param(["eject", "kubernetes/service.yaml.j2"], 0, id="a template"),
        pytest.param(["init"], 2, id="there is one"),
    ],
)
def test_no_english_word_escapes_from(
    words: list[str], code: int, pseudo: Any, walked: Any, tree: Tree
) -> None:
    folder = tree({"notes.txt": ""} if words == ["validate"] else {"deploy.yaml": CONFIG})

    done = pseudo("deploy", *words, cwd=folder)

    assert done.returncode == code, done.stderr
    text = done.stdout + done.stderr
    assert text
    shown = [line for line in text.splitlines() if not line.startswith("  ")]  # no commands
    own = ("shop", "dev", "pro", "nothing", "lock", "docker", "kubernetes", "helm", "terraform",
           "pipeline", "monitoring", "script", "ignore", "secrets", "Dockerfile", "privileged",
           "service", "templates", "KSV017", "CKV_K8S_16", "container", "sdlc", "yaml", "deploy",
           "dockerignore", "actions")  # fmt: skip
    assert walked.escaped("\n".join(shown), *own) == []
