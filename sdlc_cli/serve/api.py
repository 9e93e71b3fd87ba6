"""Answers about what was spent: report, budgets, which model to use, health, metrics."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from sdlc_cli.core.errors import SdlcError, UsageError
from sdlc_cli.cost import route as routes
from sdlc_cli.cost.engine import sums
from sdlc_cli.cost.engine.sums import Wanted
from sdlc_cli.cost.model import CostReport, Rejected
from sdlc_cli.cost.options import Budget
from sdlc_cli.cost.privacy import veiled
from sdlc_cli.cost.readers import strict
from sdlc_cli.cost.report import Sheet
from sdlc_cli.cost.report import budget as shown_budget
from sdlc_cli.cost.report import json as shown_report
from sdlc_cli.cost.report import route as shown_route
from sdlc_cli.serve import demo, gauges, metrics, openapi
from sdlc_cli.serve.app import Request
from sdlc_cli.serve.keys import Key
from sdlc_cli.serve.reply import JSON, Problem, Reply, done, encoded
from sdlc_cli.serve.service import Service
from sdlc_cli.serve.sound import LONGEST_NAME

_FILTERS = ("project", "team", "model", "provider")
_REPORT = ("by", "since", "until", *_FILTERS)
_CACHED = 500  # answers
_MOST_GROUPS = 20_000  # in an answer
_EPOCH = date(1970, 1, 1)


class Api:
    """The routes that read."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._cache: dict[object, tuple[float, object]] = {}

    async def report(self, request: Request) -> Reply:
        """The sums by the groups asked for: the document of `sdlc cost report --format json`."""
        asked = _query(request, _REPORT, repeated="by")
        by = tuple(asked.pop("by", ())) or ("day",)
        first, last = _day(asked, "since"), _day(asked, "until")
        if first and last and last < first:
            raise Problem(400, "until lies before since")
        for name in ("since", "until"):
            asked.pop(name, None)
        wanted = Wanted(projects=_projects(request.key, asked.get("project", "")), **asked)
        figures = self._service.figures

        def work() -> object:
            report = figures.report(by, wanted, first, last)
            if len(report.groups) > _MOST_GROUPS:
                raise UsageError(f"more than {_MOST_GROUPS} groups: ask for fewer, or fewer days")
            return _document(report, figures.veil)

        key = (by, wanted, first, last)
        return done(await self._cached(("report", *key), work))

    async def budgets(self, request: Request) -> Reply:
        """How each budget stands. A key of some projects sees the budgets of these."""
        figures, now = self._service.figures, datetime.now(UTC)
        chosen = [one for one in self._service.config.budgets if _sees(request.key, one)]

        def work() -> object:
            return shown_budget.document(figures.budgets(now, chosen))

        names = tuple(one.name for one in chosen)
        return done(await self._cached(("budgets", names), work))

    async def route(self, request: Request) -> Reply:
        """Which model calls of a project may use now."""
        if request.kind != JSON:
            raise Problem(415, f"send {JSON}")
        asked = _asked(request.body, ("project", "model", "team", "user"))
        model, project = asked.get("model", ""), asked.get("project", "")
        if not model:
            raise Problem(400, "`model` is missing: the ladder, or its primary model")
        project = _own(request.key, project)
        config = self._service.config
        found = routes.ladder_for(config.route, project, model)
        if found is None:
            known = ", ".join(config.route.ladders) or "none"
            raise Problem(404, f"no ladder fits this model and project; there are: {known}")
        _, ladder = found
        limits = routes.budgets_for(
            config.budgets,
            project=project,
            model=ladder.primary,
            team=asked.get("team", ""),
            user=asked.get("user", ""),
        )
        limits = tuple(one for one in limits if _sees(request.key, one))
        figures, now = self._service.figures, datetime.now(UTC)

        def work() -> object:
            return shown_route.document(routes.decide(figures.budgets(now, limits), ladder))

        names = tuple(one.name for one in limits)
        return done(await self._cached(("route", model, project, names), work))

    async def demo(self, request: Request) -> Reply:
        """A small plan, with what the annealer did."""
        _query(request, ())
        if not self._service.settings.demo:
            raise Problem(404, "the demo is switched off")
        loop = asyncio.get_running_loop()
        try:
            return done(await loop.run_in_executor(None, demo.plan))
        except demo.Missing as missing:
            raise Problem(501, str(missing)) from None

    async def health(self, request: Request) -> Reply:
        """Alive and ready, with reasons."""
        reasons = self._service.reasons()
        return done(
            {"live": True, "ready": not reasons, "reasons": reasons, **gauges.health(self._service)}
        )

    async def live(self, request: Request) -> Reply:
        """That the process answers."""
        return done({"live": True})

    async def ready(self, request: Request) -> Reply:
        """Whether calls are taken."""
        reasons = self._service.reasons()
        data = {"ready": not reasons, "reasons": reasons}
        return done(data, status=503 if reasons else 200)

    async def metrics(self, request: Request) -> Reply:
        """For Prometheus."""
        service = self._service
        if not service.settings.metrics:
            raise Problem(404, "metrics are switched off")
        if request.key.projects:
            raise Problem(403, "metrics tell of all projects; this key is for some")
        facts = gauges.facts(service)
        return Reply(200, service.metrics.render(facts).encode(), metrics.KIND)

    async def openapi(self, request: Request) -> Reply:
        """What can be asked."""
        return Reply(200, encoded(openapi.document()), JSON)

    async def _cached(self, key: object, work: Callable[[], object]) -> object:
        """The answer of a moment ago, or a new one."""
        now = time.monotonic()
        key = (self._service.reloads, key)
        at, value = self._cache.get(key, (0.0, None))
        if value is not None and now - at < self._service.settings.cache_s:
            return value
        try:
            value = await self._service.read(work)
        except UsageError as error:
            raise Problem(400, f"{error.message} {error.hint}".strip()) from None
        except SdlcError as error:
            raise Problem(503, error.message, retry_after=2) from None
        if len(self._cache) >= _CACHED:
            self._cache.clear()
        self._cache[key] = (now, value)
        return value


