"""Figures for Prometheus, in its text format, under the names that `sdlc deploy` renders for.

What a label may hold is bounded: routes and words of ours, and of names that clients chose the
first hundred; the rest is counted as `other`.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from sdlc_cli.core import money
from sdlc_cli.cost.engine.sums import Line
from sdlc_cli.cost.model import INPUTS, OUTPUTS
from sdlc_cli.cost.store.rollup import PAID
from sdlc_cli.deploy import metrics as names
from sdlc_cli.serve.otlp import Export

KIND = "text/plain; version=0.0.4; charset=utf-8"
OTHER = "other"
MOST_NAMES = 100
_LONGEST = 100
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_ODD = re.compile(r"[^\w ./:@+\-]", re.ASCII)
_METHODS = frozenset(("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"))

Labels = tuple[tuple[str, str], ...]


class _Names:
    """The first hundred names, each made harmless."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, text: str) -> str:
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= MOST_NAMES:
                return OTHER
            known = self._known[text] = _ODD.sub("_", text)[:_LONGEST] or "unknown"
        return known


class Metrics:
    """All that is counted since the service started."""

    def __init__(self) -> None:
        self._counted: Counter[str] = Counter()
        self._exported: Counter[tuple[str, str]] = Counter()
        self._requests: dict[tuple[str, str, int], list[float]] = {}
        self._pico: Counter[Labels] = Counter()
        self._tokens: Counter[Labels] = Counter()
        self._calls: Counter[Labels] = Counter()
        self._models = _Names()
        self._projects = _Names()

    def count(self, event: str, number: int = 1) -> None:
        """Something happened: `unauthorized`, `limited`, `unavailable`, `slow`."""
        self._counted[event] += number

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        key = (method if method in _METHODS else OTHER, route, status)
        found = self._requests.get(key)
        if found is None:
            found = self._requests[key] = [0.0] * (len(_BUCKETS) + 2)
        found[bisect_left(_BUCKETS, seconds)] += 1
        found[-1] += seconds

    def exported(self, signal: str, export: Export) -> None:
        """An OTLP export came."""
        self._exported[signal, "received"] += export.items
        self._exported[signal, "rejected"] += len(export.refused)
        if signal == "traces":
            self._exported[signal, "calls"] += len(export.told)

    def tracked(self, calls: int) -> None:
        """Calls came by REST."""
        self._exported["track", "received"] += calls
        self._exported["track", "calls"] += calls

    def spent(self, lines: Iterable[Line]) -> None:
        """Sums changed. A counter never goes down: what was corrected downwards stays in it."""
        changes = [(kept, Counter[Labels]()) for kept in (self._pico, self._calls, self._tokens)]
        (_, pico), (_, calls), (_, tokens) = changes
        for line in lines:
            model = self._models.of(line.price.model or str(line.keys["model"]))
            project = self._projects.of(str(line.keys["project"]))
            who: Labels = ((names.COST_MODEL, model), ("project", project))
            pico[who] += line.pico
            calls[who] += line.sums["calls"]
            if line.keys["kind"] == PAID:
                for kind, classes in (("input", INPUTS), ("output", OUTPUTS)):
                    label: Labels = ((names.MODEL_NAME, model), (names.MODEL_DIRECTION, kind))
                    tokens[label] += sum(line.sums[name] for name in classes)
        for kept, found in changes:
            for labels, more in found.items():
                kept[labels] += max(0, more)

    def render(self, facts: Mapping[str, "Fact"]) -> str:
        """All of it; `facts` are figures of the moment, with a line of help."""
        return "".join(f"{line}\n" for line in self._lines(facts))

    def _lines(self, facts: Mapping[str, "Fact"]) -> Iterator[str]:
        yield from _family(names.COST_USD, "counter", "What calls cost, in US dollars.")
        for who, pico in sorted(self._pico.items()):
            yield _sample(names.COST_USD, who, money.usd(pico))
        yield from _family(names.MODEL_TOKENS, "summary", "Tokens of calls.")
        for who, tokens in sorted(self._tokens.items()):
            yield _sample(f"{names.MODEL_TOKENS}_sum", who, tokens)
        calls = "sdlc_serve_calls_total"
        yield from _family(calls, "counter", "Calls that count, of known and unknown usage.")
        for who, number in sorted(self._calls.items()):
            yield _sample(calls, who, number)
        yield from self._of_requests()
        yield from _family("sdlc_serve_items_total", "counter", "What exports held.")
        for (signal, what), number in sorted(self._exported.items()):
            where: Labels = (("signal", signal), ("what", what))
            yield _sample("sdlc_serve_items_total", where, number)
        yield from _family("sdlc_serve_events_total", "counter", "Requests that were not done.")
        for event in ("limited", "slow", "unauthorized", "unavailable"):
            yield _sample("sdlc_serve_events_total", (("event", event),), self._counted[event])
        for name, fact in facts.items():
            yield from _family(name, fact.kind, fact.help)
            for labels, value in fact.samples:
                yield _sample(name, labels, value)

    def _of_requests(self) -> Iterator[str]:
        name = names.REQUEST_SECONDS
        yield from _family(name, "histogram", "How long requests took.")
        for (method, route, status), counts in sorted(self._requests.items()):
            who: Labels = (
                ("http_request_method", method),
                ("http_route", route),
                (names.REQUEST_STATUS, str(status)),
            )
            total = 0
            for place, limit in enumerate((*map(str, _BUCKETS), "+Inf")):
                total += int(counts[place])
                yield _sample(f"{name}_bucket", (*who, ("le", limit)), total)
            yield _sample(f"{name}_sum", who, round(counts[-1], 6))
            yield _sample(f"{name}_count", who, total)


class Fact:
    """A figure of the moment, one for each of its labels."""

    def __init__(
        self, kind: str, text: str, samples: Iterable[tuple[Labels, int | float | Decimal]]
    ) -> None:
        self.kind = kind
        self.help = text
        self.samples = tuple(samples)


def label(text: str) -> str:
    """A name as a label may hold it."""
    return _ODD.sub("_", text)[:_LONGEST] or "unknown"


def _family(name: str, kind: str, text: str) -> tuple[str, str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"


def _sample(name: str, labels: Labels, value: int | float | Decimal) -> str:
    told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{name}{{{told}}} {value}" if told else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
