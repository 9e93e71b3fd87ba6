"""`sdlc cost`: read the words, ask the logs, print, leave with the answer's exit code."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from sdlc_cli.cli import cost_limits, cost_savings, cost_store, cost_tools
from sdlc_cli.cli.costing import (
    CostConfigPath,
    NoCache,
    Only,
    Opened,
    Paths,
    PricesFile,
    Question,
    Rejects,
    ReportFormat,
    Since,
    SourceFormat,
    Timezone,
    Until,
    counted_something,
    opened,
    some_fit,
)
from sdlc_cli.cli.help import App
from sdlc_cli.cli.options import OutputPath
from sdlc_cli.core.i18n import _, ngettext

if TYPE_CHECKING:
    from sdlc_cli.cost.model import CostReport, Group
    from sdlc_cli.cost.report import Sheet

GROUPS = ("day", "week", "month", "hour", "model", "provider", "tier", "project", "team", "user")
MOST_PIECES = 100_000  # days times names that the chart of a page is made of
app = App(help=_("Count every LLM call in usage logs once, price it exactly, and explain it."))


def _complete_group(incomplete: str) -> list[str]:
    return [word for word in (*GROUPS, "tag:") if word.startswith(incomplete)]


@app.command(
    help=_(
        "Total the calls in the logs: by model, day, project, user or tag.\n\n"
        "Exit codes: 0 done, 2 wrong words or files, 3 nothing could be counted, 4 no input found,"
        " or no call fits --where, --since and --until."
        " Records that cannot be counted are shown and left out; the exit code stays 0."
    )
)
def report(
    ctx: typer.Context,
    paths: Paths = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="GROUP",
            autocompletion=_complete_group,
            help=_("Group by day, week, month, model, provider, project, team, user or tag:NAME."),
            show_default="model",
        ),
    ] = None,
    since: Since = "",
    until: Until = "",
    timezone: Timezone = "",
    only: Only = None,
    source_format: SourceFormat = "",
    prices: PricesFile = None,
    config: CostConfigPath = None,
    form: ReportFormat = "table",
    output: OutputPath = None,
    rejects: Rejects = None,
    no_cache: NoCache = False,
) -> None:
    """Total the calls in the logs."""
    from sdlc_cli.core.view import DEFAULT
    from sdlc_cli.cost.report import load

    asked = Question(
        paths=paths or (),
        config=config,
        prices=prices,
        source_format=source_format,
        timezone=timezone,
        since=since,
        until=until,
        only=only or (),
        rejects=rejects,
        no_cache=no_cache,
    )
    with opened(ctx, asked) as logs:
        if not any(source.rejected for source in logs.usage.sources):
            counted_something(logs.usage, asked.paths)
        sheet = _sheet(logs, _groups(by, form), form)
        view = DEFAULT if output else logs.out.view
        machine = form in ("json", "csv", "focus")
        logs.out.deliver(load(form).render(sheet, view), output, machine=machine)
        # What was rejected is told in the report, before the exit code says that it is all.
        counted_something(logs.usage, asked.paths)
        some_fit(sheet.report.totals)
        _warn(logs, sheet, form)


def _warn(logs: Opened, sheet: "Sheet", form: str) -> None:
    """Of what could be taken for a result and is none."""
    totals = sheet.report.totals
    if form == "focus" and totals.timeless_calls:
        logs.out.warn(
            ngettext(
                "{n} call without a time is in no charge period, so not in the result",
                "{n} calls without a time are in no charge period, so not in the result",
                totals.timeless_calls,
            ).format(n=f"{totals.timeless_calls:,}")
        )


def _groups(by: list[str] | None, form: str) -> tuple[str, ...]:
    """What to group by; FOCUS has its own groups, and takes more."""
    chosen = tuple(dict.fromkeys(by or ()))
    if form != "focus":
        return chosen or ("model",)
    from sdlc_cli.cost.report import focus

    return tuple(dict.fromkeys((*focus.BY, *chosen)))


def _sheet(logs: Opened, by: tuple[str, ...], form: str) -> "Sheet":
    from sdlc_cli.cost.privacy import veiled
    from sdlc_cli.cost.report import Sheet
    from sdlc_cli.cost.report.summary import days

    made = logs.usage.report(by=by, where=logs.where, timezone=logs.timezone)
    made = replace(made, groups=veiled(made.groups, logs.veil))
    if "day" in by:
        daily = days(made)
    elif form == "html":
        daily = logs.usage.series(logs.where, logs.timezone)
    else:
        daily = ()  # a question of its own: a third of the work on a small log
    by_day = _by_day(logs, made, len(daily)) if form == "html" else ()
    return Sheet(report=made, daily=daily, by_day=by_day, hidden=dict(logs.veil.hidden))


def _by_day(logs: Opened, made: "CostReport", days: int) -> tuple["Group", ...]:
    """What the bars of the chart are made of; nothing where that would be too many pieces."""
    from sdlc_cli.core import charts
    from sdlc_cli.cost.privacy import veiled
    from sdlc_cli.cost.report.spending import key_of, sums

    key = key_of(made.by)
    if not key or not charts.installed() or days * len(sums(made.groups, key)) > MOST_PIECES:
        return ()
    return veiled(logs.usage.slices(("day", key), logs.where, logs.timezone), logs.veil)


cost_limits.register(app)
cost_savings.register(app)
cost_tools.register(app)
cost_store.register(app)
