"""Alerts fire and lead to the runbook, the dashboard shows what is measured, text stays text."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.deploy import alert_cases, alerts, dashboard, metrics, render
from sdlc_cli.deploy.escape import NotWritable, markdown
from sdlc_cli.deploy.model import Budget, Cluster, DeploySpec, Monitoring, ServiceLevels
from sdlc_cli.deploy.sets import monitoring

Make = Callable[..., DeploySpec]
RENDERER = render.Renderer(None)
PAGE = Path(__file__).parents[3] / "docs" / "deploy-pipeline.md"
TRACES = "http://jaeger.tracing.svc:4318"


def rendered(specs: Sequence[DeploySpec]) -> dict[str, str]:
    return {
        one.path.removeprefix("monitoring/"): RENDERER.artifact(one).text
        for one in monitoring.files(specs)
    }


def read(text: str) -> Any:
    return yaml.load(text, yaml.CSafeLoader)


def every_shape(specs: Sequence[DeploySpec], awkward: DeploySpec) -> Iterator[DeploySpec]:
    """Specs that together have every alert, in each of its forms."""
    yield from specs
    yield awkward
    yield replace(
        specs[2], cluster=Cluster(), autoscaling=None, monitoring=Monitoring(traces=TRACES)
    )


def written(texts: dict[str, str], environment: str) -> list[Any]:
    """The alerts of an environment, as the file says them."""
    groups = read(texts[f"rules/alerts-{environment}.yml"])["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_every_shape_of_service_has_ten_alerts_or_more(
    specs: tuple[DeploySpec, ...], awkward: DeploySpec
) -> None:
    for spec in every_shape(specs, awkward):
        names = {one.name for group in alerts.rules(spec) for one in group.alerts}
        assert len(names) >= 10


def test_an_alert_waits_and_says_how_bad_whose_and_what_to_do(
    specs: tuple[DeploySpec, ...],
) -> None:
    texts = rendered(specs)
    sections = set(re.findall(r"^## (\w+)$", texts["RUNBOOK.md"], re.M))
    for spec in specs:
        for rule in written(texts, spec.environment):
            assert re.fullmatch(r"[1-9]\d*[mh]", rule["for"])
            assert rule["labels"]["severity"] in ("warning", "critical")
            assert rule["labels"]["owner"] == spec.owner
            assert rule["labels"]["environment"] == spec.environment
            assert rule["annotations"]["summary"].startswith(f"answers in {spec.environment}: ")
            assert rule["annotations"]["description"].endswith(".")
            assert rule["alert"] in sections
            assert rule["annotations"]["runbook_url"] == (
                f"monitoring/RUNBOOK.md#{rule['alert'].lower()}"
            )


REVIEWED = (
    "RUNBOOK.md",
    "alertmanager.yml",
    "grafana-dashboard.json",
    "prometheus.yml",
    "rules/alerts-prod.yml",
    "rules/recording-prod.yml",
)


@pytest.mark.parametrize("path", REVIEWED)
def test_files_are_as_people_reviewed_them(
    golden: Callable[[str, str], None], specs: tuple[DeploySpec, ...], path: str
) -> None:
    golden(f"deploy/{path.rpartition('/')[2]}", rendered(specs)[path])


def test_only_production_wakes_somebody(specs: tuple[DeploySpec, ...]) -> None:
    texts = rendered(specs)
    bad = {
        spec.environment: {one["labels"]["severity"] for one in written(texts, spec.environment)}
        for spec in specs
    }

    assert bad["dev"] == bad["staging"] == {"warning"}
    assert bad["prod"] == bad["dr"] == {"warning", "critical"}


def test_thresholds_are_those_of_the_spec(spec: Make) -> None:
    levels = ServiceLevels(
        availability=Decimal("99.5"),
        error_rate=Decimal("2.5"),
        p95_seconds=Decimal("0.8"),
        requests_per_second=Decimal(40),
    )
    made = spec(service_levels=levels, budget=Budget(monthly_usd=Decimal(900)))
    ends = {
        one.name: one.expr.rpartition(" > ")[2]
        for group in alerts.rules(made)
        for one in group.alerts
    }

    assert ends["ErrorRateHigh"] == "0.025"
    assert ends["LatencyHigh"] == "0.8"
    assert ends["TrafficAbovePlan"] == "40"
    assert ends["AvailabilityBurnFast"] == "0.072"
    assert ends["AvailabilityBurnSlow"] == "0.03"
    assert ends["BudgetBurn"] == "900"
    assert ends["BudgetBurnFast"] == "5400"


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        pytest.param({"budget": Budget()}, {"BudgetBurn", "BudgetBurnFast"}, id="no budget"),
        pytest.param({"domains": ()}, {"CertificateExpiring"}, id="no domain"),
        pytest.param({"model_apis": ()}, {"ModelCallErrorsHigh"}, id="no model"),
        pytest.param(
            {"metrics": None},
            {"ErrorRateHigh", "LatencyHigh", "TargetDown", "MetricsMissing", "BudgetBurn"},
            id="no metrics",
        ),
    ],
)
def test_what_a_service_lacks_is_not_alerted_on(
    spec: Make, changes: dict[str, Any], missing: set[str]
) -> None:
    whole = {one.name for group in alerts.rules(spec()) for one in group.alerts}
    left = {one.name for group in alerts.rules(spec(**changes)) for one in group.alerts}

    assert missing <= whole
    assert missing.isdisjoint(left)


def test_a_promise_too_low_to_be_burned_still_has_a_limit(spec: Make) -> None:
    made = spec(service_levels=ServiceLevels(availability=Decimal(50)))
    burn = next(g for g in alerts.rules(made) if g.name.endswith("-burn"))

    assert [one.expr.rpartition(" > ")[2] for one in burn.alerts] == ["0.9", "0.9"]


def test_every_alert_has_a_case_and_every_case_an_alert(
    specs: tuple[DeploySpec, ...], awkward: DeploySpec
) -> None:
    shapes = list(every_shape(specs, awkward))
    known = {one.name for s in shapes for group in alerts.rules(s) for one in group.alerts}

    assert known == set(alert_cases._CASES)


def test_the_page_lists_every_alert_and_how_long_it_waits(
    specs: tuple[DeploySpec, ...], awkward: DeploySpec
) -> None:
    rows = re.findall(r"^\| (\w+) \| .* \| (\d+[mh]) \|$", PAGE.read_text(encoding="utf-8"), re.M)
    shapes = every_shape(specs, awkward)

    assert sorted(rows) == sorted(
        {(one.name, one.hold) for s in shapes for group in alerts.rules(s) for one in group.alerts}
    )


def test_each_alert_is_tested_firing_and_quiet(specs: tuple[DeploySpec, ...]) -> None:
    texts = rendered(specs)
    for spec in specs:
        tests = read(texts[f"tests/{spec.environment}.yml"])["tests"]
        cases = [(one["name"], one["alert_rule_test"][0]["exp_alerts"]) for one in tests]
        for rule in written(texts, spec.environment):
            assert dict(cases)[f"{rule['alert']} fires"]
            assert dict(cases)[f"{rule['alert']} stays quiet"] == []


Promtool = Callable[..., str]


@pytest.fixture
def promtool(tmp_path: Path, checker: Callable[[str], str]) -> Promtool:
    """`promtool(texts, "check", "rules", …)` is what it says; fails where it finds anything."""
    program = checker("promtool")
    runs = count()

    def run(texts: dict[str, str], *words: str) -> str:
        folder = tmp_path / f"promtool-{next(runs)}"
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        done = subprocess.run(
            [program, *words], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.dev
@pytest.mark.slow
def test_promtool_sees_every_alert_fire_and_stay_quiet(
    promtool: Promtool, specs: tuple[DeploySpec, ...], awkward: DeploySpec
) -> None:
    shapes = list(every_shape(specs, awkward))
    for spec in shapes[2:3] + shapes[4:]:  # the others are like the first
        texts = rendered((spec,))
        rules = [path for path in texts if path.startswith("rules/")]
        tests = [path for path in texts if path.startswith("tests/")]
        found = promtool(texts, "check", "rules", *rules)
        assert f"{sum(len(group.rules) for group in alerts.rules(spec))}" in str(
            sum(map(int, re.findall(r"(\d+) rules found", found)))
        )
        promtool(texts, "test", "rules", *tests)


LEVELS = (
    ServiceLevels(
        availability=Decimal("99.999"),
        error_rate=Decimal("0.01"),
        p95_seconds=Decimal("0.05"),
        requests_per_second=Decimal("0.5"),
    ),
    ServiceLevels(
        availability=Decimal(100),
        error_rate=Decimal(0),
        p95_seconds=Decimal(300),
        requests_per_second=Decimal(100000),
    ),
    ServiceLevels(availability=Decimal(50), error_rate=Decimal(100)),
)


@pytest.mark.dev
@pytest.mark.slow
@pytest.mark.parametrize("levels", LEVELS, ids=["strict", "extreme", "loose"])
def test_promtool_agrees_at_unusual_levels(
    promtool: Promtool, spec: Make, levels: ServiceLevels
) -> None:
    texts = rendered((spec(service_levels=levels, budget=Budget(monthly_usd=Decimal("0.07"))),))

    promtool(texts, "test", "rules", "tests/dev.yml")


@pytest.mark.dev
@pytest.mark.slow
def test_a_test_of_promtool_fails_when_a_threshold_is_wrong(promtool: Promtool, spec: Make) -> None:
    texts = dict(rendered((spec(),)))
    path = "rules/alerts-dev.yml"
    texts[path] = texts[path].replace(" > 0.05", " > 0.5")

    with pytest.raises(AssertionError, match="ErrorRateHigh fires"):
        promtool(texts, "test", "rules", "tests/dev.yml")


@pytest.mark.dev
@pytest.mark.slow
def test_prometheus_takes_its_configuration(
    promtool: Promtool, specs: tuple[DeploySpec, ...]
) -> None:
    """Debian's promtool knows no Kubernetes, so its targets are looked at here."""
    texts = dict(rendered(specs))
    whole = read(texts["prometheus.yml"])
    roles = []
    for job in whole["scrape_configs"]:
        roles += [
            (job["job_name"], one["role"], one.get("namespaces", {}).get("names"))
            for one in job.pop("kubernetes_sd_configs", ())
        ]
        if "tls_config" in job:  # files of the pod that Prometheus runs in
            assert job.pop("tls_config")["ca_file"].startswith("/var/run/secrets/")
            job.pop("authorization")
    texts["prometheus.yml"] = yaml.safe_dump(whole)

    promtool(texts, "check", "config", "prometheus.yml")
    assert [one for one in roles if one[1] == "pod"] == [
        (f"answers-{name}", "pod", [f"answers-{name}"]) for name in ("dev", "staging", "prod", "dr")
    ]
    assert ("kubelet", "node", None) in roles


