"""`sdlc cost` on single things: reconcile, explain, prices, map."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdlc_cli.cli.costing import (
    WORK,
    AnswerFormat,
    CostConfigPath,
    NoCache,
    Opened,
    Paths,
    PricesFile,
    Question,
    SourceFormat,
    Timezone,
    configured,
    counted_something,
    deliver,
    opened,
    prices_of,
)
from sdlc_cli.cli.help import App
from sdlc_cli.cli.options import OutputPath, console
from sdlc_cli.core.console import Console
from sdlc_cli.core.errors import NothingToDo, UsageError, WorkError
from sdlc_cli.core.i18n import Message, _, local, msg

if TYPE_CHECKING:
    from decimal import Decimal

    from sdlc_cli.cost.engine.sources import Source
    from sdlc_cli.cost.engine.usage import Found
    from sdlc_cli.cost.model import Price, Row, Where
    from sdlc_cli.cost.prices.receipt import Receipt
    from sdlc_cli.cost.prices.resolve import Prices
    from sdlc_cli.cost.reconcile import Keys, Side

MOST_PRICES = 200


def register(app: App) -> None:
    """Add these commands to `sdlc cost`."""
    app.command(
        help=_(
            "Hold the logs against BILL, a provider's usage or cost export.\n\n"
            "Exit code 1 when a line differs: what matches, what one side lacks, what is priced"
            " differently."
        )
    )(reconcile)
    app.command(
        help=_(
            "Show the receipt of one call: log line, tokens, price, date, arithmetic.\n\n"
            "The text of prompts and answers is never shown."
        )
    )(explain)
    app.command(
        help=_(
            "Show the prices of models, a glob or a name, with where each comes from.\n\n"
            "With --update the catalogue is compiled anew from the package genai-prices."
        )
    )(prices)
    app.command(
        "map",
        help=_(
            "Draft the map of columns for a log in a layout of its own, for cost.yaml.\n\n"
            "Look it over: names are guessed at, and what is counted twice nobody can tell."
        ),
    )(draft)


def reconcile(
    ctx: typer.Context,
    bill: Annotated[Path, typer.Argument(exists=True, help=_("The provider's export."))],
    paths: Paths = None,
    tolerance: Annotated[
        str,
        typer.Option(
            "--tolerance", metavar="SHARE", help=_("Let so much of a line differ, as 1%.")
        ),
    ] = "0%",
    timezone: Timezone = "",
    source_format: SourceFormat = "",
    prices: PricesFile = None,
    config: CostConfigPath = None,
    form: AnswerFormat = "table",
    output: OutputPath = None,
    no_cache: NoCache = False,
) -> None:
    """Hold the logs against a provider's export."""
    from sdlc_cli.cost import reconcile as reconciling
    from sdlc_cli.cost.report import reconcile as shown
    from sdlc_cli.cost.report.answer import Answer

    share = _share(tolerance)
    asked = Question(
        paths=paths or (),
        config=config,
        prices=prices,
        source_format=source_format,
        timezone=timezone,
        no_cache=no_cache,
    )
    with opened(ctx, asked) as logs:
        counted_something(logs.usage, asked.paths)
        theirs = _bill(bill, logs)
        where = _days_of(theirs, logs)
        by = (*reconciling.BY, "project")
        ours = reconciling.sides(logs.usage.slices(by, where, logs.timezone))
        elsewhere = {
            other: reconciling.sides(logs.usage.slices(by, where, other))
            for other in ("UTC", "America/Los_Angeles")
            if other != logs.timezone
        }
        found = reconciling.reconcile(ours, theirs, tolerance=share, elsewhere=elsewhere)
        answer = Answer(
            headline=shown.headline(found),
            tables=shown.tables(found),
            notes=shown.notes(found),
            document=shown.document(found),
            good=found.exit_code == 0,
        )
        deliver(logs.out, answer, form, output)
    raise typer.Exit(found.exit_code)


def _share(text: str) -> "Decimal":
    from sdlc_cli.core import exact

    try:
        return exact.share(text)
    except ValueError:
        raise UsageError(
            msg("--tolerance takes a percentage, not '{word}'", word=text), hint="--tolerance 1%"
        ) from None


