import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.core.finding import Severity
from sdlc_cli.gate.advisories import cvss_score, rate, read
from sdlc_cli.gate.config import Dependencies
from sdlc_cli.gate.engines import dependencies
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.source import Project

Tree = Callable[..., Path]
CLEAN = {"name": "attrs", "version": "23.1.0", "vulns": []}
PYSEC = {"id": "PYSEC-2023-62", "fix_versions": ["2.3.2", "2.2.5"], "aliases": ["CVE-2023-30861"]}
GHSA = {"id": "GHSA-m2qf-hxjv-5gpq", "fix_versions": ["2.3.2"], "aliases": ["CVE-2023-30861"]}


def flask(*vulnerabilities: object) -> dict[str, object]:
    return {"name": "flask", "version": "0.5", "vulns": list(vulnerabilities)}


def osv(record: object, **group: object) -> dict[str, object]:
    package = {"name": "jinja2", "version": "2.4.1", "ecosystem": "PyPI"}
    entry = {"package": package, "vulnerabilities": [record], "groups": [group] if group else None}
    return {"results": [{"source": {"path": "uv.lock", "type": "lockfile"}, "packages": [entry]}]}


def measure(tree: Tree, report: object, *, days: float = 0, **options: Any) -> Measurement:
    text = report if isinstance(report, str) else json.dumps(report)
    root = tree({"pip-audit.json": text, "pyproject.toml": '[project]\nname = "My.App"\n'})
    then = time.time() - days * 86400
    os.utime(root / "pip-audit.json", (then, then))
    project = Project(root=root, base=root, files=())
    return dependencies.check(project, "dependencies", Dependencies(**options))


def test_no_vulnerability_is_100_points(tree: Tree) -> None:
    result = measure(tree, {"dependencies": [CLEAN], "fixes": []})

    assert (result.outcome, result.score, result.findings) == ("judged", 100, ())
    assert result.metrics["packages"] == 1


def test_the_old_form_is_a_bare_list(tree: Tree) -> None:
    result = measure(tree, [CLEAN, flask(PYSEC)])

    assert [f.rule for f in result.findings] == ["PYSEC-2023-62"]
    assert result.score == pytest.approx(50)


def test_a_vulnerability_tells_its_names_and_what_fixes_it(tree: Tree) -> None:
    (finding,) = measure(tree, {"dependencies": [flask(PYSEC)]}).findings

    assert finding.severity is Severity.HIGH
    assert finding.message == "flask 0.5 has the known vulnerability PYSEC-2023-62 (CVE-2023-30861)"
    assert finding.help == "fixed in 2.2.5, 2.3.2"


@pytest.mark.parametrize("order", [[PYSEC, GHSA], [GHSA, PYSEC]])
def test_one_vulnerability_under_several_ids_counts_once(tree: Tree, order: list[object]) -> None:
    result = measure(tree, {"dependencies": [flask(*order)]})

    (finding,) = result.findings
    assert finding.rule == "PYSEC-2023-62"
    assert "GHSA-m2qf-hxjv-5gpq" in finding.message
    assert result.metrics["vulnerabilities"] == 1


def test_a_bridge_between_two_names_joins_all_three(tree: Tree) -> None:
    a = {"id": "A-1", "fix_versions": []}
    b = {"id": "B-1", "fix_versions": []}
    bridge = {"id": "C-1", "fix_versions": [], "aliases": ["A-1", "B-1"]}

    result = measure(tree, {"dependencies": [flask(a, b, bridge)]})

    assert [f.rule for f in result.findings] == ["A-1"]


def test_each_further_vulnerability_costs_points(tree: Tree) -> None:
    many = [{"id": f"CVE-{n}", "fix_versions": []} for n in range(5)]
    scores = [
        measure(tree, {"dependencies": [flask(*many[:n]), CLEAN]}).score or 0 for n in range(6)
    ]

    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 6


def test_packages_that_could_not_be_audited_show_and_the_project_itself_does_not(
    tree: Tree,
) -> None:
    report = {
        "dependencies": [
            CLEAN,
            {"name": "private-lib", "skip_reason": "not found on PyPI"},
            {"name": "my-app", "skip_reason": "distribution marked as editable"},
        ]
    }

    result = measure(tree, report)

    assert [(f.rule, f.severity) for f in result.findings] == [("not-audited", Severity.LOW)]
    assert "private-lib" in result.findings[0].message
    assert result.metrics["not_audited"] == 1


