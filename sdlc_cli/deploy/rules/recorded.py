"""Alerts and recording rules, whether in a file of Prometheus or in a PrometheusRule object."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sdlc_cli.deploy.rules import values
from sdlc_cli.deploy.rules.parsed import Parsed
from sdlc_cli.deploy.rules.rule import Hit
from sdlc_cli.deploy.rules.values import Mapped

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000, "ms": 0.001}


@dataclass(frozen=True)
class Entry:
    """One alert or recording rule, wherever it is written. `scope` is its file, or its object."""

    path: str
    group: Mapped
    root: Mapped
    scope: str

    @property
    def name(self) -> str:
        """What the alert or series is called."""
        return values.text(self.root, "alert") or values.text(self.root, "record")

    @property
    def expr(self) -> str:
        """Its expression, as it is written."""
        return values.text(self.root, "expr")

    @property
    def subject(self) -> str:
        """How findings name it."""
        kind = "alert" if "alert" in self.root else "record"
        return f"{kind} {self.name}"

    def hit(self, key: str, detail: str = "") -> Hit:
        """A place of it that breaks a rule: the line of `key`."""
        return Hit(self.path, values.line(self.root, key), self.subject, detail)


def entries(parsed: Parsed) -> Iterator[Entry]:
    """Every rule in files of Prometheus and in PrometheusRule objects."""
    sources = [(one.path, one.root, one.path) for one in parsed.rule_files]
    sources += [
        (one.path, values.section(one.root, "spec"), one.subject)
        for one in parsed.objects.of("PrometheusRule")
    ]
    for path, root, scope in sources:
        for group in values.sections(root, "groups"):
            for rule in values.sections(group, "rules"):
                yield Entry(path, group, rule, scope)


def seconds(text: str) -> float:
    """A duration of Prometheus in seconds; 0 for what is none."""
    return sum(
        int(count) * _SECONDS[unit] for count, unit in re.findall(r"([0-9]+)(ms|[smhdwy])", text)
    )
