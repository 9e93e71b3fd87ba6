"""What the examples render, held against the checkers that others wrote: nothing is found.

Each checker runs once, over both examples in all their environments and beside them over files
that were broken on purpose: it must have looked at the first, and must find the second.
"""

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.deploy import rendering
from sdlc_cli.deploy.model import DeploySpec

pytestmark = [pytest.mark.dev, pytest.mark.slow]

EXAMPLES = Path(__file__).parents[2] / "examples" / "deploy"
SOUND, BROKEN = "sound", "broken"
Checker = Callable[[str], str]
Change = Callable[[str], str]
# Objects of other makers: kubernetes-validate has no schema of them and says so.
CUSTOM = {
    "ExternalSecret", "PrometheusRule", "ServiceMonitor", "CiliumNetworkPolicy",
    "ApplicationNetworkPolicy",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """`root` holds `sound/<app>/…` as it was rendered, and `broken/…`."""

    root: Path
    specs: Mapping[str, tuple[DeploySpec, ...]]

    @property
    def sound(self) -> Path:
        return self.root / SOUND

    @property
    def broken(self) -> Path:
        return self.root / BROKEN


def swapped(old: str, new: str) -> Change:
    """A change that fails where there is nothing to change."""

    def change(text: str) -> str:
        assert old in text, f"nothing to break: {old}"
        return text.replace(old, new, 1)

    return change


# One mistake for each checker, in files of the first example.
BREAKS: Mapping[str, Change] = {
    "k8s/dev/service.yaml": swapped("  type: ClusterIP", "  tipe: ClusterIP"),
    "k8s/dev/deployment.yaml": swapped(
        "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"
    ),
    "k8s/dev/configmap.yaml": swapped(
        "data:\n", f'data:\n  KEY: "AKIA{"Z7VRSQ5TJN2XMPL3"}"\n'
    ),
    "Dockerfile": lambda text: f"{text}USER root\nRUN apt-get install curl\n",
    ".github/workflows/ci.yml": lambda text: re.sub(
        r"actions/checkout@\S+ # \S+", "actions/checkout@v4",
        swapped("permissions: {}", "permissions: write-all")(text),
        count=1,
    ),
    ".github/workflows/deploy.yml": swapped("runs-on: ubuntu-24.04", "runs-on: ubuntu-0.1"),
    "terraform/aws/database.tf": lambda text: swapped(
        "storage_encrypted     = true", "storage_encrypted     = false"
    )(text) + "locals {\n  a = 1\n  long = 2\n}\n",
    "monitoring/rules/alerts-dev.yml": swapped('expr: "', 'expr: "rate('),
}  # fmt: skip


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    root = tmp_path_factory.mktemp("rendered")
    specs = {}
    for file in sorted(EXAMPLES.rglob("deploy.yaml")):
        made = rendering.rendering(rendering.load(file, allow_placeholder=True), ())
        app = made.specs[0].app
        made.write(root / SOUND / app)
        specs[app] = made.specs
    first = root / SOUND / "assistant"
    for path, change in BREAKS.items():
        (root / BROKEN / path).parent.mkdir(parents=True, exist_ok=True)
        (root / BROKEN / path).write_text(change((first / path).read_text()))
    return Rendered(root=root, specs=specs)


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, words)), cwd=cwd, capture_output=True, text=True, check=False
    )


def in_broken(paths: Iterable[str]) -> list[bool]:
    return [BROKEN in Path(path).parts for path in paths]


def test_both_examples_have_all_their_environments(rendered: Rendered) -> None:
    assert {app: len(specs) for app, specs in rendered.specs.items()} == {
        "assistant": 4, "speech-to-text": 2
    }  # fmt: skip
    for app, specs in rendered.specs.items():
        for spec in specs:
            assert (rendered.sound / app / "k8s" / spec.environment / "deployment.yaml").exists()


def test_no_file_asks_a_checker_to_look_away(rendered: Rendered) -> None:
    asks = re.compile(
        r"checkov:skip|trivy:ignore|tfsec:ignore|hadolint ignore|zizmor: ?ignore|noqa|nosec"
        r"|kube-linter|nosemgrep|yamllint disable|shellcheck disable|tflint-ignore",
        re.IGNORECASE,
    )
    files = [path for path in rendered.sound.rglob("*") if path.is_file()]

    assert len(files) > 150
    assert [str(path) for path in files if asks.search(path.read_text(encoding="utf-8"))] == []