def test_an_old_report_is_a_finding_with_its_age(tree: Tree) -> None:
    result = measure(tree, [CLEAN], days=9)

    (finding,) = result.findings
    assert (finding.rule, finding.severity) == ("old-report", Severity.MEDIUM)
    assert "9.0 days old, more than the 7.0" in finding.message


def test_max_age_can_be_raised(tree: Tree) -> None:
    assert measure(tree, [CLEAN], days=9, max_age=30 * 86400).findings == ()


def test_a_time_inside_the_report_beats_the_files_own(tree: Tree) -> None:
    report = {"dependencies": [CLEAN], "generated_at": "2020-01-01T00:00:00Z"}

    result = measure(tree, report)

    assert [f.rule for f in result.findings] == ["old-report"]
    assert result.metrics["report_time"] == "2020-01-01T00:00:00Z"


def test_a_report_from_the_future_is_new(tree: Tree) -> None:
    assert measure(tree, [CLEAN], days=-2).metrics["report_age_s"] == 0


@pytest.mark.parametrize(
    ("report", "words"),
    [
        pytest.param({"dependencies": []}, "nothing was looked at", id="no package"),
        pytest.param([], "nothing was looked at", id="no package, old form"),
        pytest.param([{"name": "a", "skip_reason": "?"}], "could be audited", id="all skipped"),
        pytest.param({"results": []}, "--all-packages", id="osv without a package"),
        pytest.param({"results": None}, "--all-packages", id="osv with null"),
        pytest.param({"numbers": 1}, "neither `dependencies` nor", id="another tool's"),
        pytest.param([{"name": "a"}], "neither `vulns` nor", id="a list of something else"),
        pytest.param({"dependencies": {"a": 1}}, "array", id="a package.json"),
        pytest.param("", "truncated", id="empty file"),
        pytest.param('{"dependencies": [', "truncated", id="cut off"),
        pytest.param("[" * 100_000, "", id="nested without end"),
    ],
)
def test_what_shows_nothing_is_an_error(tree: Tree, report: object, words: str) -> None:
    result = measure(tree, report)

    assert result.outcome == "error"
    assert words in result.reason


def test_bytes_that_are_no_text_are_an_error(tree: Tree) -> None:
    root = tree({"pip-audit.json": b"\xff\xfe\x00{"})
    project = Project(root=root, base=root, files=())

    assert dependencies.check(project, "dependencies", Dependencies()).outcome == "error"


def test_a_byte_order_mark_does_no_harm(tree: Tree) -> None:
    assert measure(tree, "\ufeff" + json.dumps([CLEAN])).score == 100


def test_without_a_report_the_reason_names_the_command(tree: Tree) -> None:
    root = tree({"a.py": ""})
    project = Project(root=root, base=root, files=())

    result = dependencies.check(project, "dependencies", Dependencies(report="audit/deps.json"))

    assert result.outcome == "skipped"
    assert "pip-audit -f json -o audit/deps.json" in result.reason


def test_a_folder_in_the_reports_place_is_an_error(tree: Tree) -> None:
    root = tree({"pip-audit.json/x": ""})
    project = Project(root=root, base=root, files=())

    assert dependencies.check(project, "dependencies", Dependencies()).outcome == "error"


VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


@pytest.mark.parametrize(
    ("record", "group", "expected"),
    [
        pytest.param({"database_specific": {"severity": "MODERATE"}}, {}, "medium", id="word"),
        pytest.param({"severity": [{"type": "CVSS_V3", "score": VECTOR}]}, {}, "critical", id="v3"),
        pytest.param({"severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N"}]}, {}, "high",
                     id="a vector we cannot compute"),
        pytest.param({}, {"ids": ["GHSA-1"], "max_severity": "5.3"}, "medium", id="group"),
        pytest.param({}, {"ids": ["GHSA-2"], "max_severity": "5.3"}, "high", id="other group"),
        pytest.param({}, {}, "high", id="nothing said"),
        pytest.param({"database_specific": None, "severity": None}, {}, "high", id="nulls"),
    ],
)  # fmt: skip
def test_osv_severity(
    tree: Tree, record: dict[str, object], group: dict[str, object], expected: str
) -> None:
    (finding,) = measure(tree, osv({"id": "GHSA-1", **record}, **group)).findings

    assert finding.severity == expected


