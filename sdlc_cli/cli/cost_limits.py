"""`sdlc cost` against limits: budget, forecast, route."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from sdlc_cli.cli.costing import (
    AnswerFormat,
    AsOf,
    CostConfigPath,
    NoCache,
    Only,
    Opened,
    Paths,
    PricesFile,
    Question,
    Rejects,
    SourceFormat,
    Timezone,
    configured,
    counted_something,
    deliver,
    moment_of,
    opened,
    some_fit,
)
from sdlc_cli.cli.help import App
from sdlc_cli.cli.options import OutputPath
from sdlc_cli.core.errors import ConfigError, NothingToDo, UsageError
from sdlc_cli.core.i18n import _, local, msg

if TYPE_CHECKING:
    from datetime import datetime

    from sdlc_cli.cost.budget import BudgetState
    from sdlc_cli.cost.model import Series, Where
    from sdlc_cli.cost.options import Budget, Ladder, Route
    from sdlc_cli.cost.route import Replay

MOST_DAYS = 366
ENDLESS_DAYS = 30  # that a budget without an end is forecast for: one day it breaks anyway


def register(app: App) -> None:
    """Add these commands to `sdlc cost`."""
    app.command(
        help=_(
            "Hold the budgets of cost.yaml against what was spent.\n\n"
            "Exit code 1 when one is broken, or with --forecast when one is going to break; 3 when"
            " calls of unknown cost may have broken one; 4 when no call lies in the present period"
            " of any. It names who spent it, and the day."
        )
    )(budget)
    app.command(
        help=_(
            "Tell what the coming days will cost, with an interval.\n\n"
            "The method is the one that did best on the past days; its past error is shown."
            " Exit code 3 when the logs hold too few days."
        )
    )(forecast)
    app.command(
        help=_(
            "Tell which model a project may use now, by the ladders and budgets of cost.yaml.\n\n"
            "Exit code 1 when none may be used."
        )
    )(route)


def budget(
    ctx: typer.Context,
    paths: Paths = None,
    forecast: Annotated[
        bool,
        typer.Option("--forecast", help=_("Fail on budgets that are going to break, too.")),
    ] = False,
    as_of: AsOf = "",
    timezone: Timezone = "",
    source_format: SourceFormat = "",
    prices: PricesFile = None,
    config: CostConfigPath = None,
    form: AnswerFormat = "table",
    output: OutputPath = None,
    rejects: Rejects = None,
    no_cache: NoCache = False,
) -> None:
    """Hold the budgets against what was spent."""
    from sdlc_cli.cost.budget import exit_code
    from sdlc_cli.cost.report import budget as shown
    from sdlc_cli.cost.report.answer import Answer

    asked = Question(
        paths=paths or (),
        config=config,
        prices=prices,
        source_format=source_format,
        timezone=timezone,
        rejects=rejects,
        no_cache=no_cache,
    )
    if not configured(asked).budgets:  # before hours of logs are read for nothing
        raise NothingToDo(
            msg("no budget is set up"), hint=msg("list budgets under `budgets` in cost.yaml")
        )
    with opened(ctx, asked) as logs:
        counted_something(logs.usage, asked.paths)
        now = _now(as_of, logs)
        states = [_state(one, logs, now, ahead=forecast) for one in logs.config.budgets]
        answer = Answer(
            headline=shown.headline(states),
            tables=shown.tables(states),
            notes=shown.notes(states),
            document=shown.document(states),
            good=exit_code(states) == 0,
        )
        deliver(logs.out, answer, form, output)
    if exit_code(states) == 4:
        raise NothingToDo(
            shown.NOTHING_SEEN, hint=msg("newer logs, or --as-of DATE to judge another day")
        )
    raise typer.Exit(exit_code(states))


def _now(as_of: str, logs: Opened) -> "datetime":
    """The end of the day that `--as-of` names, or the present moment."""
    from datetime import UTC, datetime, timedelta

    moment = moment_of("--as-of", as_of, logs.timezone, end=True)
    if moment is None:
        return datetime.now(UTC)
    # Midnight belongs to the day after.
    return moment - timedelta(microseconds=1) if len(as_of) <= len("2026-01-31") else moment


def _state(one: "Budget", logs: Opened, now: "datetime", *, ahead: bool) -> "BudgetState":
    """How one budget stands."""
    from sdlc_cli.cost import budget as budgets
    from sdlc_cli.cost.forecast import forecast as foretell
    from sdlc_cli.cost.privacy import veiled

    within = budgets.window(one, now, logs.timezone)
    always = _until(budgets.where(one), now)
    present = _until(budgets.where(one, within), now)
    spent = logs.usage.report(by=(), where=present, timezone=logs.timezone).totals
    daily = logs.usage.series(always, logs.timezone)
    spenders = [*logs.usage.slices(("user",), present), *logs.usage.slices(("model",), present)]
    expected: Series | None = None
    if ahead:
        days = ENDLESS_DAYS if within.days_left is None else within.days_left
        expected = foretell(daily, days, today=within.today).series or None
    return budgets.judge(
        one,
        within,
        spent,
        daily,
        spenders=veiled(spenders, logs.veil),
        ahead=ahead,
        expected=expected,
    )


def _until(where: "Where", now: "datetime") -> "Where":
    """`where` without what came after `now`."""
    from datetime import timedelta

    end = now + timedelta(microseconds=1)
    return replace(where, until=min(where.until, end) if where.until else end)


def forecast(
    ctx: typer.Context,
    paths: Paths = None,
    days: Annotated[
        int,
        typer.Option("--days", metavar="N", min=1, max=MOST_DAYS, help=_("How many days ahead.")),
    ] = 30,
    as_of: AsOf = "",
    timezone: Timezone = "",
    only: Only = None,
    source_format: SourceFormat = "",
    prices: PricesFile = None,
    config: CostConfigPath = None,
    form: AnswerFormat = "table",
    output: OutputPath = None,
    no_cache: NoCache = False,
) -> None:
    """Tell what the coming days will cost."""
    from datetime import timedelta

    from sdlc_cli.core.when import local_day
    from sdlc_cli.cost.forecast import forecast as foretell
    from sdlc_cli.cost.report import forecast as shown
    from sdlc_cli.cost.report.answer import Answer
    from sdlc_cli.cost.zones import zone

    asked = Question(
        paths=paths or (),
        config=config,
        prices=prices,
        source_format=source_format,
        timezone=timezone,
        only=only or (),
        no_cache=no_cache,
    )
    with opened(ctx, asked) as logs:
        counted_something(logs.usage, asked.paths)
        today = local_day(_now(as_of, logs), zone(logs.timezone))
        # Asked as of a day, that day is over.
        today += timedelta(days=1) if as_of else timedelta(0)
        series = logs.usage.series(logs.where, logs.timezone)
        totals = logs.usage.report(by=(), where=logs.where, timezone=logs.timezone).totals
        some_fit(totals)
        uncertain = totals.unknown_calls + totals.unpriced_calls
        found = foretell(series, days, today=today, uncertain=uncertain)
        by_week = form in ("table", "markdown") and not logs.out.verbose
        answer = Answer(
            headline=shown.headline(found),
            tables=shown.tables(found, by_week=by_week),
            notes=shown.notes(found, today=today, uncertain=uncertain),
            document=shown.document(found),
            good=found.status == "ok",
        )
        deliver(logs.out, answer, form, output)
    raise typer.Exit(0 if found.status == "ok" else 3)


def route(
    ctx: typer.Context,
    paths: Paths = None,
    project: Annotated[
        str, typer.Option("--project", metavar="NAME", help=_("The project that wants to call."))
    ] = "",
    model: Annotated[
        str,
        typer.Option("--model", metavar="NAME", help=_("The model it wants, or a ladder's name.")),
    ] = "",
    replay: Annotated[
        bool,
        typer.Option(
            "--replay", help=_("Tell when the rule would have switched, and what that had saved.")
        ),
    ] = False,
    as_of: AsOf = "",
    timezone: Timezone = "",
    source_format: SourceFormat = "",
    prices: PricesFile = None,
    config: CostConfigPath = None,
    form: AnswerFormat = "table",
    output: OutputPath = None,
    no_cache: NoCache = False,
) -> None:
    """Tell which model a project may use now."""
    from sdlc_cli.cost import route as routes
    from sdlc_cli.cost.report import route as shown
    from sdlc_cli.cost.report.answer import Answer

    if not model:
        raise UsageError(
            msg("{name} is missing", name="--model"), hint=f"{ctx.command_path} --model gpt-4o"
        )
    asked = Question(
        paths=paths or (),
        config=config,
        prices=prices,
        source_format=source_format,
        timezone=timezone,
        no_cache=no_cache,
    )
    ladder = _ladder(configured(asked).route, project, model)
    with opened(ctx, asked) as logs:
        limits = routes.budgets_for(logs.config.budgets, project=project, model=ladder.primary)
        now = _now(as_of, logs)
        states = [_state(one, logs, now, ahead=False) for one in limits]
        decision = routes.decide(states, ladder)
        past = [_replayed(one, ladder, logs, now) for one in limits] if replay else []
        first = past[0] if past else None
        answer = Answer(
            headline=shown.headline(decision),
            tables=tuple(table for one in past for table in shown.tables(one)),
            notes=tuple(note for one in past for note in shown.notes(one)),
            document=shown.document(decision, first),
            good=decision.step != "refused",
        )
        deliver(logs.out, answer, form, output)
    raise typer.Exit(1 if decision.step == "refused" else 0)


def _ladder(route: "Route", project: str, model: str) -> "Ladder":
    from sdlc_cli.cost import route as routes

    found = routes.ladder_for(route, project, model)
    if found is not None:
        return found[1]
    known = ", ".join(route.ladders)
    if not known:
        raise ConfigError(
            msg("no ladder of models is set up"),
            hint=msg("list ladders under `route` in cost.yaml"),
        )
    raise ConfigError(
        msg("no ladder fits {model} in project '{project}'", model=model, project=project),
        hint=local(msg("there are: {known}", known=known)),
    )


def _replayed(one: "Budget", ladder: "Ladder", logs: Opened, now: "datetime") -> "Replay":
    """What the ladder would have done to the past of one budget, hour by hour."""
    from sdlc_cli.cost import budget as budgets
    from sdlc_cli.cost import route as routes

    always = _until(budgets.where(one), now)
    primary = replace(always, model=ladder.primary)
    spent = _hours(logs, always)
    mine = _hours(logs, primary)
    others = {
        other: {
            group.keys["hour"]: group.amounts
            for group in logs.usage.with_prices({ladder.primary: other}).slices(("hour",), primary)
        }
        for other in {ladder.fallback, ladder.emergency} - {""}
    }

    def reprice(moment: "datetime", other: str) -> int | None:
        amounts = others[other].get(names[moment])
        return None if amounts is None or amounts.unpriced_calls else amounts.pico

    names = {_hour(name): name for name in spent if name}
    slices = [
        routes.Slice(
            moment=moment, pico=mine.get(name, 0), others_pico=spent[name] - mine.get(name, 0)
        )
        for moment, name in names.items()
    ]
    return routes.replay(slices, ladder, one, logs.timezone, reprice)


def _hours(logs: Opened, where: "Where") -> dict[str, int]:
    return {g.keys["hour"]: g.amounts.pico for g in logs.usage.slices(("hour",), where)}


def _hour(name: str) -> "datetime":
    """An hour as the engine names it in UTC."""
    from datetime import UTC, datetime

    found = datetime.fromisoformat(name)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