@pytest.mark.parametrize("receiver", ["slack", "pagerduty", "webhook"])
def test_alertmanager_takes_its_configuration(tmp_path: Path, spec: Make, receiver: Any) -> None:
    made = spec(monitoring=Monitoring(receiver=receiver), owner='a "b" \\ {c}, d=~"e"\n#')
    text = rendered((made,))["alertmanager.yml"]
    whole = read(text)
    kind = f"{receiver}_configs"

    assert [one for one in whole["receivers"][0][kind][0] if one.endswith("_file")]
    assert whole["route"]["receiver"] == made.owner
    program = shutil.which("amtool")
    if not program:  # what it would add: Alertmanager's own word on the file
        return
    if receiver == "webhook":  # Debian's is older than url_file
        whole["receivers"][0][kind] = [{"url": "http://127.0.0.1/"}]
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(whole))
    config = ["--config.file", str(tmp_path / "alertmanager.yml")]
    for words in (["check-config", config[1]], ["config", "routes", "test", *config, "owner=x"]):
        done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_owner_hears_of_its_own_alerts(specs: tuple[DeploySpec, ...]) -> None:
    others = Monitoring(receiver="slack", secret_file="/etc/alertmanager/secrets/dev")
    changed = (
        replace(specs[0], owner="Dev", monitoring=others),
        replace(specs[1], monitoring=others),
        *specs[2:],
    )
    route = read(rendered(changed)["alertmanager.yml"])["route"]

    assert route["receiver"] == "Team Answers (prod, dr)"  # production hears the rest as well
    assert {one["receiver"]: one["matchers"] for one in route["routes"]} == {
        "Team Answers (prod, dr)": ['owner="Team Answers"', 'environment=~"prod|dr"'],
        "Dev": ['owner="Dev"', 'environment=~"dev"'],
        "Team Answers (staging)": ['owner="Team Answers"', 'environment=~"staging"'],
    }