def test_kubernetes_validate(rendered: Rendered, checker: Checker) -> None:
    program = checker("kubernetes-validate")
    passed: Counter[str] = Counter()
    for specs in rendered.specs.values():
        for version in {spec.cluster.kubernetes for spec in specs}:
            files = manifests(rendered, [s for s in specs if s.cluster.kubernetes == version])
            done = run(program, "--strict", "-k", version, *files, cwd=rendered.root)
            assert done.returncode == 0, done.stdout + done.stderr
            told = done.stdout + done.stderr
            passed.update(re.findall(r"passed for resource (\w+)/", told))
            assert set(re.findall(r"schema for kind (\w+)", told)) <= CUSTOM
            assert {"ERROR", "FAIL"} & set(told.split()) == set()
    broken = run(program, "--strict", "-k", "1.34", *rendered.broken.glob("k8s/dev/*.yaml"),
                 cwd=rendered.root)  # fmt: skip

    assert passed["deployment"] == 6
    assert sum(passed.values()) >= 70
    assert broken.returncode != 0
    assert "tipe" in broken.stdout + broken.stderr


def manifests(rendered: Rendered, specs: Iterable[DeploySpec]) -> list[Path]:
    folders = [rendered.sound / spec.app / "k8s" / spec.environment for spec in specs]
    found = [path for folder in folders for path in sorted(folder.glob("*.yaml"))]
    return [path for path in found if path.name != "kustomization.yaml"]


def test_kustomize_builds_every_environment_and_region(
    rendered: Rendered, checker: Checker
) -> None:
    program = checker("kubectl")
    folders = [path.parent for path in rendered.sound.rglob("kustomization.yaml")]

    built = {folder: run(program, "kustomize", folder, cwd=rendered.root) for folder in folders}

    assert len(folders) >= 6 + 2
    for folder, done in built.items():
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("\nkind: ") >= 10, folder


def test_checkov(rendered: Rendered, checker: Checker) -> None:
    done = run(
        checker("checkov"), "--directory", ".", "--skip-download", "--compact", "--output", "json",
        "--framework", "kubernetes", "dockerfile", "terraform", "github_actions", "secrets",
        cwd=rendered.root,
    )  # fmt: skip
    reports: Any = json.loads(done.stdout)
    by_kind = {report["check_type"]: report for report in reports}
    found = {
        kind: [(check["file_path"], check["check_id"]) for check in one["results"]["failed_checks"]]
        for kind, one in by_kind.items()
    }
    passed: Counter[str] = Counter()
    workflows: Counter[str] = Counter()
    for kind, one in by_kind.items():
        checks = [c for c in one["results"]["passed_checks"] if BROKEN not in c["file_path"]]
        passed[kind] += len(checks)
        if kind == "github_actions":
            workflows.update(check["file_path"] for check in checks)

    wrong = [pair for pairs in found.values() for pair in pairs if BROKEN not in pair[0]]
    assert wrong == []
    assert {kind for kind, pairs in found.items() if pairs} == {
        "kubernetes", "dockerfile", "terraform", "github_actions", "secrets"
    }  # fmt: skip
    assert passed["kubernetes"] >= 500
    assert passed["dockerfile"] >= 60
    assert passed["terraform"] >= 150
    assert len(workflows) == 4, "a workflow that checkov does not look at passes every check"
    assert min(workflows.values()) >= 20
    for one in by_kind.values():
        assert (one["summary"]["skipped"], one["summary"]["parsing_errors"]) == (0, 0)


def test_trivy(rendered: Rendered, checker: Checker) -> None:
    done = run(
        checker("trivy"), "config", "--quiet", "--skip-check-update", "--include-non-failures",
        "--format", "json", ".", cwd=rendered.root,
    )  # fmt: skip
    passed: Counter[str] = Counter()
    found: Counter[bool] = Counter()
    wrong = []
    for one in json.loads(done.stdout)["Results"]:
        broken = BROKEN in Path(one["Target"]).parts
        if not broken:
            passed[one["Type"]] += one["MisconfSummary"]["Successes"]
        for finding in one.get("Misconfigurations", ()):
            if finding["Status"] == "FAIL":
                found[broken] += 1
                wrong += [] if broken else [(one["Target"], finding["ID"], finding["Message"])]

    assert wrong == []
    assert found[True] >= 3
    assert passed["kubernetes"] >= 5_000
    assert passed["helm"] >= 1_000
    assert passed["terraform"] >= 50
    assert passed["dockerfile"] >= 20


def test_hadolint(rendered: Rendered, checker: Checker) -> None:
    files = sorted(rendered.root.rglob("Dockerfile"))

    done = run(checker("hadolint"), "--format", "json", *files, cwd=rendered.root)

    found = json.loads(done.stdout)
    assert in_broken(map(str, files)) == [True, False]
    assert set(in_broken(one["file"] for one in found)) == {True}, found
    assert {"DL3002", "DL3008"} <= {one["code"] for one in found}


def workflows(rendered: Rendered) -> list[Path]:
    return sorted(rendered.root.rglob(".github/workflows/*.yml"))


