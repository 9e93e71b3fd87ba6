"""`sdlc cost` beside the report: explain, prices, map."""

from typing import TYPE_CHECKING, Annotated

import typer

from sdlc_cli.cli.costing import (
    AnswerFormat,
    CostConfigPath,
    NoCache,
    Paths,
    PricesFile,
    Question,
    SourceFormat,
    configured,
    deliver,
    opened,
    prices_of,
)
from sdlc_cli.cli.help import App
from sdlc_cli.cli.options import OutputPath, console
from sdlc_cli.core.console import Console
from sdlc_cli.core.errors import NothingToDo, WorkError
from sdlc_cli.core.i18n import Message, _, msg

if TYPE_CHECKING:
    from sdlc_cli.cost.engine.usage import Found
    from sdlc_cli.cost.model import Price
    from sdlc_cli.cost.prices.receipt import Receipt
    from sdlc_cli.cost.prices.resolve import Prices

MOST_PRICES = 200


def register(app: App) -> None:
    """Add these commands to `sdlc cost`."""
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
            tables=(receipts.table(made),),
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