def test_an_osv_record_gives_fix_versions_and_its_lock_file(tree: Tree) -> None:
    ranges = [
        {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10.1"}]},
        {"type": "GIT", "events": [{"fixed": "0123abcd"}]},
    ]
    affected = [
        {"package": {"name": "jinja2", "ecosystem": "PyPI"}, "ranges": ranges},
        {"package": {"name": "other"}, "ranges": [{"events": [{"fixed": "9"}]}]},
    ]
    record = {"id": "GHSA-1", "summary": "Sandbox escape", "affected": affected}

    (finding,) = measure(tree, osv(record)).findings

    assert finding.help == "fixed in 2.10.1"
    assert finding.location.path == "uv.lock"
    assert finding.message.endswith("Sandbox escape")


@pytest.mark.parametrize(
    ("source", "path"),
    [("/elsewhere/uv.lock", ""), ("../uv.lock", ""), ("{root}/a/uv.lock", "a/uv.lock")],
)
def test_a_lock_file_elsewhere_has_no_place(tree: Tree, source: str, path: str) -> None:
    report = osv({"id": "GHSA-1"})
    report["results"][0]["source"]["path"] = source.format(root=tree({}))  # type: ignore[index]

    (finding,) = measure(tree, report).findings

    assert finding.location.path == path


@pytest.mark.parametrize(
    ("vector", "expected"),
    [  # examples of the CVSS v3.1 specification's companion documents
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),
        ("CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1),
        ("CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", 4.2),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ("CVSS:3.1/AV:N", None),
        ("CVSS:4.0/AV:N/AC:L", None),
        ("nan", None),
        ("7.5", 7.5),
    ],
)
def test_cvss_scores(vector: str, expected: float | None) -> None:
    assert cvss_score(vector) == expected


@pytest.mark.parametrize(
    ("score", "severity"),
    [(0, "low"), (3.9, "low"), (4, "medium"), (6.9, "medium"), (7, "high"), (9, "critical")],
)
def test_ratings(score: float, severity: str) -> None:
    assert rate(score) == severity


@pytest.mark.dev
def test_pip_audits_own_writer_is_understood() -> None:
    """Made by pip-audit's classes, so that a change of its form shows here."""
    service = pytest.importorskip("pip_audit._service", reason="pip-audit is not installed")
    writer = pytest.importorskip("pip_audit._format").JsonFormat(True, True)
    from packaging.version import Version

    found = service.VulnerabilityResult(
        "PYSEC-2023-62", "Session cookie leak\nmore", [Version("2.3.2")], {"CVE-2023-30861"}
    )
    result = {
        service.ResolvedDependency("Flask", Version("0.5")): [found],
        service.ResolvedDependency("attrs", Version("23.1.0")): [],
        service.SkippedDependency("private-lib", "not found on PyPI"): [],
    }

    audit = read(writer.format(result, []).encode())

    assert (audit.packages, audit.format) == (2, "pip-audit")
    assert audit.skipped == (("private-lib", "not found on PyPI"),)
    (advisory,) = audit.advisories
    assert (advisory.id, advisory.aliases) == ("PYSEC-2023-62", ("CVE-2023-30861",))
    assert (advisory.package, advisory.version, advisory.fixed_in) == ("flask", "0.5", ("2.3.2",))
    assert advisory.summary == "Session cookie leak"


def test_a_pipe_or_a_device_is_no_report(tree: Tree) -> None:
    root = tree({})
    os.mkfifo(root / "pipe.json")
    os.mkfifo(root / "pyproject.toml")
    project = Project(root=root, base=root, files=())

    for report in ("pipe.json", "/dev/zero"):
        got = dependencies.check(project, "dependencies", Dependencies(report=report))
        assert got.outcome == "error"
        assert "is no regular file" in got.reason
    assert dependencies.own_name(root) == ""