def _bill(path: Path, logs: Opened) -> "dict[Keys, Side]":
    """The lines of the provider's export. Raises NothingToDo and WorkError."""
    from sdlc_cli.cost import reconcile as reconciling

    def name(row: "Row") -> tuple[str, str]:
        price = logs.prices.price(row.provider, row.model, row.tier)
        return price.provider or row.provider, price.model or row.model

    found = reconciling.bill_of_rows(_rows(path, logs.out), name, logs.timezone)
    if not found:
        raise NothingToDo(msg("{path} holds no line of a bill", path=path))
    return found


def _rows(path: Path, out: Console) -> "Iterator[Row]":
    """The rows of one file in a known format; what is refused is told."""
    from dataclasses import replace

    from sdlc_cli.core.workfolder import workfolder
    from sdlc_cli.cost.engine import exact
    from sdlc_cli.cost.readers import detect

    with workfolder(WORK) as folder:
        source = _only(path, folder, "sdlc cost reconcile {path}")
        form = detect.detect(exact.sniffed(source), source.file.name)
        if form is None:
            raise WorkError(
                msg("{path} is in no format that is known", path=path),
                hint=msg("docs/cost-formats.md lists the exports that can be read"),
            )
        if form.bill:
            form = replace(form, start=form.bill)
        for batch in exact.batches(exact.numbered(source), form):
            for line, reason in batch.rejected:
                place = f"{path}:{line}"
                out.warn(_("{place}: not counted: {reason}").format(place=place, reason=reason))
            yield from batch.rows


def _only(path: Path, tmp: Path, hint: str) -> "Source":
    """The one log that a path stands for."""
    from sdlc_cli.cost.engine import sources

    source, *more = sources.find([str(path)], tmp)
    if more:
        raise UsageError(
            msg("{path} holds {n} logs: name one of them", path=path, n=len(more) + 1),
            hint=hint.format(path=shlex.quote(source.shown)),
        )
    return source


def _days_of(theirs: "dict[Keys, Side]", logs: Opened) -> "Where":
    """The calls of the days that the bill tells of."""
    from datetime import date, timedelta

    from sdlc_cli.core.when import begin
    from sdlc_cli.cost.model import Where
    from sdlc_cli.cost.zones import zone

    days = sorted(filter(None, (dict(keys).get("day", "") for keys in theirs)))
    if not days:
        return Where()
    place = zone(logs.timezone)
    first, last = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
    try:
        return Where(since=begin(first, place), until=begin(last + timedelta(days=1), place))
    except OverflowError:  # the first or the last day that there is
        return Where()


def draft(
    ctx: typer.Context,
    sample: Annotated[Path, typer.Argument(exists=True, help=_("A log, or some lines of it."))],
    output: OutputPath = None,
) -> None:
    """Draft the map of columns."""
    from sdlc_cli.core.workfolder import workfolder
    from sdlc_cli.cost.engine import exact
    from sdlc_cli.cost.readers import detect
    from sdlc_cli.cost.readers import draft as drafting

    out = console(ctx)
    with workfolder(WORK) as folder:
        source = _only(sample, folder, "sdlc cost map {path}")
        records = exact.sniffed(source)
        known = detect.detect(records, source.file.name)
        if known is not None:
            out.note(
                _("{path} is read as {form} without a map").format(path=sample, form=known.name)
            )
        made = drafting.columns([one for one in records if isinstance(one, dict)])
    out.deliver(made.yaml, output)
    for note in made.notes:
        out.note(local(note))


def explain(
    ctx: typer.Context,
    call_id: Annotated[str, typer.Argument(help=_("The id of the call, as the log has it."))],
    paths: Paths = None,
    source_format: SourceFormat = "",
    prices: PricesFile = None,
    config: CostConfigPath = None,
    form: AnswerFormat = "table",
    output: OutputPath = None,
    no_cache: NoCache = False,
) -> None:
    """Show the receipt of one call."""
    from sdlc_cli.cost.prices import receipt as receipts
    from sdlc_cli.cost.report.answer import Answer

    asked = Question(
        paths=paths or (),
        config=config,
        prices=prices,
        source_format=source_format,
        no_cache=no_cache,
    )
    with opened(ctx, asked) as logs:
        found = logs.usage.find(call_id)
        if not found:
            raise NothingToDo(msg("there is no call {id} in the logs", id=call_id))
        first = found[0]
        made = receipts.receipt(first.row, first.price)
        places = [_place(one) for one in found]
        answer = Answer(
            headline=_headline(made),
            tables=(receipts.table(made),) if made.lines else (),
            notes=(*made.why, *_about(first, made), *_where(places)),
            document={**receipts.as_json(made), "records": places},
            good=made.pico is not None,
        )
        deliver(logs.out, answer, form, output)


