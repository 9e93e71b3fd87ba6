"""Rules across alerts, dashboards, runbooks and manifests: names and metrics are the same."""

import re
from collections.abc import Iterable, Iterator, Mapping

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy import metrics
from sdlc_cli.deploy.rules import promql, values
from sdlc_cli.deploy.rules.objects import Object
from sdlc_cli.deploy.rules.parsed import Parsed
from sdlc_cli.deploy.rules.recorded import Entry, entries
from sdlc_cli.deploy.rules.rule import Hit, Rule

_NAMESPACE = re.compile(r"(?:--namespace|-n)[ =]([a-z0-9][a-z0-9-]*)(?![\w$({.-])")
# Metrics that ours name; the suffixes are those of a histogram.
_KNOWN = frozenset(
    value for key, value in vars(metrics).items() if key.isupper() and isinstance(value, str)
)
_LONGEST = 100  # letters of a name that a slip is looked for in
_SUFFIX = re.compile(r"_(?:bucket|sum|count)$")
_LABELS: Mapping[str, tuple[str, ...]] = {
    "deployment": ("Deployment",),
    "statefulset": ("StatefulSet",),
    "daemonset": ("DaemonSet",),
    "horizontalpodautoscaler": ("HorizontalPodAutoscaler",),
}


def alike(word: str, known: Iterable[str]) -> str:
    """The known word that `word` is one slip of the finger away from; '' for none.

    A slip is a letter left out, doubled, changed or swapped; a digit is counted on purpose.
    """
    if len(word) > _LONGEST:
        return ""
    mine = _shorter(word)
    for other in known:
        near = len(other) <= _LONGEST and abs(len(word) - len(other)) <= 1 and word != other
        near = near and bool(mine & _shorter(other))
        if near and re.sub(r"[0-9]", "", word) != re.sub(r"[0-9]", "", other):
            return other
    return ""


def _shorter(word: str) -> set[str]:
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}


def _expressions(parsed: Parsed) -> Iterator[tuple[Hit, promql.Named]]:
    """Every expression of rules and dashboards, and where it stands."""
    for entry in entries(parsed):
        yield entry.hit("expr"), promql.read(entry.expr)
    for one in parsed.dashboards:
        for panel in values.sections(one.root, "panels"):
            for inner in (panel, *values.sections(panel, "panels")):
                for target in values.sections(inner, "targets"):
                    title = f"panel {values.text(inner, 'title')}"
                    hit = Hit(one.path, values.line(target, "expr"), title)
                    expression = re.sub(r"\$\{?\w+\}?", "1m", values.text(target, "expr"))
                    yield hit, promql.read(expression)


def _unrecorded(parsed: Parsed) -> Iterator[Hit]:
    known = {entry.name for entry in entries(parsed) if "record" in entry.root}
    if not known:
        return  # recorded elsewhere
    for hit, said in _expressions(parsed):
        for name in dict.fromkeys(said.metrics):
            if ":" in name and name not in known:
                yield Hit(hit.path, hit.line, hit.subject, name)


def _metric(parsed: Parsed) -> Iterator[Hit]:
    for hit, said in _expressions(parsed):
        for name in dict.fromkeys(said.metrics):
            plain = _SUFFIX.sub("", name)
            if ":" in name or len(plain) < 8 or {name, plain} & _KNOWN:
                continue
            if close := alike(plain, _KNOWN):
                yield Hit(hit.path, hit.line, hit.subject, f"{name}: {close}")


def _target(parsed: Parsed) -> Iterator[Hit]:
    """An alert on an object that its namespace, which is among the manifests, does not hold."""
    objects = parsed.objects
    spaces = {one.namespace for one in objects.workloads}
    for hit, said in _expressions(parsed):
        by_metric: dict[str, dict[str, str]] = {}
        for metric, label, operator, value in said.matchers:
            if operator == "=":
                by_metric.setdefault(metric, {})[label] = value
        for labels in by_metric.values():
            if labels.get("namespace") in spaces:
                yield from _absent(objects.every, labels, hit)


def _absent(every: tuple[Object, ...], labels: Mapping[str, str], hit: Hit) -> Iterator[Hit]:
    here = [one for one in every if one.namespace == labels["namespace"]]
    for label, kinds in _LABELS.items():
        wanted = labels.get(label)
        if wanted and not any(one.kind in kinds and one.name == wanted for one in here):
            yield Hit(hit.path, hit.line, hit.subject, f'{label}="{wanted}"')
    wanted = labels.get("container")
    names = {c.name for one in here for c in one.containers}
    if wanted and names and wanted not in names:
        yield Hit(hit.path, hit.line, hit.subject, f'container="{wanted}"')


def _namespace(parsed: Parsed) -> Iterator[Hit]:
    """A namespace that is one letter away from one of the manifests."""
    known = {one.namespace for one in parsed.objects.every} | {
        one.name for one in parsed.objects.of("Namespace")
    }
    known.discard("")
    for hit, name in _namespaces(parsed):
        if name not in known and (close := alike(name, known)):
            yield Hit(hit.path, hit.line, hit.subject, f"{name}: {close}")


