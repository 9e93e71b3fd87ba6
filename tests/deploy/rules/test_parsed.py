"""Files of anybody: what is read, what is told instead of read, and that nothing ever crashes."""

import os
from pathlib import Path

import pytest

from sdlc_cli.core.errors import NothingToDo
from sdlc_cli.deploy import rules
from sdlc_cli.deploy.model import Artifact
from sdlc_cli.deploy.rules import dockerfile, hcl, promql, subjects

GOOD = Path(__file__).parent / "good"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{above}'] * 9)}]\n"
    for above, name in zip("abcdefgh", "bcdefghi", strict=True)
)
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: y}\n"


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


HOSTILE = (
    pytest.param("a.yaml", b"\x89PNG\x00\x01\xff", id="binary"),
    pytest.param("a.yaml", b"a: \xff\xfe", id="not UTF-8"),
    pytest.param("a.yaml", "a: \x00\n", id="NUL"),
    pytest.param("a.yaml", 'a: "\\0"\n', id="written NUL"),
    pytest.param("a.yaml", BOMB, id="aliases that multiply"),
    pytest.param("a.yaml", "a: &a [*a]\n", id="alias in itself"),
    pytest.param("a.yaml", "[" * 5000, id="deep nesting"),
    pytest.param("a.yaml", "a: !!python/object/apply:os.system [id]\n", id="tag"),
    pytest.param("a.yaml", "a: [1\n", id="open bracket"),
    pytest.param("Dockerfile", "MAKE it\n", id="no Dockerfile"),
    pytest.param("Dockerfile", "", id="empty Dockerfile"),
    pytest.param("Dockerfile", "FROM a\nRUN <<EOF\n", id="endless here-document"),
    pytest.param("a.tf", 'a "b" {', id="open block"),
    pytest.param("a.tf", "{" * 5000, id="deep blocks"),
    pytest.param("a.tf", "a = " + "[" * 200_000, id="deep expression"),
    pytest.param("a.tf", 'a = "${' * 2000, id="deep templates"),
    pytest.param("a.tf", 'a = "', id="open quote"),
    pytest.param("a.tf", "a = <<EOT\nb", id="endless text"),
    pytest.param("a.tf", "x {" * 1000 + "}" * 1000, id="blocks in blocks"),
    pytest.param(".github/workflows/a.yml", "jobs: [\n", id="broken workflow"),
)


@pytest.mark.parametrize(("name", "content"), HOSTILE)
def test_what_cannot_be_parsed_is_a_finding_and_a_skipped_file(
    tmp_path: Path, name: str, content: str | bytes
) -> None:
    checked = rules.check(write(tmp_path, name, content))

    assert [(f.rule, f.location.path) for f in checked.findings] == [("file-unreadable", name)]
    assert [one.path for one in checked.skipped] == [name]
    assert checked.skipped[0].reason


ODD = (
    pytest.param("spec", id="no value"),
    pytest.param("spec: text", id="text"),
    pytest.param("spec: [1, 2]", id="list"),
    pytest.param("spec: {containers: text, volumes: {}}", id="wrong types"),
    pytest.param("spec: {containers: [text, 1, null, []], volumes: [1]}", id="wrong items"),
    pytest.param("spec: {containers: [{name: [1], image: {}, ports: {}, env: 1}]}", id="inside"),
    pytest.param("metadata: []\nspec: {template: {spec: []}, selector: []}", id="lists"),
    pytest.param("spec: {rules: [1, {http: []}], ports: [1, {port: {}}], tls: 1}", id="rules"),
    pytest.param("rules: [1, {verbs: {}, resources: 1}]\nsubjects: 5\nroleRef: []", id="roles"),
    pytest.param(
        "spec: {groups: [1, {rules: [1, {alert: [], expr: {}, labels: 1}]}]}", id="alerts"
    ),
    pytest.param("spec: {endpoints: 1, selector: {matchExpressions: [1, {}]}}", id="selectors"),
    pytest.param("data: [1]\nstringData: {a: {b: 1}}", id="data"),
    pytest.param("items: [1, {}, {apiVersion: v1, kind: List, items: []}]", id="items"),
)
KINDS = (
    "Pod", "Deployment", "StatefulSet", "CronJob", "Service", "Ingress", "NetworkPolicy", "Role",
    "RoleBinding", "HorizontalPodAutoscaler", "PodDisruptionBudget", "ServiceMonitor", "ConfigMap",
    "Secret", "ExternalSecret", "PrometheusRule", "Namespace", "List", "Kustomization",
)  # fmt: skip


