"""The tables of gates are closed: what is in one is in all, documented, schema'd, translated."""

import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.cli.schemas import text
from sdlc_cli.core.finding import Severity
from sdlc_cli.gate import engines, rules
from sdlc_cli.gate.options import BUILT_IN
from sdlc_cli.gate.report import FORMATS
from sdlc_cli.gate.summary import DESCRIPTIONS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
SOURCES = sorted((ROOT / "sdlc_cli" / "gate").rglob("*.py"))
ENGINES = {**engines.FILE_ENGINES, **engines.PROJECT_ENGINES}
Tree = Callable[..., Path]
# Built here, so that no scanner takes this file for a leak.
FAKE_KEY = "AKIA" + "Q7RT5KX2WP3M6ZVB"


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_every_gate_is_complete(name: str) -> None:
    module = engines.load(name)

    assert module.__doc__
    assert name == "command" or name in BUILT_IN
    assert name == "command" or name in DESCRIPTIONS
    assert f"### {name}\n" in PAGE
    assert (ROOT / "tests/gate/engines" / f"test_{ENGINES[name].rpartition('.')[2]}.py").exists()


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_option_of_a_gate_is_documented(name: str) -> None:
    section = PAGE.split(f"### {name}\n")[1].split("\n### ")[0].split("\n## ")[0]
    common = {"weight", "minimum", "fail_on"}

    missing = [
        option
        for option in BUILT_IN[name].__struct_fields__
        if option not in common and option not in section
    ]

    assert missing == []


def test_every_rule_of_ours_can_be_explained() -> None:
    sources = "".join(source.read_text(encoding="utf-8") for source in SOURCES)
    named = set(re.findall(r"\brule=\"([a-z][a-z-]+)\"", sources))

    known = set(rules.OURS) | set(rules.of_secrets())

    assert len(named) > 10
    assert named - known == set()


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format_is_in_the_docs(form: str) -> None:
    assert re.search(rf"\b{form}\b", PAGE, re.IGNORECASE)


def run(root: Path, *words: str, command: str = "run") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sdlc_cli", "gate", command, *words],
        cwd=root,
        env=os.environ | {"COLUMNS": "100", "SDLC_CACHE_DIR": str(root.parent / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )


FLAWED = {
    "bad.py": "def f(:\n",
    "keys.py": f'KEY = "{FAKE_KEY}"\n',
    "shell.py": "import subprocess\nsubprocess.call(input(), shell=True)\n",
    "README.md": "[gone](gone.md)\n",
    "gates.yaml": (
        "version: 1\ngates:\n  syntax:\n  security:\n  secrets:\n  maintainability:\n  docs:\n"
        "  coverage:\n  broken: {kind: command, command: no-such-program}\n"
        "  'false': {kind: command, command: 'false'}\n"
    ),
}


@pytest.mark.dev
class TestRealRun:
    """The outputs of one real run, held against what others publish."""

    def test_json_fits_our_own_schema(self, tree: Tree) -> None:
        import jsonschema

        body = json.loads(run(tree(FLAWED), "--format", "json").stdout)
        done = subprocess.run(
            [sys.executable, "-m", "sdlc_cli", "schema", "gate-report"],
            capture_output=True,
            text=True,
            check=True,
        )

        assert sum(len(gate["findings"]) for gate in body["gates"]) > 5
        jsonschema.Draft202012Validator(json.loads(done.stdout)).validate(body)

    def test_a_shard_fits_our_own_schema(self, tree: Tree) -> None:
        import jsonschema

        from sdlc_cli.gate import schema

        body = json.loads(run(tree(FLAWED), "--shard", "1/1", "--format", "json").stdout)

        assert len(body["shard"]["files"]) == len(FLAWED)
        jsonschema.Draft202012Validator(schema.get("gate-shard")).validate(body)

    @pytest.mark.parametrize(
        ("words", "name"),
        [
            (("explain",), "gate-explanation"),
            (("drill",), "gate-drill"),
            (("simulate", "--generation", "2", "--commits", "20"), "gate-simulation"),
        ],
    )
    def test_each_other_result_fits_its_schema(
        self, tree: Tree, words: tuple[str, ...], name: str
    ) -> None:
        import jsonschema

        done = run(tree(FLAWED, git=True), *words[1:], "--format", "json", command=words[0])
        body = json.loads(done.stdout)
        schema = jsonschema.Draft202012Validator(json.loads(text(name, "sdlc schema")))

        assert any(body[key] for key in ("fixes", "defects", "commits") if key in body)
        schema.validate(body)
        assert not schema.is_valid(body | {"more": 1})

    def test_sarif_fits_the_published_schema(self, tree: Tree) -> None:
        import jsonschema

        schema = json.loads((ROOT / "tests/data/schemas/sarif-2.1.0-rtm.5.json").read_text())
        log: dict[str, Any] = json.loads(run(tree(FLAWED), "--format", "sarif").stdout)

        jsonschema.Draft7Validator(schema).validate(log)
        assert sum(len(one["results"]) for one in log["runs"]) > 5

    def test_junit_fits_pytests_schema(self, tree: Tree) -> None:
        from lxml import etree

        schema = etree.XMLSchema(file=str(ROOT / "tests/data/schemas/junit-10.xsd"))
        report = etree.fromstring(run(tree(FLAWED), "--format", "junit").stdout.encode())

        schema.assertValid(report)
        assert len(report.findall(".//failure")) > 2

    def test_gitlab_holds_the_documented_fields(self, tree: Tree) -> None:
        body = json.loads(run(tree(FLAWED), "--format", "gitlab").stdout)

        assert len(body) > 5
        for issue in body:
            assert {"description", "check_name", "fingerprint", "severity"} <= set(issue)
            assert issue["location"]["path"]
            assert issue["location"]["lines"]["begin"] >= 1
        assert len({issue["fingerprint"] for issue in body}) == len(body)


@pytest.mark.parametrize(
    "words",
    [
        ("gate", "run"),
        ("gate", "run", "--verbose"),
        ("gate", "run", "--format", "markdown"),
        ("gate", "run", "--format", "html"),
        ("gate", "run", "--skip", "syntax", "--require", "coverage"),
        ("gate", "explain"),
        ("gate", "explain", "complexity"),
        ("gate", "drill", "--format", "markdown"),
    ],
    ids=" ".join,
)
def test_every_sentence_is_translated(
    words: tuple[str, ...], tree: Tree, pseudo: Any, walked: Any
) -> None:
    """Words that stay: gate names, rule ids, paths, and what other programs wrote."""
    done = pseudo(*words, cwd=tree(FLAWED))
    told = done.stdout + done.stderr
    if words[-1] in ("html", "markdown"):
        told = re.sub(r"<(script|style)\b.*?</\1>", "", told, flags=re.DOTALL)
        told = re.sub(r"<[/!]?[a-z][^>]*>", " ", html.unescape(told))
    others = (
        r"(Starting a process with a shell|subprocess call|Consider possible security|Use of poss)"
        r"[^.]*\.(literal_eval\.)?|invalid syntax"
    )

    own = {*rules.OURS, *rules.of_secrets(), *BUILT_IN, *ENGINES, "broken", "false"}
    own |= {"bandit", "radon", "python", "deploy", "fail_on", "tangled", *Severity}
    assert walked.escaped(re.sub(others, "", told), *own) == []