def test_a_certificate_is_watched_by_cert_manager_or_by_a_probe(spec: Make) -> None:
    managed = rendered((spec(),))["prometheus.yml"]
    probed = rendered((spec(cluster=Cluster()),))["prometheus.yml"]

    assert "cert-manager;9402" in managed
    assert "probe" not in managed
    assert "cert-manager" not in probed
    assert '"https://answers.example.com"' in probed


def test_the_collector_limits_its_memory_first_and_sends_traces_where_the_spec_says(
    spec: Make,
) -> None:
    with_traces = read(
        rendered((spec(monitoring=Monitoring(traces=TRACES)),))["otel-collector.yaml"]
    )
    without = read(rendered((spec(),))["otel-collector.yaml"])

    for pipeline in with_traces["service"]["pipelines"].values():
        assert pipeline["processors"] == ["memory_limiter", "batch"]
    assert with_traces["exporters"]["otlphttp/traces"]["endpoint"] == TRACES
    assert with_traces["service"]["pipelines"]["traces"]["exporters"] == ["otlphttp/traces"]
    assert set(without["service"]["pipelines"]) == {"metrics"}


def test_traces_of_another_environment_have_a_collector_of_their_own(
    specs: tuple[DeploySpec, ...],
) -> None:
    changed = tuple(
        replace(one, monitoring=Monitoring(traces=f"{TRACES}/{one.production}")) for one in specs
    )
    texts = rendered(changed)

    assert {path for path in texts if path.startswith("otel")} == {
        "otel-collector.yaml",
        "otel-collector-dev.yaml",
        "otel-collector-staging.yaml",
    }