@pytest.mark.parametrize("body", ODD)
def test_objects_of_any_shape_are_looked_at(tmp_path: Path, body: str) -> None:
    body = body if ":" in body else f"{body}:"
    texts = [f"apiVersion: v1\nkind: {kind}\n{body}\n" for kind in KINDS]
    write(tmp_path, "a.yaml", "---\n".join([*texts, POD]))

    assert rules.check(tmp_path).looked_at["kubernetes"] >= len(KINDS) - 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("compose.yaml", "services: {a: 1, b: {ports: 1, environment: [1], depends_on: {c: 1}}}"),
        ("compose.yaml", "services: {b: {build: [1], volumes: [{}], security_opt: 1}}"),
        (".github/workflows/a.yml", "on: 1\njobs: {a: 1, b: {steps: [1, {uses: {}, with: 1}]}}"),
        (".github/workflows/a.yml", "jobs: {b: {needs: {}, permissions: [], steps: {}}}"),
        ("rules.yml", "groups: [1, {rules: [1, {record: 1, expr: 5}, {alert: a, expr: ')('}]}]"),
        ("alertmanager.yml", "route: []\nreceivers: {a: 1}\nglobal: {password: [1]}"),
        ("otel.yaml", "receivers: 1\nservice: {pipelines: {a: 1, b: {receivers: {}}}}"),
        ("prometheus.yml", "scrape_configs: 1\nglobal: []"),
        ("tests.yml", "rule_files: 1\ntests: [1, {alert_rule_test: {}}]"),
        ("board.json", '{"title": 1, "panels": [1, {"targets": [1, {}], "panels": {}}]}'),
        ("a.tf", 'variable {}\nresource "aws_db_instance" {}\nterraform { backend {} }'),
        ("a.tf", 'resource "aws_eks_cluster" "a" { vpc_config {} \n encryption_config {} }'),
        ("a.s3.tfbackend", "encrypt = [true]"),
        ("Dockerfile", "FROM\nUSER\nEXPOSE $PORT\nHEALTHCHECK\nCMD []\nENV\nARG A\nFROM $X AS y"),
    ],
)
def test_other_files_of_any_shape_are_looked_at(tmp_path: Path, name: str, content: str) -> None:
    checked = rules.check(write(tmp_path, name, content))

    assert sum(checked.looked_at.values()) == 1
    assert not [f for f in checked.findings if f.rule == "file-unreadable"]


LONG = 100_000
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: y}\n"
STEP = "on: push\njobs:\n  a:\n    steps:\n      - run: '{text}'\n"
ALERT = "groups:\n  - name: a\n    rules:\n      - {{alert: a, expr: '{text}'}}\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.yaml", f"{CONFIG}data: {{API_KEY: {'aB3' * LONG}}}", id="one long word"),
        pytest.param("a.yaml", f"{CONFIG}data: {{x: '{'a://' * LONG}'}}", id="addresses"),
        pytest.param("a.yaml", "\n" * LONG + "a: [", id="blank lines"),
        pytest.param(
            ".github/workflows/a.yml", STEP.format(text="kubectl set image = " * LONG), id="script"
        ),
        pytest.param(
            ".github/workflows/a.yml",
            STEP.format(text="${{ github.event.issue " * LONG),
            id="expressions",
        ),
        pytest.param("Dockerfile", f"FROM a\nRUN {'curl ' * LONG}", id="one long RUN"),
        pytest.param("a.tf", "/*" * LONG, id="comments that stay open"),
        pytest.param("a.tf", 'a = "' + '${"' * LONG, id="templates in templates"),
        pytest.param("rules.yml", ALERT.format(text='"\\' * LONG), id="quotes that stay open"),
        pytest.param("rules.yml", ALERT.format(text="kube_" * LONG), id="one long metric"),
    ],
)
def test_the_time_grows_with_the_size(tmp_path: Path, name: str, content: str) -> None:
    """Where it grew with the square, this test would not end within the hour."""
    checked = rules.check(write(tmp_path, name, content))

    assert checked.looked_at or checked.findings