def test_zizmor(rendered: Rendered, checker: Checker) -> None:
    files = workflows(rendered)

    done = run(
        checker("zizmor"), "--offline", "--format", "json", "--persona", "pedantic", *files,
        cwd=rendered.root,
    )  # fmt: skip

    assert done.stderr.count("completed") == len(files) == 6
    found = [
        (place["symbolic"]["key"]["Local"]["verbatim_path"], one["ident"])
        for one in json.loads(done.stdout)
        for place in one["locations"]
    ]
    assert set(in_broken(path for path, _rule in found)) == {True}, found
    assert {"unpinned-uses", "excessive-permissions"} <= {rule for _path, rule in found}


def test_actionlint(rendered: Rendered, checker: Checker) -> None:
    done = run(
        checker("actionlint"), "-format", "{{json .}}", *workflows(rendered), cwd=rendered.root
    )

    found = json.loads(done.stdout)
    assert set(in_broken(one["filepath"] for one in found)) == {True}, found
    assert any("ubuntu-0.1" in one["message"] for one in found)


def test_promtool(rendered: Rendered, checker: Checker, tmp_path: Path) -> None:
    program = checker("promtool")
    rules = sorted(rendered.sound.rglob("monitoring/rules/*.yml"))
    tests = sorted(rendered.sound.rglob("monitoring/tests/*.yml"))
    mistaken = tmp_path / "mistaken"
    shutil.copytree(rendered.sound / "assistant" / "monitoring", mistaken)
    alerts = mistaken / "rules" / "alerts-dev.yml"
    alerts.write_text(swapped("} > 0.05", "} > 0.5")(alerts.read_text()))

    checked = run(program, "check", "rules", *rules, cwd=rendered.root)
    tested = run(program, "test", "rules", *tests, cwd=rendered.root)
    broken = run(program, "check", "rules", *rendered.broken.rglob("alerts-*.yml"), cwd=tmp_path)
    failed = run(program, "test", "rules", "tests/dev.yml", cwd=mistaken)

    assert (checked.returncode, tested.returncode) == (0, 0), checked.stderr + tested.stderr
    assert sum(map(int, re.findall(r"SUCCESS: (\d+) rules found", checked.stdout))) >= 100
    assert tested.stdout.count("SUCCESS") == len(tests) == 6
    assert (broken.returncode, failed.returncode) == (1, 1)


def test_helm(rendered: Rendered, checker: Checker, tmp_path: Path) -> None:
    program = checker("helm")
    for app, specs in rendered.specs.items():
        chart = rendered.sound / app / "helm" / app
        for spec in specs:
            values = chart / f"values-{spec.environment}.yaml"
            linted = run(program, "lint", "--strict", chart, "--values", values, cwd=tmp_path)
            made = run(program, "template", app, chart, "--values", values, cwd=tmp_path)
            assert linted.returncode == 0, linted.stdout + linted.stderr
            assert "1 chart(s) linted, 0 chart(s) failed" in linted.stdout + linted.stderr
            assert made.stdout.count("\nkind: ") >= 10, made.stderr
    chart = tmp_path / "chart"
    shutil.copytree(rendered.sound / "assistant" / "helm" / "assistant", chart)
    wrong = run(program, "lint", "--strict", chart, "--set", "replicas=many", cwd=tmp_path)
    (chart / "templates" / "service.yaml").write_text("{{ .Values.nothing.below }}\n")
    broken = run(program, "lint", "--strict", chart, cwd=tmp_path)

    assert (wrong.returncode, broken.returncode) == (1, 1)
    assert "replicas" in wrong.stdout + wrong.stderr


def test_terraform_is_hcl_and_formatted(
    rendered: Rendered, checker: Checker, tmp_path: Path
) -> None:
    program = checker("hcl2tojson")
    files = sorted(rendered.sound.rglob("terraform/**/*.tf"))
    (tmp_path / "broken.tf").write_text(swapped("{", "")(files[0].read_text()))

    read = {file: run(program, file, cwd=tmp_path) for file in files}
    broken = run(program, "broken.tf", cwd=tmp_path)

    assert len(files) >= 10
    for file, done in read.items():
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout), file
    assert broken.returncode != 0
    if terraform := shutil.which("terraform"):  # not to be had from a package registry
        done = run(terraform, "fmt", "-check", "-recursive", ".", cwd=rendered.root)
        assert done.stdout.split() == [f"{BROKEN}/terraform/aws/database.tf"]


@pytest.mark.usefixtures("unmeasured")
def test_a_render_takes_no_longer_than_it_may(checker: Checker) -> None:
    """The short form of tests/bench/deploy_speed.py; it compares CPU time, by turns."""
    kubectl = Path(checker("kubectl"))
    bench = Path(__file__).parents[1] / "bench" / "deploy_speed.py"

    done = run(sys.executable, bench, "--rounds", "5", "--check", "--checkers",
               kubectl.parents[1], cwd=EXAMPLES)  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "kubectl kustomize, 4 times" in done.stdout
