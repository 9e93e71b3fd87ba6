"""`sdlc deploy` as a user and a CI file meet it: real app, real files."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tree = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]
Result = Callable[..., dict[str, Any]]
Files = Callable[[Path], dict[str, str]]
IMAGE = f"registry.example.com/shop@sha256:{'b' * 64}"


def rewrite(file: Path, old: str, new: str) -> None:
    """Replace text that must be there."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_render_writes_everything_and_says_what_comes_next(
    shop: Path, deploy: Run, files: Files
) -> None:
    done = deploy("render", "--all", cwd=shop)

    assert (done.returncode, done.stderr) == (0, "")
    written = files(shop)
    for wanted in (
        "Dockerfile",
        "k8s/dev/deployment.yaml",
        "k8s/prod/kustomization.yaml",
        "helm/shop/values.yaml",
        ".github/workflows/deploy.yml",
        "monitoring/RUNBOOK.md",
        "render.lock.json",
    ):
        assert wanted in written
    assert "Rendered shop for dev, staging, prod" in done.stdout
    assert "0 findings" in done.stdout
    for name in ("dev", "staging", "prod"):
        assert f"  kubectl apply --kustomize k8s/{name}\n" in done.stdout
        assert f"  or: helm upgrade --install shop-{name} helm/shop --values " in done.stdout
        assert f"-var-file=environments/{name}.tfvars\n" in done.stdout


def test_the_json_lists_every_file_with_its_digest(
    shop: Path, result: Result, files: Files
) -> None:
    from hashlib import sha256

    answer = result("render", "--all", cwd=shop)

    listed = {one["path"]: one for one in answer["artifacts"]}
    assert set(listed) == set(files(shop)) - {"deploy.yaml", "src/shop.py", "render.lock.json"}
    for path, one in listed.items():
        assert one["sha256"] == sha256((shop / path).read_bytes()).hexdigest()
        assert one["about"]
        assert one["state"] == "new"
        assert os.access(shop / path, os.X_OK) == one["executable"]
    assert (answer["passed"], answer["written"], answer["findings"]) == (True, True, [])
    assert answer["environments"] == ["dev", "staging", "prod"]


def test_one_environment_is_rendered_alone_and_the_next_one_beside_it(
    shop: Path, deploy: Run, files: Files
) -> None:
    deploy("render", "--env", "dev", cwd=shop)
    first = files(shop)
    deploy("render", "--env", "prod", "--env", "staging", cwd=shop)
    second = files(shop)
    deploy("render", "--all", cwd=shop)

    assert not any(name.startswith("k8s/prod") for name in first)
    assert {name for name in first if name.startswith("k8s/dev")} < set(second)
    assert files(shop) == second, "the order of renders makes no difference"


def test_an_environment_taken_out_of_the_file_takes_its_manifests_along(
    rendered: Path, result: Result, deploy_yaml: str
) -> None:
    shop = rendered
    (shop / "deploy.yaml").write_text(deploy_yaml.replace("  staging: {replicas: 2}\n", ""))

    answer = result("render", "--env", "dev", cwd=shop)

    assert "k8s/staging/deployment.yaml" in answer["removed"]
    assert not (shop / "k8s/staging").exists()
    assert (shop / "k8s/prod/deployment.yaml").exists()


def test_a_second_render_changes_nothing_and_says_so(rendered: Path, result: Result) -> None:
    shop = rendered
    before = {path: path.stat().st_mtime_ns for path in shop.rglob("*") if path.is_file()}

    answer = result("render", "--all", cwd=shop)

    assert {one["state"] for one in answer["artifacts"]} == {"unchanged"}
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_an_edit_by_hand_is_refused_until_it_is_forced(
    rendered: Path, deploy: Run, files: Files
) -> None:
    shop = rendered
    (shop / "k8s/prod/service.yaml").write_text("mine\n")
    before = files(shop)

    refused = deploy("render", "--all", cwd=shop)
    unchanged = files(shop)
    forced = deploy("render", "--all", "--force", cwd=shop)

    assert refused.returncode == 2
    assert refused.stderr == (
        "sdlc: k8s/prod/service.yaml was changed by hand since it was rendered\n"
        "  try: `sdlc deploy diff` shows what would change; --force overwrites them\n"
    )
    assert unchanged == before
    assert forced.returncode == 0
    assert "kind: Service" in (shop / "k8s/prod/service.yaml").read_text()


def test_a_dockerfile_of_the_user_is_not_overwritten(shop: Path, deploy: Run) -> None:
    (shop / "Dockerfile").write_text("FROM mine\n")

    done = deploy("render", "--env", "dev", cwd=shop)

    assert done.returncode == 2
    assert "Dockerfile exists and no render wrote it" in done.stderr
    assert not (shop / "k8s").exists()