def test_many_objects_are_no_matter_of_their_square(tmp_path: Path) -> None:
    pods = "---\n".join(
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p{i}, namespace: n, labels: {{a: b{i}}}}}\n"
        "spec: {containers: [{name: a, image: b}]}\n---\n"
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: s{i}, namespace: n}}\n"
        f"spec: {{selector: {{a: b{i}}}, ports: [{{port: 1}}]}}\n"
        for i in range(1000)
    )

    assert rules.check(write(tmp_path, "a.yaml", pods)).looked_at["kubernetes"] == 2000


def test_nothing_to_look_at_is_no_pass(tmp_path: Path) -> None:
    write(tmp_path, "README.md", "# nothing")
    write(tmp_path, "config.yaml", "a: 1")

    with pytest.raises(NothingToDo):
        rules.check(tmp_path)
    with pytest.raises(NothingToDo):
        rules.check([])


def test_links_are_told_and_never_followed(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", "a.yaml", POD)
    inside = write(tmp_path / "inside", "b.yaml", POD)
    (inside / "folder").symlink_to(outside)
    (inside / "a.yaml").symlink_to(outside / "a.yaml")
    os.mkfifo(inside / "c.yaml")

    checked = rules.check(inside)

    assert {one.path for one in checked.skipped} == {"folder", "a.yaml", "c.yaml"}
    assert checked.looked_at["kubernetes"] == 1


def test_a_file_that_is_too_large_is_told(tmp_path: Path) -> None:
    write(tmp_path, "b.yaml", POD)
    write(tmp_path, "a.yaml", "# " + "x" * 5_000_001)

    assert [one.path for one in rules.check(tmp_path).skipped] == ["a.yaml"]


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("chart/templates/a.yaml", "{{ .Values.a }}: {{ end", "Helm"),
        ("play.yaml", "a: {{ b }} {% if c", "template"),
        ("settings.yaml", "a: 1", "rules"),
    ],
)
def test_what_is_not_judged_is_listed(tmp_path: Path, name: str, content: str, word: str) -> None:
    write(tmp_path, "chart/Chart.yaml", "apiVersion: v2\nname: x\nversion: 0.1.0\n")
    write(tmp_path, "chart/values.yaml", "a: 1\n")
    checked = rules.check(write(tmp_path, name, content))

    assert [one.path for one in checked.skipped] == [name]
    assert word in checked.skipped[0].reason
    assert checked.findings == ()


@pytest.mark.parametrize(
    "kind",
    ["apiVersion: example.com/v1\nkind: Widget\n", "apiVersion: v1\nkind: pod\n"],
    ids=["of nobody we know", "in the wrong case"],
)
def test_an_object_that_no_rule_knows_is_told_and_never_passes(tmp_path: Path, kind: str) -> None:
    strange = f"{kind}metadata: {{name: x}}\nspec: {{containers: [{{name: c}}]}}\n"
    write(tmp_path, "a.yaml", strange)
    with pytest.raises(NothingToDo):
        rules.check(tmp_path)

    checked = rules.check(write(tmp_path, "b.yaml", f"{POD}---\n{strange}"))

    assert checked.looked_at["kubernetes"] == 1
    assert [one.path for one in checked.skipped] == ["a.yaml", "b.yaml"]