def _namespaces(parsed: Parsed) -> Iterator[tuple[Hit, str]]:
    """Every namespace that alerts, workflows and runbooks name."""
    for hit, said in _expressions(parsed):
        for _metric_name, label, operator, value in said.matchers:
            if label == "namespace" and operator == "=":
                yield hit, value
    for document in parsed.workflows:
        for line, text in values.texts(document.root):
            for name in _NAMESPACE.findall(text):
                yield Hit(document.path, line, document.path.rpartition("/")[2]), name
    for path, text in parsed.runbooks.items():
        for number, line_text in enumerate(text.splitlines(), 1):
            for name in _NAMESPACE.findall(line_text):
                yield Hit(path, number, path.rpartition("/")[2]), name


def anchors(text: str) -> set[str]:
    """The anchors of a Markdown page's headings, as GitHub makes them."""
    found: dict[str, int] = {}
    fenced = False
    for row in text.splitlines():
        if row.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        match = None if fenced else re.fullmatch(r"#{1,6}\s+(.*?)\s*#*\s*", row)
        if match:
            word = re.sub(r"[^\w\- ]", "", match[1].lower().replace("\\", "")).replace(" ", "-")
            found[word] = found.get(word, -1) + 1
            if found[word]:
                found[f"{word}-{found[word]}"] = 0
    return set(found)


def _runbook(parsed: Parsed) -> Iterator[Hit]:
    pages = {path: anchors(text) for path, text in parsed.runbooks.items()}
    for entry in entries(parsed) if pages else ():
        for key in ("runbook_url", "runbook"):
            address = values.text(entry.root, "annotations", key)
            if address and "{{" not in address and not _leads(address, pages):
                line = values.line(entry.root, "annotations", key)
                yield Hit(entry.path, line, entry.subject, address)


def _leads(address: str, pages: Mapping[str, set[str]]) -> bool:
    """Whether a link leads to one of the pages, and to a section of it; others are believed."""
    place, _hash, anchor = address.partition("#")
    name = place.partition("?")[0].rstrip("/").rpartition("/")[2]
    found = [there for path, there in pages.items() if path.rpartition("/")[2] == name]
    if not found:
        return "://" in place
    return not anchor or any(anchor in there for there in found)


def _differs(parsed: Parsed) -> Iterator[Hit]:
    """One alert for one namespace, written in a file and in an object, and not the same."""
    first: dict[tuple[str, str, str], Entry] = {}
    for entry in entries(parsed):
        labels = values.section(entry.root, "labels")
        space = values.text(labels, "namespace") + values.text(labels, "environment")
        window = values.text(labels, "severity")
        key = (entry.subject, space, window)
        other = first.setdefault(key, entry)
        if other.scope != entry.scope and space:
            for part in ("expr", "for"):
                mine, theirs = (" ".join(values.text(e.root, part).split()) for e in (entry, other))
                if mine != theirs:
                    yield entry.hit(part, f"{part}: {other.scope}")


RULES = (
    Rule(
        id="cross-recorded-series",
        severity=Severity.HIGH,
        title=msg("a series is used that no recording rule makes"),
        why=msg("The alert never fires, or the panel stays empty."),
        fix=msg("Add the recording rule, or correct the name."),
        check=_unrecorded,
    ),
    Rule(
        id="cross-metric-name",
        severity=Severity.HIGH,
        title=msg("the metric is one letter away from one that is exported"),
        why=msg("No series has this name: the alert never fires, or the panel stays empty."),
        fix=msg("Use the name behind the colon."),
        check=_metric,
    ),
    Rule(
        id="cross-alert-target",
        severity=Severity.HIGH,
        title=msg("the expression names an object that its namespace does not hold"),
        why=msg("No series has this label: the alert never fires."),
        fix=msg("Use the object's name as the manifests have it."),
        check=_target,
    ),
    Rule(
        id="cross-namespace",
        severity=Severity.HIGH,
        title=msg("the namespace is one letter away from one of the manifests"),
        why=msg("The alert never fires, or the command finds nothing."),
        fix=msg("Use the name behind the colon."),
        check=_namespace,
    ),
    Rule(
        id="cross-runbook",
        severity=Severity.MEDIUM,
        title=msg("the alert leads to a page or section that is not there"),
        why=msg("At night, whoever is on call finds nothing behind the link."),
        fix=msg("Add a section with the alert's name, or correct the link."),
        check=_runbook,
    ),
    Rule(
        id="cross-rule-copies",
        severity=Severity.MEDIUM,
        title=msg("two copies of one rule say different things"),
        why=msg("Which of them holds depends on how Prometheus is run."),
        fix=msg("Make both from one source."),
        check=_differs,
    ),
)  # fmt: skip