def test_a_diff_shows_what_would_change_and_writes_nothing(
    rendered: Path, deploy: Run, files: Files, deploy_yaml: str
) -> None:
    shop = rendered
    (shop / "deploy.yaml").write_text(deploy_yaml.replace("LOG_LEVEL: INFO", "LOG_LEVEL: DEBUG"))
    before = files(shop)

    done = deploy("diff", cwd=shop)

    assert done.returncode == 0
    assert "--- a/k8s/prod/configmap.yaml\n+++ b/k8s/prod/configmap.yaml\n" in done.stdout
    assert "DEBUG" in done.stdout
    assert "\x1b" not in done.stdout
    assert files(shop) == before


def test_the_diff_is_a_patch(rendered: Path, deploy: Run, deploy_yaml: str) -> None:
    shop = rendered
    (shop / "deploy.yaml").write_text(deploy_yaml.replace("LOG_LEVEL: INFO", "LOG_LEVEL: DEBUG"))

    patch = deploy("diff", cwd=shop).stdout
    subprocess.run(["git", "apply", "-"], input=patch, text=True, cwd=shop, check=True)

    assert deploy("diff", cwd=shop).stdout == ""


def test_a_diff_before_the_first_render_adds_every_file(shop: Path, deploy: Run) -> None:
    done = deploy("diff", "--env", "dev", cwd=shop)

    assert done.returncode == 0
    assert "--- /dev/null\n+++ b/Dockerfile\n" in done.stdout
    assert not (shop / "Dockerfile").exists()


def test_a_diff_is_coloured_where_somebody_looks(shop: Path, deploy: Run) -> None:
    done = deploy("diff", "--env", "dev", cwd=shop, FORCE_COLOR="1")
    plain = deploy("diff", "--env", "dev", cwd=shop, FORCE_COLOR="1", NO_COLOR="1")

    assert "\x1b[32m+" in done.stdout
    assert "\x1b" not in plain.stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(lambda root: None, None, id="nothing"),
        pytest.param(
            lambda root: rewrite(root / "deploy.yaml", "INFO", "DEBUG"),
            "k8s/prod/configmap.yaml: would change",
            id="deploy.yaml",
        ),
        pytest.param(
            lambda root: (root / "k8s/prod/service.yaml").write_text("mine\n"),
            "k8s/prod/service.yaml: changed by hand",
            id="a file",
        ),
        pytest.param(
            lambda root: (root / "k8s/prod/service.yaml").unlink(),
            "k8s/prod/service.yaml: missing",
            id="a file less",
        ),
        pytest.param(
            lambda root: (root / "scripts/deploy.sh").chmod(0o644),
            "scripts/deploy.sh: would change",
            id="an execute bit",
        ),
    ],
)
def test_drift_tells_what_is_not_as_rendered(
    change: Callable[[Path], object], words: str | None, rendered: Path, deploy: Run, result: Result
) -> None:
    shop = rendered
    change(shop)

    done = deploy("drift", cwd=shop)
    answer = result("drift", cwd=shop, code=1 if words else 0)

    assert done.returncode == (1 if words else 0), done.stderr
    assert (words or "No drift") in done.stdout
    assert answer["drifted"] is bool(words)
    assert bool(answer["files"]) is bool(words)


def test_drift_knows_the_image_of_the_last_render(shop: Path, deploy: Run) -> None:
    deploy("render", "--all", "--image", IMAGE, cwd=shop)

    assert deploy("drift", cwd=shop).returncode == 0
    other = f"registry.example.com/shop@sha256:{'d' * 64}"
    assert deploy("drift", "--image", other, cwd=shop).returncode == 1


def test_drift_without_a_render_has_nothing_to_do(shop: Path, deploy: Run) -> None:
    done = deploy("drift", cwd=shop)

    assert done.returncode == 4
    assert "nothing was rendered" in done.stderr


