"""Rules on dashboards, Alertmanager and the OpenTelemetry collector."""

from collections.abc import Iterator, Mapping

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules import values
from sdlc_cli.deploy.rules.parsed import Document, Parsed
from sdlc_cli.deploy.rules.rule import Hit, Rule
from sdlc_cli.deploy.rules.values import Mapped

# Panels that Grafana 11 and later no longer draw, and what took their place.
_OLD_PANELS: Mapping[str, str] = {
    "graph": "timeseries",
    "singlestat": "stat",
    "table-old": "table",
    "grafana-piechart-panel": "piechart",
    "grafana-worldmap-panel": "geomap",
    "heatmap-old": "heatmap",
    "natel-discrete-panel": "state-timeline",
}
# Where Alertmanager can hold a secret in plain text; each has a sibling that names a file.
_PLAIN = frozenset({
    "slack_api_url", "api_url", "routing_key", "service_key", "api_key", "opsgenie_api_key",
    "smtp_auth_password", "auth_password", "password", "bot_token", "token", "webhook_url",
    "victorops_api_key", "credentials", "client_secret", "bearer_token", "user_key", "url",
})  # fmt: skip


def _panels(root: Mapped) -> Iterator[Mapped]:
    for panel in values.sections(root, "panels"):
        yield panel
        yield from values.sections(panel, "panels")  # those of a collapsed row


def _subject(document: Document) -> str:
    return document.path.rpartition("/")[2]