def _document(report: CostReport, veil: Any) -> object:
    groups = veiled(report.groups, veil)
    return shown_report.document(Sheet(report=replace(report, groups=groups)))


def _query(request: Request, known: tuple[str, ...], repeated: str = "") -> dict[str, Any]:
    """The words of the query. Raises Problem for others than `known`, and for one told twice."""
    found: dict[str, Any] = {}
    try:
        pairs = parse_qsl(
            request.query.decode("ascii"), keep_blank_values=True, strict_parsing=False,
            max_num_fields=32, errors="strict",
        )  # fmt: skip
    except (UnicodeDecodeError, ValueError):
        raise Problem(400, "the query cannot be read") from None
    for name, value in pairs:
        if name not in known:
            raise Problem(400, f"there is no such parameter; there are: {', '.join(known)}")
        if len(value) > LONGEST_NAME:
            raise Problem(400, f"{name} is too long")
        if "\0" in value:
            raise Problem(400, f"{name} has a NUL in it")
        if name == repeated:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise Problem(400, f"{name} is told twice")
        else:
            found[name] = value
    if repeated and len(found.get(repeated, ())) > len(sums.BY):
        raise Problem(400, f"{repeated} is told too often")
    return found


def _asked(body: bytes, known: tuple[str, ...]) -> dict[str, str]:
    """A JSON object of texts. Raises Problem."""
    try:
        value = strict.decode(body)
        asked = msgspec.convert(value, dict[str, str])
    except Rejected as refusal:
        raise Problem(400, str(refusal.reason)) from None
    except msgspec.ValidationError as error:
        raise Problem(400, str(error)) from None
    if unknown := [name for name in asked if name not in known]:
        raise Problem(400, f"there is no `{unknown[0][:60]}`; there are: {', '.join(known)}")
    if any(len(text) > LONGEST_NAME for text in asked.values()):
        raise Problem(400, "a value is too long")
    return asked


def _day(asked: dict[str, Any], name: str) -> date | None:
    told = asked.get(name, "")
    if not told:
        return None
    try:
        found = date.fromisoformat(told)
    except ValueError:
        raise Problem(400, f"{name} takes a day as 2026-01-31") from None
    if found < _EPOCH:
        raise Problem(400, f"{name} lies before 1970")
    return found


def _projects(key: Key, project: str) -> frozenset[str] | None:
    """What the key may see. Raises Problem for another project."""
    if not key.projects:
        return None
    if project and project not in key.projects:
        raise Problem(403, "this key is not for that project")
    return frozenset(key.projects)


def _own(key: Key, project: str) -> str:
    """The project asked about: a key's own where none is named. Raises Problem for others."""
    _projects(key, project)
    if project or not key.projects:
        return project
    if len(key.projects) > 1:
        raise Problem(400, "`project` is missing: this key is for several")
    return key.projects[0]


def _sees(key: Key, budget: Budget) -> bool:
    return not key.projects or budget.project in key.projects