BROKEN = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: nginx:latest, securityContext: {privileged: true}}
"""


@pytest.mark.parametrize(
    ("form", "marks"),
    [
        ("text", ("Did not pass", "web.yaml:")),
        ("json", ('"passed": false', '"path": "web.yaml"')),
        ("sarif", ('"version": "2.1.0"', "web.yaml")),
        ("junit", ("<testsuites", "web.yaml")),
        ("github", ("::error", "web.yaml")),
        ("gitlab", ('"fingerprint"', "web.yaml")),
        ("markdown", ("## ❌", "web.yaml")),
    ],
)
def test_anybodys_manifests_are_held_against_the_rules(
    form: str, marks: tuple[str, ...], tree: Tree, deploy: Run
) -> None:
    root = tree({"web.yaml": BROKEN})

    done = deploy("validate", "--format", form, cwd=root)

    assert done.returncode == 1, done.stderr
    assert all(mark in done.stdout for mark in marks)


def test_what_breaks_can_be_chosen(tree: Tree, result: Result) -> None:
    root = tree({"web.yaml": BROKEN})

    findings = result("validate", "--fail-on", "never", cwd=root)["findings"]

    assert {one["severity"] for one in findings} >= {"high"}
    assert all(one["rule"] and one["message"] and one["help"] for one in findings)


def test_a_folder_without_deployment_files_is_no_pass(tree: Tree, deploy: Run) -> None:
    done = deploy("validate", cwd=tree({"notes.txt": "nothing\n"}))

    assert done.returncode == 4
    assert done.stdout == ""


def test_a_rule_is_explained_and_all_are_listed(shop: Path, deploy: Run, result: Result) -> None:
    rules = result("explain", cwd=shop)["rules"]

    one = deploy("explain", rules[0]["id"], cwd=shop)
    wrong = deploy("explain", f"{rules[0]['id']}x", cwd=shop)

    assert len(rules) > 50
    assert rules[0]["title"] in " ".join(one.stdout.split())
    assert wrong.returncode == 2
    assert rules[0]["id"] in wrong.stderr


def test_a_template_of_the_users_own_takes_the_place_of_ours(
    shop: Path, deploy: Run, deploy_yaml: str
) -> None:
    listed = deploy("eject", cwd=shop).stdout.split()
    done = deploy("eject", "kubernetes/configmap.yaml.j2", cwd=shop)
    copy = shop / ".sdlc/templates/kubernetes/configmap.yaml.j2"
    again = deploy("eject", "kubernetes/configmap.yaml.j2", cwd=shop)
    copy.write_text("# ours\n" + copy.read_text())
    (shop / "deploy.yaml").write_text(f"{deploy_yaml}templates: .sdlc/templates\n")
    deploy("render", "--env", "dev", cwd=shop)

    assert "kubernetes/configmap.yaml.j2" in listed
    assert (done.returncode, again.returncode) == (0, 2)
    assert "templates: .sdlc/templates" in done.stderr
    assert (shop / "k8s/dev/configmap.yaml").read_text().startswith("# ours\n")


def test_an_unknown_template_is_told_with_the_nearest(shop: Path, deploy: Run) -> None:
    done = deploy("eject", "kubernetes/configmp.yaml.j2", cwd=shop)

    assert done.returncode == 2
    assert "sdlc deploy eject kubernetes/configmap.yaml.j2" in done.stderr


def test_a_broken_override_writes_nothing(shop: Path, deploy: Run, deploy_yaml: str) -> None:
    folder = shop / ".sdlc/templates/kubernetes"
    folder.mkdir(parents=True)
    (folder / "configmap.yaml.j2").write_text("{{ nowhere }}\n")
    (shop / "deploy.yaml").write_text(f"{deploy_yaml}templates: .sdlc/templates\n")

    done = deploy("render", "--env", "dev", cwd=shop)

    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert not (shop / "k8s").exists()


def test_an_override_that_breaks_a_rule_writes_nothing_unless_asked(
    shop: Path, deploy: Run, result: Result, deploy_yaml: str
) -> None:
    deploy("eject", "kubernetes/deployment.yaml.j2", cwd=shop)
    copy = shop / ".sdlc/templates/kubernetes/deployment.yaml.j2"
    text = copy.read_text()
    assert "allowPrivilegeEscalation: false" in text
    copy.write_text(
        text.replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true")
    )
    (shop / "deploy.yaml").write_text(f"{deploy_yaml}templates: .sdlc/templates\n")

    refused = deploy("render", "--env", "dev", cwd=shop)
    answer = result("render", "--env", "dev", cwd=shop, code=1)
    nothing = not (shop / "k8s").exists()
    asked = deploy("render", "--env", "dev", "--fail-on", "never", cwd=shop)

    assert refused.returncode == 1
    assert "Nothing was written" in refused.stdout
    assert (answer["written"], answer["passed"]) == (False, False)
    assert {one["path"] for one in answer["findings"]} <= {
        "k8s/dev/deployment.yaml", "helm/shop/templates/deployment.yaml"
    }  # fmt: skip
    assert nothing
    assert asked.returncode == 0
    assert (shop / "k8s/dev/deployment.yaml").exists()


def test_a_first_deploy_yaml_is_written_and_renders(tree: Tree, deploy: Run) -> None:
    root = tree({"pyproject.toml": '[project]\nname = "shop"\n', "src/shop/__init__.py": ""})

    done = deploy("init", cwd=root)
    again = deploy("init", cwd=root)

    assert (done.returncode, again.returncode) == (0, 2)
    assert deploy("render", "--env", "dev", cwd=root).returncode == 0