def _uid(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.dashboards:
        if not values.text(one.root, "uid"):
            yield Hit(one.path, values.line(one.root, "title"), _subject(one))


def _source(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.dashboards:
        for panel in _panels(one.root):
            if values.text(panel, "type") in ("row", "text", "news", "dashlist"):
                continue
            own = values.text(panel, "datasource", "uid")
            targets = list(values.sections(panel, "targets"))
            each = targets and all(values.text(t, "datasource", "uid") for t in targets)
            if not own and not each:
                title = values.text(panel, "title")
                yield Hit(one.path, values.line(panel, "title"), _subject(one), title)


def _old_panel(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.dashboards:
        for panel in _panels(one.root):
            kind = values.text(panel, "type")
            if kind in _OLD_PANELS:
                detail = f"{kind}: {_OLD_PANELS[kind]}"
                yield Hit(one.path, values.line(panel, "type"), _subject(one), detail)


def _empty_panel(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.dashboards:
        for panel in _panels(one.root):
            for target in values.sections(panel, "targets"):
                known = {"expr", "query", "rawSql", "expression"} & target.keys()
                if not known or not any(str(target[key] or "").strip() for key in known):
                    title = values.text(panel, "title")
                    yield Hit(one.path, values.line(panel, "targets"), _subject(one), title)


def _twice(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.dashboards:
        seen: set[str] = set()
        for panel in _panels(one.root):
            number = values.text(panel, "id")
            if number and number in seen:
                yield Hit(one.path, values.line(panel, "id"), _subject(one), number)
            seen.add(number)


def _plain_receiver(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.alertmanagers:
        stack: list[tuple[str, object]] = [
            ("global", one.root.get("global")),
            ("receivers", one.root.get("receivers")),
        ]
        while stack:
            key, value = stack.pop()
            if isinstance(value, Mapped):
                for name, inner in value.items():
                    secret = name in _PLAIN and (name != "url" or key == "webhook_configs")
                    if secret and isinstance(inner, str) and _told(name, inner):
                        yield Hit(one.path, value.lines[name], _subject(one), name)
                    stack.append((name, inner))
            elif isinstance(value, list):
                stack += [(key, inner) for inner in value]


def _told(name: str, value: str) -> bool:
    """Whether the value is a secret: no placeholder, and no address inside the cluster."""
    placeholder = not value or (value.startswith("<") and value.endswith(">"))
    return not placeholder and not _local(name, value)


def _local(name: str, address: str) -> bool:
    """A webhook inside the cluster is no secret; one outside mostly holds a token."""
    if name != "url":
        return False
    host = address.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
    inside = (".svc", ".cluster.local", ".internal")
    return "." not in host or host.endswith(inside) or host.startswith(("127.", "10."))


def _routes(root: Mapped) -> Iterator[Mapped]:
    stack = [values.section(root, "route")]
    while stack:
        route = stack.pop()
        yield route
        stack += values.sections(route, "routes")


def _receivers(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.alertmanagers:
        known = {values.text(r, "name") for r in values.sections(one.root, "receivers")}
        for route in _routes(one.root):
            name = values.text(route, "receiver")
            if name and name not in known:
                yield Hit(one.path, values.line(route, "receiver"), _subject(one), name)


_SECTIONS = ("receivers", "processors", "exporters")


def _pipelines(document: Document) -> Iterator[tuple[str, Mapped]]:
    pipelines = values.section(document.root, "service", "pipelines")
    for name in pipelines:
        yield name, values.section(pipelines, name)


def _components(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.collectors:
        connectors = values.section(one.root, "connectors")
        for name, pipeline in _pipelines(one):
            for key in _SECTIONS:
                known = {*values.section(one.root, key), *connectors}
                for word in values.words(pipeline, key):
                    if word not in known:
                        line = values.line(pipeline, key)
                        yield Hit(one.path, line, f"pipeline {name}", f"{key}: {word}")
        extensions = values.section(one.root, "extensions")
        for word in values.words(one.root, "service", "extensions"):
            if word not in extensions:
                line = values.line(one.root, "service", "extensions")
                yield Hit(one.path, line, _subject(one), f"extensions: {word}")


def _memory(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.collectors:
        for name, pipeline in _pipelines(one):
            first = values.words(pipeline, "processors")[:1]
            if not first or first[0].partition("/")[0] != "memory_limiter":
                line = values.line(pipeline, "processors")
                yield Hit(one.path, line, f"pipeline {name}")


def _insecure(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.collectors:
        exporters = values.section(one.root, "exporters")
        for name in exporters:
            address = values.text(exporters, name, "endpoint")
            host = address.partition("://")[2] or address
            host = host.partition("/")[0].partition(":")[0]
            outside = "." in host and not host.endswith((".svc", ".cluster.local", ".internal"))
            plain = values.at(exporters, name, "tls", "insecure") is True
            if outside and (plain or address.startswith("http://")):
                yield Hit(one.path, values.line(exporters, name), f"exporter {name}", address)


RULES = (
    Rule(
        id="mon-dashboard-uid",
        severity=Severity.LOW,
        title=msg("the dashboard has no uid"),
        why=msg("Each import makes a new one, and links to it break."),
        fix=msg("Set a short `uid` of your own."),
        check=_uid,
    ),
    Rule(
        id="mon-dashboard-source",
        severity=Severity.LOW,
        title=msg("a panel does not say where its data comes from"),
        why=msg("It takes the default data source, which is another one elsewhere."),
        fix=msg("Set `datasource` with type and uid, or a variable."),
        check=_source,
    ),
    Rule(
        id="mon-dashboard-panel",
        severity=Severity.MEDIUM,
        title=msg("a panel is of a kind that Grafana no longer draws"),
        why=msg("It stays empty."),
        fix=msg("Use the kind that is named behind the colon."),
        check=_old_panel,
    ),
    Rule(
        id="mon-dashboard-empty",
        severity=Severity.MEDIUM,
        title=msg("a panel asks for nothing"),
        why=msg("It stays empty, and looks like a service without traffic."),
        fix=msg("Write its expression, or remove the panel."),
        check=_empty_panel,
    ),
    Rule(
        id="mon-dashboard-id",
        severity=Severity.LOW,
        title=msg("two panels have the same id"),
        why=msg("Links to one show the other, and Grafana renumbers them at the next save."),
        fix=msg("Number the panels."),
        check=_twice,
    ),
    Rule(
        id="mon-plain-receiver",
        severity=Severity.HIGH,
        title=msg("a receiver's secret is written into the configuration"),
        why=msg("Whoever reads it can write to your channel or silence your pager."),
        fix=msg("Use the key that ends in `_file`, and mount the secret there."),
        check=_plain_receiver,
    ),
    Rule(
        id="mon-unknown-receiver",
        severity=Severity.HIGH,
        title=msg("alerts are sent to a receiver that does not exist"),
        why=msg("Alertmanager refuses the file."),
        fix=msg("Add the receiver, or correct the name."),
        same_as=("amtool check-config",),
        check=_receivers,
    ),
    Rule(
        id="mon-collector-component",
        severity=Severity.HIGH,
        title=msg("a pipeline names a component that is not set up"),
        why=msg("The collector does not start."),
        fix=msg("Set it up under receivers, processors or exporters, or remove the name."),
        check=_components,
    ),
    Rule(
        id="mon-collector-memory",
        severity=Severity.LOW,
        title=msg("memory_limiter is not the first processor of a pipeline"),
        why=msg("When the backend is slow, the collector is killed with all it holds."),
        fix=msg("Put `memory_limiter` first."),
        check=_memory,
    ),
    Rule(
        id="mon-collector-insecure",
        severity=Severity.MEDIUM,
        title=msg("telemetry leaves the cluster without TLS"),
        why=msg("Traces hold addresses, user ids and sometimes questions."),
        fix=msg("Use https, and remove `insecure`."),
        check=_insecure,
    ),
)  # fmt: skip
