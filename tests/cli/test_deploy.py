"""`sdlc deploy` as a user and a CI file meet it: real app, real files."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tree = Callable[..., Path]
Done = subprocess.CompletedProcess[str]
IMAGE = f"registry.example.com/shop@sha256:{'b' * 64}"
CONFIG = f"""\
version: 1
app: shop
owner: shop-team
image: {{repository: registry.example.com/shop, tag: 1.2.0, digest: "sha256:{"a" * 64}"}}
build:
  base: {{repository: python, tag: 3.12-slim, digest: "sha256:{"c" * 64}"}}
  command: [python, -m, shop]
resources:
  requests: {{cpu: 250m, memory: 256Mi}}
  limits: {{cpu: 1, memory: 512Mi}}
config: {{LOG_LEVEL: INFO}}
environments:
  dev: {{replicas: 1}}
  staging: {{replicas: 2}}
  prod: {{replicas: 5}}
"""


def sdlc(*words: str | Path, cwd: Path, **environ: str) -> Done:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SDLC_", "LC_"))}
    return subprocess.run(
        [sys.executable, "-m", "sdlc_cli", *map(str, words)],
        cwd=cwd,
        env=clean
        | {"LANG": "C.UTF-8", "COLUMNS": "100", "SDLC_CACHE_DIR": str(cwd.parent / "cache")}
        | {"HOME": str(cwd.parent / "home")}
        | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def deploy(*words: str | Path, cwd: Path, **environ: str) -> Done:
    return sdlc("deploy", *words, cwd=cwd, **environ)


def result(*words: str | Path, cwd: Path, code: int = 0) -> dict[str, Any]:
    done = deploy(*words, "--format", "json", cwd=cwd)
    assert done.returncode == code, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def files(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git/" not in str(path)
    }


@pytest.fixture
def shop(tree: Tree) -> Path:
    """A repository with a deploy.yaml of three environments."""
    return tree({"deploy.yaml": CONFIG, "src/shop.py": "x = 1\n"}, git=True)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a render of all environments makes."""
    root = tmp_path_factory.mktemp("once")
    (root / "deploy.yaml").write_text(CONFIG)
    done = deploy("render", "--all", cwd=root)
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def rendered(shop: Path, once: Path) -> Path:
    """The repository after a render of all environments."""
    shutil.copytree(once, shop, dirs_exist_ok=True)
    return shop


def test_a_render_writes_everything_and_says_what_comes_next(shop: Path) -> None:
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


def test_the_json_lists_every_file_with_its_digest(shop: Path) -> None:
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


def test_one_environment_is_rendered_alone_and_the_next_one_beside_it(shop: Path) -> None:
    deploy("render", "--env", "dev", cwd=shop)
    first = files(shop)
    deploy("render", "--env", "prod", "--env", "staging", cwd=shop)
    second = files(shop)
    deploy("render", "--all", cwd=shop)

    assert not any(name.startswith("k8s/prod") for name in first)
    assert {name for name in first if name.startswith("k8s/dev")} < set(second)
    assert files(shop) == second, "the order of renders makes no difference"


def test_an_environment_taken_out_of_the_file_takes_its_manifests_along(rendered: Path) -> None:
    shop = rendered
    (shop / "deploy.yaml").write_text(CONFIG.replace("  staging: {replicas: 2}\n", ""))

    answer = result("render", "--env", "dev", cwd=shop)

    assert "k8s/staging/deployment.yaml" in answer["removed"]
    assert not (shop / "k8s/staging").exists()
    assert (shop / "k8s/prod/deployment.yaml").exists()


def test_a_second_render_changes_nothing_and_says_so(rendered: Path) -> None:
    shop = rendered
    before = {path: path.stat().st_mtime_ns for path in shop.rglob("*") if path.is_file()}

    answer = result("render", "--all", cwd=shop)

    assert {one["state"] for one in answer["artifacts"]} == {"unchanged"}
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_an_edit_by_hand_is_refused_until_it_is_forced(rendered: Path) -> None:
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


def test_a_dockerfile_of_the_user_is_not_overwritten(shop: Path) -> None:
    (shop / "Dockerfile").write_text("FROM mine\n")

    done = deploy("render", "--env", "dev", cwd=shop)

    assert done.returncode == 2
    assert "Dockerfile exists and no render wrote it" in done.stderr
    assert not (shop / "k8s").exists()


