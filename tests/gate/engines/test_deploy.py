"""The gate deploy: `sdlc deploy validate` as a child process, its findings as the gate's own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.finding import Severity
from sdlc_cli.gate import config
from sdlc_cli.gate.config import Deploy
from sdlc_cli.gate.engines import command
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.run import Selection, run
from sdlc_cli.gate.source import Project

Tree = Callable[..., Path]
POD = """
apiVersion: v1
kind: Pod
metadata: {name: debug, namespace: shop}
spec:
  hostPID: true
  containers: [{name: debug, image: "busybox:1.37", securityContext: {privileged: true}}]
"""
GOOD = """
FROM scratch
USER 10001
HEALTHCHECK CMD ["/app", "health"]
ENTRYPOINT ["/app"]
"""


def judge(root: Path, **options: object) -> Measurement:
    files = tuple(p.relative_to(root).as_posix() for p in sorted(root.rglob("*")) if p.is_file())
    gate = Deploy(**options)  # type: ignore[arg-type]
    return command.check(Project(root=root, base=root, files=files), "deploy", gate)


@pytest.mark.parametrize("git", [True, False])
@pytest.mark.parametrize("path", [".", "k8s"])
def test_findings_have_paths_of_the_repository(tree: Tree, path: str, git: bool) -> None:
    root = tree({"k8s/pod.yaml": POD, "app.py": "x = 1\n"}, git=git)

    result = judge(root, path=path)

    by_rule = {finding.rule: finding for finding in result.findings}
    assert by_rule["k8s-privileged"].severity is Severity.CRITICAL
    assert by_rule["k8s-host-namespace"].severity is Severity.HIGH
    assert by_rule["k8s-image-digest"].severity is Severity.LOW
    places = {(one.location.path, one.location.line > 0) for one in result.findings}
    assert places == {("k8s/pod.yaml", True)}
    assert result.score is not None
    assert result.score < 50


def test_files_that_keep_the_rules_have_all_points(tree: Tree) -> None:
    result = judge(tree({"Dockerfile": GOOD}))

    assert (result.score, result.findings) == (100, ())


def test_a_folder_that_is_called_like_an_option_is_a_folder(tree: Tree) -> None:
    assert judge(tree({"--help/Dockerfile": GOOD}), path="--help").score == 100


def test_nothing_to_look_at_is_an_error(tree: Tree) -> None:
    with pytest.raises(WorkError, match="no deployment file"):
        judge(tree({"app.py": "x = 1\n"}))


def test_files_of_two_renders_are_not_judged(tree: Tree) -> None:
    root = tree({"out/Dockerfile": GOOD, "out/.sdlc-render/journal.json": "{}"})

    with pytest.raises(WorkError, match="files of two renders lie there"):
        judge(root)


@pytest.mark.parametrize(
    ("fail_on", "passed"), [("low", False), ("medium", True), ("critical", True)]
)
def test_the_gate_fails_from_the_severity_on_that_gates_yaml_names(
    tree: Tree, fail_on: str, passed: bool
) -> None:
    root = tree({
        "Dockerfile": GOOD.replace("HEALTHCHECK", "LABEL"),
        "app.py": "x = 1\n",
        "gates.yaml": f"version: 1\ngates:\n  deploy: {{fail_on: {fail_on}}}\n",
    })  # fmt: skip
    loaded = config.load(root / "gates.yaml", root, {})

    report = run(root, loaded, Selection(only=("deploy",), cache=False), root=root)

    (gate,) = report.results
    assert (gate.status == "passed") is passed
    assert [finding.rule for finding in gate.findings] == ["docker-no-healthcheck"]
