"""A verdict in every form: golden files to look at, and nothing in them that speaks to a reader."""

import json
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.core.findings_out import FileNotRead
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.view import View
from sdlc_cli.deploy.report import FORMATS, Verdict, explanation, load
from sdlc_cli.deploy.rules import Checked, explain

Golden = Callable[[str, str], None]
SUFFIX = {"text": "txt", "json": "json", "sarif": "sarif", "junit": "junit.xml",
          "github": "github.txt", "gitlab": "gitlab.json", "markdown": "md"}  # fmt: skip
HOSTILE = 'a\x1b[31m|`<b>@x\n::error::y "q" \u202e ]]>'


def finding(path: str, severity: Severity, *, line: int = 0, text: str = "") -> Finding:
    return Finding(
        rule="k8s-privileged",
        severity=severity,
        message=text or msg("{subject}: the container runs privileged", subject="Deployment web"),
        location=Location(path=path, line=line),
        help=msg("Remove `privileged`, and add the one capability that is needed."),
        fingerprint=f"{len(path):032x}",
    )


def verdict(*findings: Finding) -> Verdict:
    checked = Checked(
        findings=findings,
        looked_at={"kubernetes": 17, "docker": 1, "actions": 0},
        skipped=(
            FileNotRead(
                path="helm/web/templates/service.yaml",
                reason=msg("a Helm template, which is no YAML before it is rendered"),
            ),
        ),
    )
    return Verdict(checked=checked)


FAILED = verdict(
    finding("k8s/prod/deployment.yaml", Severity.CRITICAL, line=41),
    finding("k8s/dev/deployment.yaml", Severity.MEDIUM, line=7),
    finding("Dockerfile", Severity.LOW),
)


@pytest.mark.parametrize("form", FORMATS)
def test_a_verdict_in_every_form(form: str, golden: Golden) -> None:
    golden(f"deploy/findings.{SUFFIX[form]}", load(form).render(FAILED))


@pytest.mark.parametrize("width", [24, 40, 60, 120])
def test_text_fits_the_terminal(width: int, golden: Golden) -> None:
    text = load("text").render(FAILED, View(width=width))

    golden(f"deploy/findings.{width}.txt", text)
    if width >= 40:  # a path is never broken
        assert max(map(len, text.splitlines())) <= width


def test_colour_marks_the_verdict_and_the_severities() -> None:
    text = load("text").render(FAILED, View(color=True))

    assert "\x1b[1;31mDid not pass" in text
    assert "\x1b[1;31mcritical\x1b[0m k8s/prod/deployment.yaml:41" in text
    assert "\x1b" not in load("text").render(FAILED)


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_text_stays_text(form: str, golden: Golden) -> None:
    bad = finding(f"k8s/{HOSTILE}.yaml", Severity.HIGH, line=3, text=HOSTILE)

    text = load(form).render(verdict(bad))

    golden(f"deploy/hostile.{SUFFIX[form]}", text)
    assert "\x1b" not in text
    if form in ("json", "sarif", "gitlab"):
        assert json.loads(text)
    elif form == "junit":
        assert ElementTree.fromstring(text) is not None
    elif form == "github":
        assert [line for line in text.splitlines() if not line.startswith("::")] == []
        assert text.count("\n") == 1
    elif form == "markdown":
        assert "@x" not in text
        assert "<b>" not in text


@pytest.mark.parametrize("form", FORMATS)
def test_a_verdict_without_findings(form: str) -> None:
    text = load(form).render(verdict())

    assert verdict().passed
    assert "k8s-privileged" not in text
    if form in ("text", "markdown"):
        assert "Passed: 0 findings in 18 documents" in text


@pytest.mark.parametrize(
    ("fail_on", "breaking", "code"),
    [
        (Severity.LOW, 3, 1),
        (Severity.MEDIUM, 2, 1),
        (Severity.CRITICAL, 1, 1),
        (None, 0, 0),
    ],
)
def test_what_breaks_is_chosen_by_severity(
    fail_on: Severity | None, breaking: int, code: int
) -> None:
    made = replace(FAILED, fail_on=fail_on)

    assert len(made.breaking) == breaking
    assert made.exit_code == code


def test_many_findings_are_cut_for_people_and_whole_for_machines() -> None:
    many = verdict(*(finding(f"k8s/{n}.yaml", Severity.HIGH, line=n) for n in range(1, 2001)))

    short = load("text").render(many)
    comment = load("markdown").render(many)

    assert "and 1,980 more (--verbose)" in short
    assert load("text").render(many, View(verbose=True)).count("k8s-privileged") == 2000
    assert len(comment) < 65_536
    assert "more" in comment.splitlines()[-5] or "more" in comment
    assert len(json.loads(load("json").render(many))["findings"]) == 2000


@pytest.mark.parametrize("width", [24, 80])
def test_a_rule_is_explained_at_any_width(width: int) -> None:
    rule = explain("k8s-privileged")

    text = explanation.one(rule, "text", View(width=width))
    listed = explanation.every((rule,), "text", View(width=width))

    assert "What to do:" in text
    assert "CKV_K8S_16" in text
    assert max(map(len, text.splitlines())) <= max(width, 24)
    assert "k8s-privileged" in listed