def test_a_diff_shows_what_would_change_and_writes_nothing(rendered: Path) -> None:
    shop = rendered
    (shop / "deploy.yaml").write_text(CONFIG.replace("LOG_LEVEL: INFO", "LOG_LEVEL: DEBUG"))
    before = files(shop)

    done = deploy("diff", cwd=shop)

    assert done.returncode == 0
    assert "--- a/k8s/prod/configmap.yaml\n+++ b/k8s/prod/configmap.yaml\n" in done.stdout
    assert "DEBUG" in done.stdout
    assert "\x1b" not in done.stdout
    assert files(shop) == before


def test_the_diff_is_a_patch(rendered: Path) -> None:
    shop = rendered
    (shop / "deploy.yaml").write_text(CONFIG.replace("LOG_LEVEL: INFO", "LOG_LEVEL: DEBUG"))

    patch = deploy("diff", cwd=shop).stdout
    subprocess.run(["git", "apply", "-"], input=patch, text=True, cwd=shop, check=True)

    assert deploy("diff", cwd=shop).stdout == ""


def test_a_diff_before_the_first_render_adds_every_file(shop: Path) -> None:
    done = deploy("diff", "--env", "dev", cwd=shop)

    assert done.returncode == 0
    assert "--- /dev/null\n+++ b/Dockerfile\n" in done.stdout
    assert not (shop / "Dockerfile").exists()


def test_a_diff_is_coloured_where_somebody_looks(shop: Path) -> None:
    done = deploy("diff", "--env", "dev", cwd=shop, FORCE_COLOR="1")
    plain = deploy("diff", "--env", "dev", cwd=shop, FORCE_COLOR="1", NO_COLOR="1")

    assert "\x1b[32m+" in done.stdout
    assert "\x1b" not in plain.stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(lambda root: None, None, id="nothing"),
        pytest.param(
            lambda root: (root / "deploy.yaml").write_text(CONFIG.replace("INFO", "DEBUG")),
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
    change: Callable[[Path], object], words: str | None, rendered: Path
) -> None:
    shop = rendered
    change(shop)

    done = deploy("drift", cwd=shop)
    answer = result("drift", cwd=shop, code=1 if words else 0)

    assert done.returncode == (1 if words else 0), done.stderr
    assert (words or "No drift") in done.stdout
    assert answer["drifted"] is bool(words)
    assert bool(answer["files"]) is bool(words)


def test_drift_knows_the_image_of_the_last_render(shop: Path) -> None:
    deploy("render", "--all", "--image", IMAGE, cwd=shop)

    assert deploy("drift", cwd=shop).returncode == 0
    other = f"registry.example.com/shop@sha256:{'d' * 64}"
    assert deploy("drift", "--image", other, cwd=shop).returncode == 1


def test_drift_without_a_render_has_nothing_to_do(shop: Path) -> None:
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
    form: str, marks: tuple[str, ...], tree: Tree
) -> None:
    root = tree({"web.yaml": BROKEN})

    done = deploy("validate", "--format", form, cwd=root)

    assert done.returncode == 1, done.stderr
    assert all(mark in done.stdout for mark in marks)


def test_what_breaks_can_be_chosen(tree: Tree) -> None:
    root = tree({"web.yaml": BROKEN})

    findings = result("validate", "--fail-on", "never", cwd=root)["findings"]

    assert {one["severity"] for one in findings} >= {"high"}
    assert all(one["rule"] and one["message"] and one["help"] for one in findings)


def test_a_folder_without_deployment_files_is_no_pass(tree: Tree) -> None:
    done = deploy("validate", cwd=tree({"notes.txt": "nothing\n"}))

    assert done.returncode == 4
    assert done.stdout == ""


def test_a_rule_is_explained_and_all_are_listed(shop: Path) -> None:
    rules = result("explain", cwd=shop)["rules"]

    one = deploy("explain", rules[0]["id"], cwd=shop)
    wrong = deploy("explain", f"{rules[0]['id']}x", cwd=shop)

    assert len(rules) > 50
    assert rules[0]["title"] in " ".join(one.stdout.split())
    assert wrong.returncode == 2
    assert rules[0]["id"] in wrong.stderr