def panels(text: str) -> list[Any]:
    return [one for one in json.loads(text)["panels"] if one["type"] != "row"]


def test_the_dashboard_shows_each_promise_the_cost_and_the_replicas(
    specs: tuple[DeploySpec, ...],
) -> None:
    titles = {one["title"] for one in panels(rendered(specs)["grafana-dashboard.json"])}

    assert {"Availability", "Error rate", "Latency p95", "Requests a second"} <= titles
    assert {"Cost of a month", "Cost an hour by model", "Replicas"} <= titles


def test_panels_have_a_source_an_id_and_a_place_of_their_own(
    specs: tuple[DeploySpec, ...], awkward: DeploySpec
) -> None:
    for shape in (specs, (awkward,)):
        whole = json.loads(rendered(shape)["grafana-dashboard.json"])
        assert whole["uid"] == shape[0].app
        ids = [one["id"] for one in whole["panels"]]
        assert ids == list(range(1, len(ids) + 1))
        taken: set[tuple[int, int]] = set()
        for panel in whole["panels"]:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= dashboard.WIDTH
            cells = {
                (place["x"] + column, place["y"] + row)
                for column in range(place["w"])
                for row in range(place["h"])
            }
            assert taken.isdisjoint(cells)
            taken |= cells
            if panel["type"] != "row":
                assert panel["type"] in ("timeseries", "stat")
                assert panel["datasource"] == {"type": "prometheus", "uid": "prometheus"}
                assert [one["refId"] for one in panel["targets"]] == sorted(
                    {one["refId"] for one in panel["targets"]}
                )


SELECTED = re.compile(r"([a-zA-Z_:][\w:]*)\{")


def test_every_series_that_is_used_is_one_that_somebody_exports_or_records(
    specs: tuple[DeploySpec, ...], awkward: DeploySpec
) -> None:
    exported = {value for name, value in vars(metrics).items() if name.isupper()}
    exported |= {f"{name}_{part}" for name in exported for part in ("count", "sum", "bucket")}
    for spec in every_shape(specs, awkward):
        groups = alerts.rules(spec)
        recorded = {one.record for group in groups for one in group.recordings}
        texts = [one.expr for group in groups for one in group.rules]
        texts += [
            target["expr"]
            for panel in panels(rendered((spec,))["grafana-dashboard.json"])
            for target in panel["targets"]
        ]
        used = {name for text in texts for name in SELECTED.findall(text)}
        assert used
        assert {name for name in used if ":" in name} <= recorded
        assert {name for name in used if ":" not in name} <= exported


def test_the_runbook_has_a_section_for_each_alert_and_no_other(
    specs: tuple[DeploySpec, ...], awkward: DeploySpec
) -> None:
    for spec in every_shape(specs, awkward):
        text = rendered((spec,))["RUNBOOK.md"]
        known = {one.name for group in alerts.rules(spec) for one in group.alerts}
        sections = set(re.findall(r"^## (\w+)$", text, re.M))
        assert sections == known


def test_links_inside_the_runbook_lead_to_its_sections(
    specs: tuple[DeploySpec, ...], awkward: DeploySpec
) -> None:
    for spec in every_shape(specs, awkward):
        text = rendered((spec,))["RUNBOOK.md"]
        anchors = {one.lower().replace(" ", "-") for one in re.findall(r"^##? (.+)$", text, re.M)}
        assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


