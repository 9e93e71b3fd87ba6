"""The Dockerfile is locked, small in rights and literal; the compose file asks for no more."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.deploy import escape, render
from sdlc_cli.deploy.model import Artifact, Build, Database, DeploySpec, Health, Image, Port
from sdlc_cli.deploy.words import HIDDEN

Make = Callable[..., DeploySpec]
DIGEST = "sha256:" + "0" * 64
HOSTILE = (
    "x\\",
    "a \"quoted\" 'word'",
    "${PATH} $HOME $$ $(id) `id`",
    "# no comment",
    "key: value",
    "{{ 7 * 7 }} {% raw %} ${{ github.token }}",
    "<<EOF",
    "&anchor *alias !!python/object",
    "../../etc/passwd",
    "🙂 \u2028 é",
    "y" * 300,
)


def made(*specs: DeploySpec) -> dict[str, Artifact]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "SETS", ("docker",))
        return {one.path: one for one in render.render(specs)}


def instructions(text: str) -> list[tuple[str, str]]:
    """Instruction and arguments, continued lines joined, as the Dockerfile reference has it."""
    lines = [line for line in text.split("\n") if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").split("\n")
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined if line)]


def arguments(text: str, word: str) -> list[str]:
    return [rest.strip() for found, rest in instructions(text) if found == word]


def labels(text: str) -> dict[str, str]:
    """Labels with their values as BuildKit would store them."""
    found = {}
    word = r'"(?:[^"\\]|\\.)*"|\\\\'
    for key, written in re.findall(rf"([a-z.]+)=((?:{word})+)(?: |$)", arguments(text, "LABEL")[0]):
        found[key.removeprefix("org.opencontainers.image.")] = unquoted(written)
    return found


def unquoted(written: str) -> str:
    """What BuildKit makes of quoted words; none of them may expand."""
    plain = re.sub(r"\\(.)|\"", lambda part: part[1] or "", written)
    marked = re.sub(r"\\.", "", written)
    assert "$" not in marked or plain == "$REVISION"
    return plain


def test_both_stages_start_from_the_base_by_digest(spec: Make) -> None:
    base = Image(repository="python", tag="3.12-slim", digest=DIGEST)

    text = made(spec(build=Build(base=base)))["Dockerfile"].text

    reference = f"python:3.12-slim@{DIGEST}"
    assert arguments(text, "FROM") == [f"{reference} AS build", reference]
    assert labels(text)["base.digest"] == DIGEST
    assert "no digest" not in text


def test_a_base_without_a_digest_says_so(spec: Make) -> None:
    text = made(spec())["Dockerfile"].text

    assert arguments(text, "FROM") == ["python:3.12-slim AS build", "python:3.12-slim"]
    assert "# The base has no digest yet: build.base.digest" in text


@pytest.mark.parametrize(
    ("lock", "copied", "command"),
    [
        pytest.param("uv.lock", ["pyproject.toml", "uv.lock"], "uv sync --locked", id="uv"),
        pytest.param(
            "api/poetry.lock",
            ["api/pyproject.toml", "api/poetry.lock"],
            "poetry sync --only main",
            id="poetry",
        ),
        pytest.param(
            "requirements.lock", ["requirements.lock"], "--no-deps -r requirements.lock", id="pip"
        ),
        pytest.param(
            "deps/requirements.txt",
            ["deps/requirements.txt"],
            "--no-deps -r requirements.txt",
            id="text",
        ),
        pytest.param("pylock.toml", ["pylock.toml"], "uv pip sync", id="standard"),
    ],
)
def test_only_what_is_locked_is_installed(
    spec: Make, lock: str, copied: list[str], command: str
) -> None:
    rendered = made(spec(build=Build(lock=lock)))

    text = rendered["Dockerfile"].text
    assert json.loads(arguments(text, "COPY")[0]) == [*copied, "./"]
    assert any(command in run for run in arguments(text, "RUN"))
    kept = [line[1:] for line in rendered[".dockerignore"].text.splitlines() if line[0] == "!"]
    assert kept == sorted([*copied, "src"])


@pytest.mark.parametrize("lock", ["Pipfile.lock", "pdm.lock", "environment.yml", "Cargo.toml"])
def test_a_lock_of_another_tool_is_refused(spec: Make, lock: str) -> None:
    with pytest.raises(ConfigError, match=f"build.lock: {lock} is no lock file"):
        made(spec(build=Build(lock=lock)))


@pytest.mark.parametrize("path", ["a b", "x$HOME", "a*", "[a]", 'q"', "b\\c", "é", "`id`", "#x"])
def test_a_path_that_copy_would_expand_is_refused_by_its_key(spec: Make, path: str) -> None:
    with pytest.raises(ConfigError, match=r"build\.source\[1\]: .* character"):
        made(spec(build=Build(source=("src", path))))


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", "-x"])
def test_a_path_outside_the_repository_is_refused_by_its_key(spec: Make, path: str) -> None:
    with pytest.raises(ConfigError, match=r"build\.source\[0\]: .* does not lie"):
        made(spec(build=Build(source=(path,))))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(("src",), "/app/src:/app", id="src layout"),
        pytest.param(("api/src", "lib"), "/app/api/src:/app", id="src below"),
        pytest.param(("answers", "main.py"), "/app", id="package and file"),
        pytest.param(("src/answers", "src/lib"), "/app/src:/app", id="packages of a src layout"),
        pytest.param(("srcs", "my/src.d"), "/app", id="called nearly so"),
    ],
)
def test_modules_are_found_where_the_source_lies(
    spec: Make, source: tuple[str, ...], expected: str
) -> None:
    text = made(spec(build=Build(source=source)))["Dockerfile"].text

    assert f'PYTHONPATH="{expected}"' in text
    assert [json.loads(one) for one in arguments(text, "COPY")[1 : 1 + len(source)]] == [
        [one, f"/app/{one}"] for one in source
    ]


def test_the_whole_repository_may_be_the_source(spec: Make) -> None:
    rendered = made(spec(build=Build(source=("./",))))

    assert '["."' in rendered["Dockerfile"].text
    assert "*" not in rendered[".dockerignore"].text.splitlines()
    assert "**/.git" in rendered[".dockerignore"].text


def test_the_process_has_a_number_and_starts_without_a_shell(spec: Make) -> None:
    text = made(spec(build=Build(command=("gunicorn", "app:api"))))["Dockerfile"].text

    assert arguments(text, "USER") == ["10001:10001"]
    assert json.loads(arguments(text, "CMD")[0]) == ["gunicorn", "app:api"]
    assert arguments(text, "ADD") == arguments(text, "VOLUME") == arguments(text, "SHELL") == []


def test_without_a_command_the_module_called_like_the_service_is_run(spec: Make) -> None:
    text = made(spec(app="big-answers"))["Dockerfile"].text

    assert json.loads(arguments(text, "CMD")[0]) == ["python", "-m", "big_answers"]


def test_every_port_is_exposed(awkward: DeploySpec) -> None:
    assert arguments(made(awkward)["Dockerfile"].text, "EXPOSE") == ["9000", "9001"]


def test_the_health_check_asks_the_port_and_path_of_health(spec: Make) -> None:
    health = Health(port="admin", live="/live?a=b c", start_seconds=90)

    text = made(spec(ports=(Port(name="admin", port=9001),), health=health))["Dockerfile"].text

    check = arguments(text, "HEALTHCHECK")[0]
    options, _, words = check.partition("CMD ")
    assert "--start-period=90s" in options
    assert json.loads(words)[-2:] == ["9001", "/live?a=b%20c"]


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (204, True), (404, False)])
def test_the_health_check_judges_the_answer(
    spec: Make, status: int, healthy: bool, http_status: Callable[[int], int]
) -> None:
    port = http_status(status)
    text = made(spec(ports=(Port(name="http", port=port),)))["Dockerfile"].text
    words = json.loads(arguments(text, "HEALTHCHECK")[0].partition("CMD ")[2])
    assert words[0] == "python"

    done = subprocess.run(
        [sys.executable, *words[1:]], env={"http_proxy": "http://127.0.0.1:1"}, check=False
    )

    assert (done.returncode == 0) is healthy


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_words_stay_words(spec: Make, value: str) -> None:
    command = ("run", value)
    text = made(spec(owner=value, build=Build(command=command), config={"X": value}))

    assert json.loads(arguments(text["Dockerfile"].text, "CMD")[0]) == list(command)
    if "\u2028" not in value:
        assert labels(text["Dockerfile"].text)["vendor"] == value
    words = [word for word, _rest in instructions(text["Dockerfile"].text)]
    assert words == [word for word, _rest in instructions(made(spec())["Dockerfile"].text)]
    assert compose(text)["services"]["answers"]["environment"]["X"] == value


def compose(rendered: dict[str, Artifact]) -> Any:
    """The compose file as compose reads it: YAML, and `$$` is `$`."""

    def plain(value: object) -> object:
        if isinstance(value, dict):
            return {key: plain(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [plain(entry) for entry in value]
        if isinstance(value, str):
            assert not re.search(r"(?<!\$)(?:\$\$)*\$(?!\$)", value), "expands"
            return value.replace("$$", "$")
        return value

    return plain(yaml.safe_load(rendered["compose.yaml"].text))


@given(text=st.text(max_size=40).filter(lambda text: not HIDDEN.search(text)))
def test_any_text_is_read_back_from_a_label_and_a_compose_file(text: str) -> None:
    assert unquoted(escape.docker(text)) == text
    read = yaml.safe_load(escape.compose(text))
    assert read.replace("$$", "$") == text
    assert not re.search(r"(?<!\$)(?:\$\$)*\$(?!\$)", read)


def test_another_language_has_no_dockerfile_of_ours(spec: Make) -> None:
    rendered = made(spec(build=Build(language="other")))

    assert set(rendered) == {"compose.yaml", ".secrets/.gitignore"}
    service = compose(rendered)["services"]["answers"]
    assert "build" not in service
    assert service["image"] == f"registry.example.com/answers:1.4.2@{DIGEST}"


def test_the_compose_file_is_that_of_the_first_environment_nobody_depends_on(
    specs: tuple[DeploySpec, ...],
) -> None:
    everything = compose(made(*reversed(specs)))

    assert everything["services"]["answers"]["environment"]["LOG_LEVEL"] == "info"


def test_every_local_service_has_as_few_rights_as_it_can(specs: Sequence[DeploySpec]) -> None:
    services = compose(made(*specs))["services"]

    assert set(services) == {"answers", "database-main", "cache-responses"}
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["user"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_the_compose_file_holds_no_password(specs: Sequence[DeploySpec]) -> None:
    rendered = made(*specs)
    whole = compose(rendered)
    service = whole["services"]["answers"]

    assert service["environment"]["DATABASE_URL_FILE"] == "/var/run/secrets/answers/DATABASE_URL"
    assert "DATABASE_URL" not in service["environment"]
    assert {one["source"] for one in service["secrets"]} <= set(whole["secrets"])
    assert all(one["file"].startswith("./.secrets/") for one in whole["secrets"].values())
    assert rendered[".secrets/.gitignore"].text.endswith("*\n!.gitignore\n")


@pytest.mark.parametrize(
    ("version", "folder"),
    [
        ("16", "/var/lib/postgresql/data"),
        ("17.4", "/var/lib/postgresql/data"),
        ("18", "/var/lib/postgresql"),
    ],
)
def test_the_database_keeps_its_data_where_its_version_does(
    spec: Make, version: str, folder: str
) -> None:
    database = Database(name="main", version=version, port=5433)

    services = compose(made(spec(databases=(database,))))["services"]

    assert services["database-main"]["volumes"] == [f"database-main:{folder}"]
    assert services["database-main"]["environment"]["PGPORT"] == "5433"


def test_a_service_alone_has_no_backends(awkward: DeploySpec) -> None:
    whole = compose(made(replace(awkward, secrets=())))

    assert set(whole) == {"name", "services"}


@pytest.mark.parametrize("path", ["Dockerfile", ".dockerignore", "compose.yaml"])
def test_files_are_as_people_reviewed_them(
    golden: Callable[[str, str], None], specs: Sequence[DeploySpec], path: str
) -> None:
    golden(f"deploy/{path.lstrip('.')}", made(*specs)[path].text)


def test_hadolint_finds_nothing(spec: Make, tmp_path: Path, checker: Callable[[str], str]) -> None:
    hadolint = checker("hadolint")
    for lock in ("uv.lock", "poetry.lock", "requirements.lock", "pylock.toml"):
        for number, value in enumerate(["plain", *HOSTILE]):
            build = Build(lock=lock, command=("run", value))
            text = made(spec(owner=value, build=build))["Dockerfile"].text
            (tmp_path / f"{lock}.{number}").write_text(text, encoding="utf-8")
    broken = tmp_path / "broken"
    broken.write_text("FROM python:latest\nCMD run\n", encoding="utf-8")
    rendered = [str(path) for path in sorted(tmp_path.iterdir()) if path != broken]

    done = subprocess.run([hadolint, *rendered], capture_output=True, text=True, check=False)
    looked = subprocess.run([hadolint, str(broken)], capture_output=True, check=False)

    assert len(rendered) == 4 * (1 + len(HOSTILE))
    assert (done.returncode, done.stdout) == (0, "")
    assert looked.returncode == 1