def test_a_template_of_the_users_own_takes_the_place_of_ours(shop: Path) -> None:
    listed = deploy("eject", cwd=shop).stdout.split()
    done = deploy("eject", "kubernetes/configmap.yaml.j2", cwd=shop)
    copy = shop / ".sdlc/templates/kubernetes/configmap.yaml.j2"
    again = deploy("eject", "kubernetes/configmap.yaml.j2", cwd=shop)
    copy.write_text("# ours\n" + copy.read_text())
    (shop / "deploy.yaml").write_text(f"{CONFIG}templates: .sdlc/templates\n")
    deploy("render", "--env", "dev", cwd=shop)

    assert "kubernetes/configmap.yaml.j2" in listed
    assert (done.returncode, again.returncode) == (0, 2)
    assert "templates: .sdlc/templates" in done.stderr
    assert (shop / "k8s/dev/configmap.yaml").read_text().startswith("# ours\n")


def test_an_unknown_template_is_told_with_the_nearest(shop: Path) -> None:
    done = deploy("eject", "kubernetes/configmp.yaml.j2", cwd=shop)

    assert done.returncode == 2
    assert "sdlc deploy eject kubernetes/configmap.yaml.j2" in done.stderr


def test_a_broken_override_writes_nothing(shop: Path) -> None:
    folder = shop / ".sdlc/templates/kubernetes"
    folder.mkdir(parents=True)
    (folder / "configmap.yaml.j2").write_text("{{ nowhere }}\n")
    (shop / "deploy.yaml").write_text(f"{CONFIG}templates: .sdlc/templates\n")

    done = deploy("render", "--env", "dev", cwd=shop)

    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert not (shop / "k8s").exists()


def test_an_override_that_breaks_a_rule_writes_nothing_unless_asked(shop: Path) -> None:
    deploy("eject", "kubernetes/deployment.yaml.j2", cwd=shop)
    copy = shop / ".sdlc/templates/kubernetes/deployment.yaml.j2"
    text = copy.read_text()
    assert "allowPrivilegeEscalation: false" in text
    copy.write_text(
        text.replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true")
    )
    (shop / "deploy.yaml").write_text(f"{CONFIG}templates: .sdlc/templates\n")

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


def test_a_first_deploy_yaml_is_written_and_renders(tree: Tree) -> None:
    root = tree({"pyproject.toml": '[project]\nname = "shop"\n', "src/shop/__init__.py": ""})

    done = deploy("init", cwd=root)
    again = deploy("init", cwd=root)

    assert (done.returncode, again.returncode) == (0, 2)
    assert deploy("render", "--env", "dev", cwd=root).returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        pytest.param(["render"], 2, "say which environments", id="no environment"),
        pytest.param(["render", "--env", "dev", "--all"], 2, "say which", id="both"),
        pytest.param(["render", "--env", "prd"], 2, "--env prod", id="unknown, near"),
        pytest.param(["diff", "--env", "x"], 2, "no environment 'x'", id="unknown"),
        pytest.param(["drift", "--env", "dev", "--all"], 2, "contradict", id="contradiction"),
        pytest.param(["render", "--all", "--image", "shop:1"], 2, "digest", id="bad image"),
        pytest.param(["render", "--all", "--config", "no.yaml"], 2, "no.yaml", id="no such file"),
        pytest.param(["render", "--all", "--fail-on", "all"], 2, "--fail-on", id="bad severity"),
        pytest.param(["render", "--all", "--out", "deploy.yaml"], 3, "deploy.yaml", id="a file"),
        pytest.param(["render", "--all", "--out", "deploy.yaml/x"], 3, "deploy.yaml", id="below"),
        pytest.param(["render", "--all", "--out", "/proc/x"], 3, "/proc/x", id="no such place"),
        pytest.param(["validate", "nowhere"], 2, "nowhere", id="no such folder"),
        pytest.param(["explain", "k8s-nothing"], 2, "k8s-nothing", id="no such rule"),
        pytest.param(["init", "deploy.yaml"], 2, "not a folder", id="init into a file"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    words: list[str], code: int, told: str, shop: Path
) -> None:
    before = files(shop)

    done = deploy(*words, cwd=shop)

    assert done.returncode == code, done.stdout + done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert files(shop) == before


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param("app: shop", f"app: {'s' * 64}", "app: ", id="a name too long"),
        pytest.param("app: shop", "app: Shop", "app: ", id="upper case"),
        pytest.param("  prod: {", "  Prod: {", "environments", id="upper-case environment"),
        pytest.param("owner:", "ownr:", "ownr", id="unknown key"),
        pytest.param("owner: shop-team\n", "", "owner", id="missing key"),
        pytest.param("memory: 512Mi", "memory: 128Mi", "limits.memory", id="limit under request"),
        pytest.param("cpu: 250m", "cpu: lots", "requests.cpu", id="no amount"),
        pytest.param("replicas: 1", "replicas: many", "dev.replicas", id="no number"),
        pytest.param("{LOG_LEVEL: INFO}", '{LOG_LEVEL: "a\\nb"}', "LOG_LEVEL", id="a line end"),
        pytest.param("version: 1", "version: !!python/name:os 1", "deploy.yaml", id="a tag"),
    ],
)
def test_a_deploy_yaml_that_makes_no_sense_is_refused_with_its_key(
    old: str, new: str, told: str, shop: Path
) -> None:
    assert old in CONFIG
    (shop / "deploy.yaml").write_text(CONFIG.replace(old, new, 1))
    before = files(shop)

    done = deploy("render", "--all", cwd=shop)

    assert done.returncode == 2, done.stdout + done.stderr
    assert re.search(r"deploy\.yaml:\d+: ", done.stderr)
    assert told in done.stderr
    assert files(shop) == before


