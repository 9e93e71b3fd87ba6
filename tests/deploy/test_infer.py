"""A first deploy.yaml: what a repository tells, and that it can always be loaded."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sdlc_cli.deploy.config import load
from sdlc_cli.deploy.infer import draft
from sdlc_cli.deploy.model import DeploySpec, Port

SERVICE = {
    "pyproject.toml": (
        '[project]\nname = "Answer_Bot"\nversion = "2.1.0"\nrequires-python = ">=3.11"\n'
        'authors = [{name = "Ada"}]\n'
    ),
    "uv.lock": "version = 1\n",
    "Dockerfile": (
        "FROM --platform=linux/amd64 docker.io/library/python:3.13-slim AS build\n"
        "EXPOSE 80 9100/tcp 9200\n"
        'ENTRYPOINT ["python"]\nCMD ["-m", "answer_bot", "--fast"]\n'
    ),
    ".env.example": (
        "# settings\nLOG_LEVEL=info # or debug\nexport GREETING='hello: \"you\" # there'\n"
        "STRIPE_API_KEY=\nQUEUE=amqp://user:word@queue.example.com\nEMPTY=\nnot a line\n"
    ),
    ".github/CODEOWNERS": "*.md @docs\n* @team-answers\n",
    "src/answer_bot/__init__.py": "",
    "src/answer_bot/__main__.py": (
        "import openai\nfrom anthropic import Anthropic\nimport psycopg.rows\nimport redis\n"
        "from prometheus_client import Counter\nROUTES = ['/healthz', '/readyz']\n"
    ),
    "tests/test_it.py": "import cohere\nX = '/ping'\n",
}


def drafted(root: Path) -> tuple[DeploySpec, ...]:
    file = root / "deploy.yaml"
    file.write_text(draft(root), encoding="utf-8")
    return load(file).specs


def test_a_repository_tells_what_it_is(tree: Any) -> None:
    dev, staging, prod = drafted(tree(SERVICE))

    assert [spec.replicas for spec in (dev, staging, prod)] == [1, 2, 3]
    assert (dev.app, dev.owner) == ("answer-bot", "team-answers")
    assert (dev.image.tag, dev.build.python, dev.build.lock) == ("2.1.0", "3.13", "uv.lock")
    assert dev.build.source == ("src",)
    assert dev.build.command == ("python", "-m", "answer_bot", "--fast")
    assert dev.ports == (Port(name="http", port=9100), Port(name="port-9200", port=9200))
    assert (dev.health.live, dev.health.ready) == ("/healthz", "/readyz")
    assert dev.metrics is not None
    assert dev.config == {"LOG_LEVEL": "info", "GREETING": 'hello: "you" # there', "EMPTY": ""}
    assert [secret.name for secret in dev.secrets] == [
        "ANTHROPIC_API_KEY", "DATABASE_URL", "OPENAI_API_KEY", "QUEUE", "REDIS_URL",
        "STRIPE_API_KEY",
    ]  # fmt: skip
    assert [one.host for one in dev.model_apis] == ["api.anthropic.com", "api.openai.com"]
    assert (len(dev.databases), len(dev.caches)) == (1, 1)
    assert dev.infrastructure == "managed"


def test_no_value_of_a_secret_is_written(tree: Any) -> None:
    assert "user:word" not in draft(tree(SERVICE))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"README.md": "x"}, {"language": "other"}, id="nothing to go by"),
        pytest.param(
            {"app.py": "import http.server\n", "requirements.txt": "x==1\n"},
            {"language": "python", "source": ("app.py",), "lock": "requirements.txt",
             "command": ("python", "app.py"), "python": "3.12"},
            id="one file",
        ),
        pytest.param(
            {"bot/__init__.py": "", "bot/__main__.py": "", "lib/__init__.py": "",
             ".python-version": "3.11.4\n"},
            {"source": ("bot", "lib"), "command": ("python", "-m", "bot"), "python": "3.11"},
            id="packages",
        ),
        pytest.param(
            {"pyproject.toml": "[project\n", "x.py": "", "Dockerfile": 'CMD ["a", 1]\nCMD [1\n'},
            {"source": ("x.py",), "python": "3.12"},
            id="broken files",
        ),
        pytest.param(
            {"pyproject.toml": '[project]\nrequires-python = ">=3.99"\n', "x y.py": "", "z.py": ""},
            {"source": ("z.py",), "python": "3.12"},
            id="what no image can hold",
        ),
    ],
)  # fmt: skip
def test_what_is_built_is_told_by_the_files(
    tree: Any, files: dict[str, str], expected: dict[str, object]
) -> None:
    build = drafted(tree(files))[0].build

    assert {name: getattr(build, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("docker", "ports", "guessed"),
    [
        pytest.param('CMD ["gunicorn", "m.wsgi", "-b", ":8000"]', [8000], False, id="-b"),
        pytest.param('CMD ["gunicorn", "--bind=0.0.0.0:8001"]', [8001], False, id="--bind="),
        pytest.param('CMD ["uvicorn", "--port", "8002"]\nEXPOSE 8002 9000', [8002, 9000], False,
                     id="said twice"),
        pytest.param('EXPOSE 9000\nCMD ["uvicorn", "--port=8003"]', [8003, 9000], False,
                     id="the command counts first"),
        pytest.param('EXPOSE 80\nCMD ["gunicorn", "-b", ":8000"]', [8000], False, id="a low one"),
        pytest.param('EXPOSE 80\nCMD ["x", "-b", "a/b:8000"]', [8080], True, id="no address"),
        pytest.param("", [8080], True, id="nothing"),
    ],
)  # fmt: skip
def test_the_port_is_where_the_command_listens(
    tree: Any, docker: str, ports: list[int], guessed: bool
) -> None:
    root = tree({"a.py": "", "Dockerfile": f"FROM python:3.12\n{docker}\n"})

    assert [port.port for port in drafted(root)[0].ports] == ports
    line = next(line for line in draft(root).splitlines() if line.startswith("ports:"))
    assert line.endswith("CHANGE") == guessed


def test_variables_that_only_the_code_names_are_left_to_a_person(tree: Any) -> None:
    code = (
        "import os\nA = os.environ['DJANGO_SECRET_KEY']\nB = os.getenv(\n    \"DB_NAME\", 'x')\n"
        "C = os.environ.get('LOG_LEVEL')\nD = os.environ[name]\n"
    )
    root = tree({"a.py": code, ".env.example": "LOG_LEVEL=info\n"})

    assert "too; which of them does it need?\n#   DB_NAME, DJANGO_SECRET_KEY\n\n" in draft(root)
    assert drafted(root)[0].config == {"LOG_LEVEL": "info"}


def test_terraform_that_is_there_is_kept(tree: Any) -> None:
    spec = drafted(tree({"infra/main.tf": "", "a.py": "import asyncpg\n"}))[0]

    assert spec.infrastructure == "existing"
    assert spec.databases[0].cidrs == ("10.0.0.0/8",)


DRIVER = {"web/__init__.py": "import psycopg\nimport redis\n"}
PROJECT = "[project]\nname = 'web'\ndependencies = ['asgiref>=3']\n"


@pytest.mark.parametrize(
    ("files", "secrets"),
    [
        pytest.param(DRIVER, ["DATABASE_URL", "REDIS_URL"], id="nothing says what is needed"),
        pytest.param(
            {**DRIVER, "pyproject.toml": PROJECT}, [], id="a framework, which imports what is there"
        ),
        pytest.param(
            {**DRIVER, "pyproject.toml": PROJECT.replace("asgiref", "Psycopg[binary]")},
            ["DATABASE_URL"],
            id="one of the two is required",
        ),
        pytest.param(
            {**DRIVER, "requirements.txt": "-r base.txt\npsycopg2-binary==2.9 # x\nredis\n"},
            ["DATABASE_URL", "REDIS_URL"],
            id="by a file of requirements",
        ),
        pytest.param(
            {**DRIVER, "pyproject.toml": PROJECT, "uv.lock": '[[package]]\nname = "redis"\n'},
            ["REDIS_URL"],
            id="by what is required",
        ),
    ],
)
def test_a_database_is_asked_for_only_where_the_service_cannot_do_without(
    tree: Any, files: dict[str, str], secrets: list[str]
) -> None:
    spec = drafted(tree(files))[0]

    assert [secret.name for secret in spec.secrets] == secrets
    assert bool(spec.databases) == ("DATABASE_URL" in secrets)
    assert bool(spec.caches) == ("REDIS_URL" in secrets)


def test_a_remote_at_github_is_the_pipelines_repository(tree: Any) -> None:
    root = tree({"a.py": ""}, git=True)
    with (root / ".git" / "config").open("a", encoding="utf-8") as config:
        config.write('[remote "origin"]\n\turl = https://u:word@github.com/example/answers.git\n')

    text = draft(root)

    assert 'repository: "example/answers"' in text
    assert "word" not in text


@settings(max_examples=40)
@example(name="FALSE", version="", value="", variable="A", words="")
@example(name="9", version="latest", value="&x", variable="null", words="*y")
@given(
    name=st.text(max_size=60),
    version=st.text(max_size=20),
    value=st.text(max_size=40),
    variable=st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True),
    words=st.text(max_size=20),
)
def test_a_draft_can_always_be_loaded(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    version: str,
    value: str,
    variable: str,
    words: str,
) -> None:
    root = tmp_path_factory.mktemp("draft")
    for file, text in {
        "pyproject.toml": f'[project]\nname = """{name}"""\nversion = """{version}"""\n',
        ".env.example": f"{variable}={value}\n{variable}_KEY='{value}\n",
        "CODEOWNERS": f"* {words}\n",
        "Dockerfile": f'EXPOSE {words} 8080\nCMD ["{words}"]\n',
        "main.py": f"import {words}\nX = '/{words}/health'\n",
    }.items():
        (root / file).write_bytes(text.encode("utf-8", "surrogatepass"))

    assert drafted(root)[0].environment == "dev"
