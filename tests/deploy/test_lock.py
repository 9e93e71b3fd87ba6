"""render.lock.json: whose file is whose, and what becomes of each."""

import json
from collections.abc import Callable, Mapping

import pytest

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.deploy import lock as locks
from sdlc_cli.deploy.folder import Found, digest, is_ours
from sdlc_cli.deploy.lock import Lock
from sdlc_cli.deploy.model import Artifact

OLD, NEW, HAND = "old\n", "new\n", "by hand\n"


def artifact(path: str, text: str = NEW, *, executable: bool = False) -> Artifact:
    environment = path.split("/")[1] if path.startswith("k8s/") else ""
    return Artifact(
        path=path,
        text=text,
        kind="kubernetes" if environment else "docker",
        environment=environment,
        executable=executable,
    )


def on_disk(files: Mapping[str, str]) -> Callable[[str], Found | None]:
    def find(path: str) -> Found | None:
        text = files.get(path)
        return None if text is None else Found(kind="file", sha256=digest(text.encode()))

    return find


def written(*artifacts: Artifact, known: tuple[str, ...] = ("dev", "prod")) -> Lock:
    """The lock after a render of these."""
    return locks.plan(Lock(), artifacts, on_disk({}), chosen=known, known=known).lock


@pytest.mark.parametrize(
    ("lies_there", "was_ours", "state"),
    [
        pytest.param(None, False, "new", id="nothing there"),
        pytest.param(None, True, "new", id="deleted by hand"),
        pytest.param(NEW, False, "unchanged", id="the same, whoever wrote it"),
        pytest.param(NEW, True, "unchanged", id="as wanted"),
        pytest.param(OLD, True, "changed", id="as the last render left it"),
        pytest.param(HAND, True, "edited", id="changed by hand"),
        pytest.param(HAND, False, "foreign", id="never ours"),
    ],
)
def test_a_wanted_file_is(lies_there: str | None, was_ours: bool, state: str) -> None:
    before = written(artifact("Dockerfile", OLD)) if was_ours else Lock()
    disk = {"Dockerfile": lies_there} if lies_there is not None else {}

    plan = locks.plan(
        before, [artifact("Dockerfile")], on_disk(disk), chosen=("dev",), known=("dev",)
    )

    assert [(step.path, step.state) for step in plan.steps] == [("Dockerfile", state)]
    assert plan.lock.sha256("Dockerfile") == digest(NEW.encode())


@pytest.mark.parametrize(
    ("found", "state"),
    [
        pytest.param(Found(kind="link", sha256=digest(NEW.encode())), "foreign", id="a link"),
        pytest.param(Found(kind="other"), "foreign", id="a folder"),
        pytest.param(Found(kind="file"), "foreign", id="too large to be ours"),
    ],
)
def test_what_is_no_file_of_ours_is_never_taken_for_one(found: Found, state: str) -> None:
    plan = locks.plan(
        Lock(), [artifact("Dockerfile")], lambda _path: found, chosen=("dev",), known=("dev",)
    )

    assert [step.state for step in plan.steps] == [state]


def test_a_script_that_lost_its_execute_bit_is_written_anew() -> None:
    script = artifact("scripts/deploy.sh", executable=True)

    plan = locks.plan(
        written(script), [script], on_disk({script.path: NEW}), chosen=("dev",), known=("dev",)
    )

    assert plan.paths("changed") == ("scripts/deploy.sh",)