def test_environments_are_completed(shop: Path) -> None:
    done = sdlc(
        cwd=shop,
        _SDLC_COMPLETE="complete_bash",
        COMP_WORDS="sdlc deploy render --env s",
        COMP_CWORD="4",
    )

    assert done.stdout.split() == ["staging"]


@pytest.mark.parametrize("words", [["render", "--all"], ["diff"], ["drift"], ["eject", "x"]])
def test_without_a_deploy_yaml_there_is_nothing_to_do(words: list[str], tree: Tree) -> None:
    root = tree({"a.txt": ""}, git=True)

    done = deploy(*words, cwd=root)

    assert done.returncode in (2, 4)
    if words[0] != "eject":
        assert done.returncode == 4
        assert "sdlc deploy init" in done.stderr


def test_deploy_yaml_is_found_upward_and_its_folder_is_where_files_go(shop: Path) -> None:
    done = deploy("render", "--env", "dev", cwd=shop / "src")

    assert done.returncode == 0, done.stderr
    assert (shop / "k8s/dev/deployment.yaml").exists()
    assert not (shop / "src/k8s").exists()


def test_another_folder_gets_the_files_when_asked(shop: Path) -> None:
    done = deploy("render", "--env", "dev", "--out", "build/out put", cwd=shop)

    assert done.returncode == 0, done.stderr
    assert (shop / "build/out put/k8s/dev/deployment.yaml").exists()
    assert "kubectl apply --kustomize 'build/out put/k8s/dev'" in done.stdout