def _headline(made: "Receipt") -> Message:
    from sdlc_cli.core import money

    if made.pico is not None:
        return msg(
            "{id}: ${cost}", id=made.row.call_id or made.row.dedupe, cost=money.text(made.pico)
        )
    if made.at_most_pico is not None:
        return msg(
            "{id}: unpriced, at most ${cost}",
            id=made.row.call_id or made.row.dedupe,
            cost=money.text(made.at_most_pico),
        )
    return msg("{id}: not priced", id=made.row.call_id or made.row.dedupe)


def _about(found: "Found", made: "Receipt") -> tuple[Message, ...]:
    """What was logged, and which price that is."""
    row = found.row
    logged = "/".join(word for word in (row.provider, row.model, row.tier) if word)
    notes = [msg("logged as {name}", name=logged)] if logged else []
    if made.source:
        notes.append(msg("price from {source}", source=made.rate.source if made.rate else ""))
    return tuple(notes)


def _where(places: list[dict[str, object]]) -> tuple[Message, ...]:
    first, *others = (f"{one['path']}:{one['line']}" for one in places)
    notes = [msg("counted from {place}", place=first)]
    if others:
        notes.append(msg("the same call, not counted again: {places}", places=", ".join(others)))
    return tuple(notes)


def _place(found: "Found") -> dict[str, object]:
    return {"path": found.path, "line": found.line}


def prices(
    ctx: typer.Context,
    model: Annotated[
        str, typer.Argument(help=_("A model's name or a glob, as gpt-4o* or anthropic/*."))
    ] = "",
    update: Annotated[
        bool,
        typer.Option("--update", help=_("Compile the catalogue from the package genai-prices.")),
    ] = False,
    config: CostConfigPath = None,
    file: PricesFile = None,
    form: AnswerFormat = "table",
    output: OutputPath = None,
) -> None:
    """Show what models cost."""
    from sdlc_cli.cost.report import prices as shown
    from sdlc_cli.cost.report.answer import Answer

    out = console(ctx)
    if update:
        _update(out)
        return
    known = prices_of(configured(Question(config=config, prices=file)))
    found = _named(known, model)
    if not found:
        raise NothingToDo(
            msg("the catalogue has no model {name}", name=model), hint=f"{ctx.command_path} 'gpt*'"
        )
    catalogue = known.catalogue
    headline = msg(
        "{name} {version}: {n} models",
        name=catalogue.source,
        version=catalogue.version,
        n=sum(len(provider.models) for provider in catalogue.providers),
    )
    listed = found if form != "table" else found[:MOST_PRICES]
    rest = len(found) - len(listed)
    answer = Answer(
        headline=headline,
        tables=(shown.table(listed),),
        notes=(msg("and {n} more: a narrower name, or --format csv", n=rest),) if rest else (),
        document={"catalogue": _catalogue(known), **shown.document(listed)},
    )
    deliver(out, answer, form, output)


def _named(known: "Prices", name: str) -> "tuple[Price, ...]":
    """What the name stands for: one model as a log would name it, else all that the glob fits."""
    if not name:
        return known.listed()
    if not any(sign in name for sign in "*?["):
        provider, _slash, model = name.rpartition("/")
        one = known.price(provider, model)
        if one.rates:
            return (one,)
    return known.listed(name)


def _catalogue(known: "Prices") -> dict[str, str]:
    catalogue = known.catalogue
    return {
        "source": catalogue.source,
        "version": catalogue.version,
        "sha256": catalogue.sha256,
    }


def _update(out: Console) -> None:
    try:
        from sdlc_cli.cost.prices import build
    except ModuleNotFoundError:
        raise WorkError(
            msg("the catalogue is compiled from the package genai-prices, which is not installed"),
            hint="pip install 'sdlc-cli[prices]'",
        ) from None
    made = build.update()
    out.result(
        _("catalogue of {name} {version}, sha256 {digest}").format(
            name=made.source, version=made.version, digest=made.sha256
        )
    )