@pytest.mark.parametrize(
    ("chosen", "known", "lies_there", "state"),
    [
        pytest.param(("dev",), ("dev", "prod"), OLD, None, id="another environment is left alone"),
        pytest.param(("prod",), ("dev", "prod"), OLD, "stale", id="no longer wanted there"),
        pytest.param(("dev",), ("dev",), OLD, "stale", id="its environment is gone"),
        pytest.param(("dev",), ("dev",), HAND, "left", id="gone, but changed by hand"),
        pytest.param(("dev",), ("dev",), None, None, id="gone, and deleted already"),
    ],
)
def test_an_unwanted_file_of_an_environment_is(
    chosen: tuple[str, ...], known: tuple[str, ...], lies_there: str | None, state: str | None
) -> None:
    path = "k8s/prod/service.yaml"
    before = written(artifact(path, OLD))
    disk = {path: lies_there} if lies_there is not None else {}

    plan = locks.plan(before, [], on_disk(disk), chosen=chosen, known=known)

    assert [step.state for step in plan.steps] == ([state] if state else [])
    assert (plan.lock.environment(path) == "prod") == ("prod" in known and "prod" not in chosen)


def test_a_lock_reads_back_as_what_it_was_and_is_the_same_each_time() -> None:
    files = [artifact("k8s/prod/b.yaml"), artifact("k8s/dev/a.yaml"), artifact("Dockerfile")]
    lock = locks.plan(
        Lock(), files, on_disk({}), chosen=("dev", "prod"), known=("prod", "dev"), image="x@y"
    ).lock

    text = locks.dump(lock)

    assert locks.load(text.encode()) == lock
    assert text == locks.dump(written(*reversed(files))).replace('"image": ""', '"image": "x@y"')
    assert lock.environments == ("dev", "prod")
    assert list(json.loads(text)["environments"]) == ["dev", "prod"]


BODY = {"schema_version": 1, "version": "1", "image": "", "shared": {}, "environments": {}}
SHA = "0" * 64


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<<<<<<< HEAD\n", id="a merge conflict"),
        pytest.param("[" * 100_000, id="too deep"),
        pytest.param("[]", id="a list"),
        pytest.param("{}", id="nothing in it"),
        pytest.param(json.dumps(BODY | {"schema_version": 2}), id="a newer one"),
        pytest.param(json.dumps(BODY | {"shared": []}), id="files that are a list"),
        pytest.param(json.dumps(BODY | {"environments": {"dev": 1}}), id="an environment of 1"),
        pytest.param(json.dumps(BODY | {"environments": {"": {}}}), id="an empty name"),
        pytest.param(json.dumps(BODY | {"image": 1}), id="an image of 1"),
        pytest.param(json.dumps(BODY | {"shared": {"Dockerfile": "0"}}), id="a short digest"),
        pytest.param(json.dumps(BODY | {"shared": {"k8s/../x": SHA}}), id="a way out"),
        pytest.param(json.dumps(BODY | {"shared": {"/etc/passwd": SHA}}), id="an absolute path"),
        pytest.param(json.dumps(BODY | {"shared": {"src/main.py": SHA}}), id="a file of the user"),
        pytest.param(json.dumps(BODY | {"shared": {"k8s/\0": SHA}}), id="a NUL"),
        pytest.param(json.dumps(BODY | {"shared": {"k8s/\ud800": SHA}}), id="half a letter"),
    ],
)
def test_a_lock_that_no_render_wrote_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        locks.load(text.encode())

    assert "render.lock.json" in caught.value.message
    assert "--force" in caught.value.hint


def test_no_lock_is_an_empty_lock() -> None:
    assert locks.load(None) == Lock()


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("Dockerfile", True),
        ("k8s/prod/service.yaml", True),
        (".github/workflows/deploy.yml", True),
        ("k8s", False),
        ("k8s/", False),
        ("k8s//a", False),
        ("k8s/./a", False),
        ("k8s/../../a", False),
        ("/k8s/a", False),
        ("Dockerfile/a", False),
        (".github/dependabot.yml", False),
        ("k8s/a\\..\\b", False),
        ("k8s/a\nb", False),
        ("", False),
    ],
)
def test_a_render_knows_where_its_files_may_lie(path: str, ours: bool) -> None:
    assert is_ours(path) is ours


def test_an_artifact_elsewhere_is_a_bug() -> None:
    with pytest.raises(ValueError, match=r"src/main\.py"):
        locks.plan(Lock(), [artifact("src/main.py")], on_disk({}), chosen=("dev",), known=("dev",))