def test_the_pods_of_a_rollout_are_judged(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\n"
          "metadata: {name: a, namespace: n}\nspec: {template: {spec: {containers: "
          "[{name: a, image: a, securityContext: {privileged: true}}]}}}\n")  # fmt: skip

    assert "k8s-privileged" in {one.rule for one in rules.check(tmp_path).findings}


def test_a_chart_of_which_nothing_can_be_judged_does_not_pass(tmp_path: Path) -> None:
    write(tmp_path, "Chart.yaml", "apiVersion: v2\nname: x\nversion: 0.1.0\n")
    write(tmp_path, "templates/a.yaml", "kind: {{ .Values.kind }}")

    with pytest.raises(NothingToDo):
        rules.check(tmp_path)


def test_broken_yaml_far_from_deployment_files_is_only_listed(tmp_path: Path) -> None:
    write(tmp_path, "k8s/pod.yaml", POD)
    write(tmp_path, "k8s/broken.yaml", "a: [\n")
    write(tmp_path, "app/settings.yaml", "a: [\n")

    checked = rules.check(tmp_path)

    assert [one.location.path for one in checked.findings] == ["k8s/broken.yaml"]
    assert [one.path for one in checked.skipped] == ["app/settings.yaml", "k8s/broken.yaml"]


def test_expressions_of_a_workflow_make_it_no_template(tmp_path: Path) -> None:
    write(tmp_path, ".github/workflows/a.yml", "name: ${{ github.sha }}\njobs: [\n")

    assert [one.rule for one in rules.check(tmp_path).findings] == ["file-unreadable"]


def test_a_patch_of_a_kustomization_is_no_whole_object(tmp_path: Path) -> None:
    write(tmp_path, "patch.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"
          "spec: {template: {spec: {containers: [{name: a}]}}}\n")  # fmt: skip
    write(tmp_path, "kustomization.yaml", "patches:\n  - path: patch.yaml\n")

    assert rules.check(tmp_path).findings == ()


def test_artifacts_and_the_folder_they_are_written_to_have_the_same_findings(
    tmp_path: Path,
) -> None:
    texts = {
        str(path.relative_to(GOOD)): path.read_text().replace("runAsNonRoot: true", "x: 1")
        for path in GOOD.rglob("*")
        if path.is_file()
    }
    for name, text in texts.items():
        write(tmp_path, name, text)
    artifacts = [Artifact(path=name, text=text, kind="kubernetes") for name, text in texts.items()]

    in_memory, on_disk = rules.check(artifacts), rules.check(tmp_path)

    assert in_memory == on_disk
    assert [finding.rule for finding in on_disk.findings] == ["k8s-root-user"]


def test_findings_alike_have_fingerprints_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, "Dockerfile", "FROM a:1\nFROM a:1\n")

    found = [f for f in rules.check(tmp_path).findings if f.rule == "docker-base-digest"]

    assert len(found) == 2
    assert len({finding.fingerprint for finding in found}) == 2


def test_a_fingerprint_survives_moved_lines(tmp_path: Path) -> None:
    text = "FROM a:1\nCMD b\n"
    before = rules.check(write(tmp_path, "Dockerfile", text)).findings
    after = rules.check(write(tmp_path, "Dockerfile", f"# moved\n{text}")).findings

    assert before
    assert {f.fingerprint for f in before} == {f.fingerprint for f in after}
    assert before != after


def test_hcl_is_read_as_terraform_reads_it() -> None:
    block = hcl.parse(
        'a = "x${f("}", { b = "${c}" })}y" # no {\n'
        "/* } */ b = [\n  1, # one\n  2,\n]\n"
        "c = <<-EOT\n  } ${d}\n  EOT\n"
        'e "f" g {\n  h = cond ? "}" : null\n  dynamic "i" {\n    content { j = 1 }\n  }\n}\n'
        'k = "\\"}$${l}"\n'
    )

    assert list(block.attributes) == ["a", "b", "c", "k"]
    assert block.attributes["k"].literal == '"}${l}'
    assert block.attributes["b"].source == "[ 1 , 2 , ]"
    (inner,) = block.blocks
    assert (inner.kind, inner.labels, inner.line) == ("e", ("f", "g"), 9)
    assert [one.literal("j") for one in inner.all("i")] == [1]


