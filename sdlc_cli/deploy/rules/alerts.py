"""Rules on alerts: that they wait, say how bad it is, lead to a runbook, and are tested."""

import re
from collections.abc import Callable, Iterator

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules import promql, values
from sdlc_cli.deploy.rules.parsed import Parsed
from sdlc_cli.deploy.rules.recorded import Entry, entries, seconds
from sdlc_cli.deploy.rules.rule import Hit, Rule

LEAST_ALERTS = 8
_RUNBOOK = ("runbook_url", "runbook", "runbook_uri")
_RECORDED = re.compile(r"[a-zA-Z_]\w*:[\w:]*\w")


def _alerts(parsed: Parsed) -> Iterator[Entry]:
    return (one for one in entries(parsed) if "alert" in one.root)


def _each(test: Callable[[Entry], Iterator[tuple[str, str]]]) -> Callable[[Parsed], Iterator[Hit]]:
    def check(parsed: Parsed) -> Iterator[Hit]:
        for one in _alerts(parsed):
            for key, detail in test(one):
                yield one.hit(key, detail)

    return check


@_each
def _no_for(one: Entry) -> Iterator[tuple[str, str]]:
    if values.text(one.root, "for") in ("", "0", "0s", "0m"):
        yield "for", ""


@_each
def _no_severity(one: Entry) -> Iterator[tuple[str, str]]:
    if not values.text(one.root, "labels", "severity"):
        yield "labels", ""


@_each
def _no_runbook(one: Entry) -> Iterator[tuple[str, str]]:
    if not any(values.text(one.root, "annotations", key) for key in _RUNBOOK):
        yield "annotations", ""


@_each
def _no_summary(one: Entry) -> Iterator[tuple[str, str]]:
    if not any(
        values.text(one.root, "annotations", key) for key in ("summary", "description", "message")
    ):
        yield "annotations", ""


def _untested(parsed: Parsed) -> Iterator[Hit]:
    """An alert is tested where some test of the set names it, whatever file it is in."""
    tested = {
        values.text(case, "alertname")
        for document in parsed.rule_tests
        for test in values.sections(document.root, "tests")
        for case in values.sections(test, "alert_rule_test")
    }
    for one in _alerts(parsed):
        if one.name not in tested:
            yield one.hit("alert")


def _few(parsed: Parsed) -> Iterator[Hit]:
    names = {one.name for one in _alerts(parsed)}
    first = next(_alerts(parsed), None)
    if first and len(names) < LEAST_ALERTS:
        yield Hit(first.path, first.group.line, first.scope.rpartition("/")[2], str(len(names)))


def _twice(parsed: Parsed) -> Iterator[Hit]:
    """The same alert with the same labels twice in one scope: they hide each other."""
    seen: set[tuple[str, str, str, str]] = set()
    for one in entries(parsed):
        labels = values.section(one.root, "labels")
        said = ",".join(f"{key}={labels[key]}" for key in sorted(labels))
        key = (one.scope, one.subject, said, one.expr)
        if key in seen:
            yield one.hit("alert" if "alert" in one.root else "record")
        seen.add(key)


def _broken(parsed: Parsed) -> Iterator[Hit]:
    for one in entries(parsed):
        if broken := promql.read(one.expr).broken:
            yield one.hit("expr", broken)


def _recording_name(parsed: Parsed) -> Iterator[Hit]:
    for one in entries(parsed):
        if "record" in one.root and not _RECORDED.fullmatch(one.name):
            yield one.hit("record")


_RANGE = re.compile(
    r"\b(?:rate|irate|increase)\s*\([^()]*\[((?:[0-9]+(?:ms|[smhdwy]))+)(?::[^\]]*)?\]"
)


def _short(parsed: Parsed) -> Iterator[Hit]:
    """A rate needs two samples: four scrape intervals are what Prometheus advises."""
    written = [
        seconds(values.text(one.root, "global", "scrape_interval")) for one in parsed.prometheus
    ]
    written += [
        seconds(values.text(endpoint, "interval"))
        for one in parsed.objects.of("ServiceMonitor", "PodMonitor")
        for endpoint in values.sections(one.root, "spec", "endpoints")
    ]
    slowest = max(written, default=0)
    for one in entries(parsed):
        for match in _RANGE.finditer(one.expr):
            if slowest and seconds(match[1]) < 2 * slowest:
                yield one.hit("expr", f"[{match[1]}] < 2 x {slowest:g}s")


RULES = (
    Rule(
        id="mon-alert-without-for",
        severity=Severity.MEDIUM,
        title=msg("the alert fires at the first bad sample"),
        why=msg("One lost scrape wakes somebody, who then trusts no alert any more."),
        fix=msg("Set `for`, as long as it may last without anybody acting."),
        check=_no_for,
    ),
    Rule(
        id="mon-alert-without-severity",
        severity=Severity.MEDIUM,
        title=msg("the alert has no label severity"),
        why=msg("Alertmanager cannot tell whether to wake somebody or to write a ticket."),
        fix=msg("Set `labels.severity` to critical, warning or info."),
        check=_no_severity,
    ),
    Rule(
        id="mon-alert-without-runbook",
        severity=Severity.MEDIUM,
        title=msg("the alert leads to no runbook"),
        why=msg("At night, whoever is on call has to find out what to do alone."),
        fix=msg("Set `annotations.runbook_url` to the section that says what to do."),
        check=_no_runbook,
    ),
    Rule(
        id="mon-alert-without-summary",
        severity=Severity.LOW,
        title=msg("the alert does not say what is wrong"),
        why=msg("The message is then a name and a list of labels."),
        fix=msg("Set `annotations.summary`, with the value in it."),
        check=_no_summary,
    ),
    Rule(
        id="mon-alert-untested",
        severity=Severity.LOW,
        title=msg("no unit test makes the alert fire"),
        why=msg("A wrong label in its expression keeps it silent for ever, and nobody sees it."),
        fix=msg("Add an `alert_rule_test` and run `promtool test rules`."),
        same_as=("promtool test rules",),
        check=_untested,
    ),
    Rule(
        id="mon-few-alerts",
        severity=Severity.LOW,
        title=msg("there are fewer alerts than a service has ways to fail"),
        why=msg("Errors, latency, saturation, restarts, disk, certificates, availability and cost"
                " each fail alone."),
        fix=msg("Write at least 8 alerts, for symptoms first."),
        check=_few,
    ),
    Rule(
        id="mon-duplicate-rule",
        severity=Severity.MEDIUM,
        title=msg("the rule is written twice"),
        why=msg("When one is changed, the other still says the old."),
        fix=msg("Remove one of the two."),
        same_as=("promtool check rules",),
        check=_twice,
    ),
    Rule(
        id="mon-broken-expression",
        severity=Severity.HIGH,
        title=msg("the expression is not closed, or no PromQL"),
        why=msg("Prometheus refuses the whole file, with all alerts in it."),
        fix=msg("Run `promtool check rules` and mend the expression."),
        same_as=("promtool check rules",),
        check=_broken,
    ),
    Rule(
        id="mon-recording-name",
        severity=Severity.LOW,
        title=msg("the recorded series is not called level:metric:operation"),
        why=msg("Nobody can tell it from a metric that a service exports."),
        fix=msg("Call it as in `service:http_requests:rate5m`."),
        check=_recording_name,
    ),
    Rule(
        id="mon-short-range",
        severity=Severity.MEDIUM,
        title=msg("the range is too short for how often is scraped"),
        why=msg("A rate needs two samples in its range: one late scrape leaves a gap."),
        fix=msg("Make the range four scrape intervals or more."),
        check=_short,
    ),
)  # fmt: skip