def test_the_runbook_names_the_real_namespaces(specs: tuple[DeploySpec, ...]) -> None:
    text = rendered(specs)["RUNBOOK.md"]
    used = set(re.findall(r"--namespace ([\w-]+)", text))

    assert used == {"answers-prod"}
    for spec in specs:
        assert f"| `{spec.namespace}` |" in text


HOSTILE = (
    "x\n  hostNetwork: true",
    "{{ $labels.pod }}",
    "{{ fail }} }} {{`x`}} {{{",
    "${{ github.token }} ${HOME} $$ $namespace [[x]]",
    "'\"\\ \\n",
    "# comment",
    ": , - ? ! & * | > % @ `",
    "</script><img src=x onerror=alert(1)> [a](b) | c",
    "x\x00y\x85z\u2028",
    "é" * 300,
    "🚀",
    "../../etc/passwd",
    "!!python/object:os.system",
    "true",
    " ",
)
ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)
SPEC_FIELDS = ("owner", "runbook", "traces", "secret_file")


def changed(spec: DeploySpec, field: str, text: str) -> DeploySpec:
    if field == "owner":
        return replace(spec, owner=text)
    words: dict[str, Any] = {field: text}
    return replace(spec, monitoring=replace(spec.monitoring, **words))


@pytest.mark.parametrize("field", SPEC_FIELDS)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(spec: Make, field: str, text: str) -> None:
    literal(spec(), field, text)


@settings(max_examples=40)  # each renders all files
@given(text=ANY, field=st.sampled_from(SPEC_FIELDS))
def test_any_text_stays_text(text: str, field: str) -> None:
    literal(_SERVICE, field, text)


def literal(spec: DeploySpec, field: str, text: str) -> None:
    """Parsed back, files differ from those of plain text only where they say the text."""
    # Both texts are of one kind to a URL and a list of owners, so the same files are rendered.
    mark = "zq7mark"
    plain, hostile = (rendered((changed(spec, field, one),)) for one in (mark, text))
    assert plain.keys() == hostile.keys()
    for path, expected in plain.items():
        if path.endswith(".md"):
            assert hostile[path] == expected.replace(mark, markdown(text))
            continue
        said = replaced(_parsed(path, expected), mark, text)
        assert _unescaped(_parsed(path, hostile[path])) == said, path


def _parsed(path: str, text: str) -> Any:
    return json.loads(text) if path.endswith(".json") else read(text)


def replaced(value: Any, mark: str, text: str) -> Any:
    if isinstance(value, str):
        promql = json.dumps(text, ensure_ascii=False)[1:-1] if value.startswith("owner=") else text
        return value.replace(mark, promql)
    if isinstance(value, dict):
        return {key: replaced(one, mark, text) for key, one in value.items()}
    return [replaced(one, mark, text) for one in value] if isinstance(value, list) else value


def _unescaped(value: Any, key: str = "") -> Any:
    """As who reads it next: Go's templates in alerts, `$$` in the collector."""
    if isinstance(value, str):
        if value.startswith("owner="):
            return re.sub(r"\\u([0-9a-f]{4})", _character, value)
        value = value.replace("{{`{{`}}", "{{")
        return value.replace("$$", "$") if key == "endpoint" else value
    if isinstance(value, dict):
        return {name: _unescaped(one, name) for name, one in value.items()}
    return [_unescaped(one) for one in value] if isinstance(value, list) else value


def _character(found: re.Match[str]) -> str:
    one = chr(int(found[1], 16))
    return found[0] if ord(one) < 32 else one


@pytest.mark.dev
@pytest.mark.slow
def test_prometheus_prints_hostile_owners_as_they_are(promtool: Promtool, spec: Make) -> None:
    """Labels and annotations are Go templates: promtool evaluates them and compares."""
    for owner in HOSTILE:
        made = spec(owner=owner, monitoring=Monitoring(runbook=f"https://example.com/{owner}"))
        texts = dict(rendered((made,)))
        tests = read(texts["tests/dev.yml"])
        tests["tests"] = [one for one in tests["tests"] if one["name"] == "CpuHigh fires"]
        texts["tests/dev.yml"] = yaml.safe_dump(tests)
        assert tests["tests"]
        promtool(texts, "test", "rules", "tests/dev.yml")


def test_half_a_character_is_refused(spec: Make) -> None:
    with pytest.raises((NotWritable, ConfigError), match="lone surrogate"):
        rendered((spec(owner="\ud800"),))


_SERVICE = DeploySpec(
    environment="prod",
    app="answers",
    owner="Team",
    image=None,  # type: ignore[arg-type]  # nothing of monitoring reads these two
    resources=None,  # type: ignore[arg-type]
)
