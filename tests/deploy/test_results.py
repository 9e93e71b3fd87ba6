"""The JSON of the commands keeps to the schemas that `sdlc schema` prints."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sdlc_cli.deploy.schema import get

EXAMPLE = Path(__file__).parents[2] / "examples" / "deploy" / "deploy.yaml"
HERE = ["--config", str(EXAMPLE), "--out", "."]


@pytest.mark.parametrize(
    ("words", "schema"),
    [
        (["render", "--all", "--allow-placeholder", *HERE], "deploy-render"),
        (["validate", "."], "deploy-findings"),
        (["drift", *HERE], "deploy-drift"),
        (["explain"], "deploy-rules"),
    ],
)
def test_the_json_keeps_to_its_schema(words: list[str], schema: str, rendered: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sdlc_cli", "deploy", *words, "--format", "json"],
        cwd=rendered,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode in (0, 1), done.stderr
    Draft202012Validator.check_schema(get(schema))
    Draft202012Validator(get(schema)).validate(json.loads(done.stdout))


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a render of the example in which a file was changed and one is foreign."""
    from sdlc_cli.deploy import rendering

    root = tmp_path_factory.mktemp("rendered")
    made = rendering.rendering(rendering.load(EXAMPLE, allow_placeholder=True), ())
    made.write(root)
    (root / "web.yaml").write_text("kind: Deployment\napiVersion: apps/v1\nmetadata: {name: x}\n")
    return root