def test_a_dockerfile_is_split_as_buildkit_splits_it() -> None:
    found = dockerfile.parse(
        "# escape=`\nARG A=1\nfrom x:$A as Base\nRUN a `\n  # why\n\n  b\n"
        'COPY --chown=1:1 <<EOF /x\nRUN c\nEOF\nFROM base\nCMD ["a"]\n'
    )

    assert [(one.line, one.word, one.rest) for one in found] == [
        (2, "ARG", "A=1"),
        (3, "FROM", "x:$A as Base"),
        (4, "RUN", "a b"),
        (8, "COPY", "<<EOF /x"),
        (11, "FROM", "base"),
        (12, "CMD", '["a"]'),
    ]
    assert found[3].flags == (("chown", "1:1"),)
    assert found[3].body == "RUN c"
    every = dockerfile.stages(found)
    assert [one.name for one in dockerfile.parents(every, every[-1])] == ["", "Base"]


@pytest.mark.parametrize(
    ("expression", "metrics"),
    [
        ('sum by (le, job) (rate(a_bucket{b="c",d!~"e|f"}[5m]))', ("a_bucket",)),
        ("a:b:c / on (x) group_left (y) d offset 5m", ("a:b:c", "d")),
        ("histogram_quantile(0.95, a) > bool 1e3 and vector(1)", ("a",)),
        ("max_over_time((a - b)[1h:5m]) == Inf", ("a", "b")),
        ('{__name__="a"} unless absent(b) # c', ("b",)),
    ],
)
def test_an_expression_names_its_metrics(expression: str, metrics: tuple[str, ...]) -> None:
    said = promql.read(expression)

    assert said.metrics == metrics
    assert said.broken == ""


@pytest.mark.parametrize("expression", ["", "a)", "sum(a", 'a{b="c"', "a ; b", "a{b=(c}"])
def test_an_expression_that_is_not_closed_is_broken(expression: str) -> None:
    assert promql.read(expression).broken


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("DB_PASSWORD", "hunter22", True),
        ("api-key", "abc", True),
        ("accessKey", "abc", True),
        ("AWS_ACCESS_KEY", "abc", True),
        ("DATABASE_URL", "postgres://app:hunter22@db/app", True),
        ("DATABASE_URL", "postgres://app:${PASSWORD}@db/app", False),
        ("DATABASE_URL", "postgres://app:$(PASSWORD)@db/app", False),
        ("DATABASE_URL", "postgres://db/app", False),
        ("PASSWORD", "$PASSWORD", False),
        ("PASSWORD", "${PASSWORD:?}", False),
        ("PASSWORD", "", False),
        ("TOKEN_FILE", "/run/secrets/token", False),
        ("TOKEN", "/run/secrets/token", False),
        ("TLS_SECRET", "shop-tls", False),
        ("TLS_SECRET", "c2VjcmV0", True),
        ("MAX_TOKENS", "100", False),
        ("KEYBOARD", "de", False),
    ],
)
def test_a_written_secret_is_told_from_a_reference(name: str, value: str, secret: bool) -> None:
    assert subjects.is_secret(name, value) is secret


def test_pods_of_an_operator_are_believed(tmp_path: Path) -> None:
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: y}\n"
    service += "spec: {selector: {a: b}, ports: [{port: 1}]}\n"
    pod = f"{POD}spec: {{containers: []}}\n{service}"
    operated = "---\napiVersion: acid.zalan.do/v1\nkind: postgresql\nmetadata: {namespace: y}\n"

    alone = {one.rule for one in rules.check(write(tmp_path, "a.yaml", pod)).findings}
    beside = {one.rule for one in rules.check(write(tmp_path, "a.yaml", pod + operated)).findings}

    assert alone - beside == {"cross-selects-nothing"}