def test_the_output_is_the_same_in_any_folder_language_zone_and_hash_seed(
    shop: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    deploy("render", "--all", "--out", "one", cwd=shop)
    other = tmp_path_factory.mktemp("other")
    (other / "deploy.yaml").write_text(CONFIG)
    environ = {"TZ": "Asia/Tokyo", "SDLC_LANG": "de", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    done = deploy("render", "--all", "--out", "two", cwd=other, **environ)

    assert done.returncode == 0, done.stderr
    assert len(files(shop / "one")) > 40
    assert files(shop / "one") == files(other / "two")


@pytest.mark.parametrize("width", ["20", "40", "60", "120"])
def test_a_narrow_terminal_shows_it_all(width: str, shop: Path) -> None:
    done = deploy("render", "--all", cwd=shop, COLUMNS=width)

    assert done.returncode == 0
    commands = [line for line in done.stdout.splitlines() if line.startswith("  ")]
    others = [line for line in done.stdout.splitlines() if not line.startswith("  ")]
    assert commands
    assert max(map(len, others)) <= max(int(width), 40)


def test_a_reader_that_stops_early_ends_it_quietly(shop: Path) -> None:
    line = f"{sys.executable} -m sdlc_cli deploy diff --all | head -n 1"

    done = subprocess.run(
        ["bash", "-c", line], cwd=shop, capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("---")
    assert done.stderr == ""


def test_a_sigterm_leaves_all_or_nothing(shop: Path) -> None:
    """Wherever it arrives: before the write, amid it (then it is undone), or after."""
    codes = set()
    for wait in (0.05, 0.2, 0.35, 0.5, 0.8):
        process = subprocess.Popen(
            [sys.executable, "-m", "sdlc_cli", "deploy", "render", "--all"],
            cwd=shop,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(wait)
        process.send_signal(signal.SIGTERM)
        codes.add(process.wait())
        assert not (shop / ".sdlc-render").exists()
        assert (shop / "k8s").exists() == (shop / "render.lock.json").exists()

    assert codes <= {0, 143, -15}


def test_a_full_disk_is_said_so_and_changes_nothing(rendered: Path) -> None:
    (rendered / "deploy.yaml").write_text(CONFIG.replace("LOG_LEVEL: INFO", "LOG_LEVEL: DEBUG"))
    before = files(rendered)
    script = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))\n"
        "from sdlc_cli.__main__ import main\n"
        "sys.argv = ['sdlc', 'deploy', 'render', '--all']\n"
        "sys.exit(main())\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=rendered, capture_output=True, text=True, check=False
    )

    assert done.returncode == 3, done.stderr
    assert "cannot write" in done.stderr
    assert "File too large" in done.stderr
    assert files(rendered) == before
    assert not (rendered / ".sdlc-render").exists()


def killed_amid(root: Path) -> None:
    """Let a render die when all is in place but the journal."""
    script = (
        "import os, signal, sys\n"
        "real = os.unlink\n"
        "def unlink(path, **more):\n"
        "    if path == 'journal.json': os.kill(os.getpid(), signal.SIGKILL)\n"
        "    real(path, **more)\n"
        "os.unlink = unlink\n"
        "from sdlc_cli.__main__ import main\n"
        "sys.argv = ['sdlc', 'deploy', 'render', '--all']\n"
        "sys.exit(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL


def test_after_a_kill_drift_tells_and_the_next_render_mends(rendered: Path) -> None:
    before = files(rendered)
    (rendered / "deploy.yaml").write_text(CONFIG.replace("LOG_LEVEL: INFO", "LOG_LEVEL: DEBUG"))
    killed_amid(rendered)

    drift = deploy("drift", cwd=rendered)
    answer = result("drift", cwd=rendered, code=1)
    (rendered / "deploy.yaml").write_text(CONFIG)
    mended = deploy("render", "--all", cwd=rendered)

    assert drift.returncode == 1
    assert "a render was interrupted here" in drift.stderr
    assert answer["interrupted"] is True
    assert "taken back first" in mended.stderr
    assert files(rendered) == before


def test_two_renders_at_once_both_end_well(shop: Path) -> None:
    words = [sys.executable, "-m", "sdlc_cli", "deploy", "render", "--quiet", "--env"]
    both = [
        subprocess.Popen([*words, name], cwd=shop, stdout=subprocess.DEVNULL)
        for name in ("dev", "prod")
    ]

    assert [process.wait() for process in both] == [0, 0]
    assert (shop / "k8s/dev/service.yaml").exists()
    assert (shop / "k8s/prod/service.yaml").exists()
    assert deploy("drift", cwd=shop).returncode == 0


def test_a_lock_with_a_merge_conflict_is_told(rendered: Path) -> None:
    lock = rendered / "render.lock.json"
    lock.write_text(f"<<<<<<< HEAD\n{lock.read_text()}")

    done = deploy("render", "--all", cwd=rendered)

    assert done.returncode == 2
    assert "render.lock.json cannot be used: it is not JSON" in done.stderr


def test_a_hostile_file_cannot_speak_to_the_terminal(rendered: Path) -> None:
    (rendered / "Dockerfile").write_bytes(b"FROM x\n\x1b]0;owned\x07\xff\n")

    done = deploy("diff", cwd=rendered)

    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "# Dockerfile: changed by hand" in done.stdout
    assert "-\\x1b]0;owned" in done.stdout


def test_every_sentence_can_be_translated(shop: Path) -> None:
    done = deploy("render", "--all", cwd=shop, SDLC_LANG="en-XA")

    assert done.returncode == 0
    assert "Rendered" not in done.stdout
    assert "Ŕ" in done.stdout
