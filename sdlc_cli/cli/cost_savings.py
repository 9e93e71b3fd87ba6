"""`sdlc cost` on what could be saved: whatif, advise, cache."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from sdlc_cli.cli.costing import (
    AnswerFormat,
    CostConfigPath,
    NoCache,
    Only,
    Opened,
    Paths,
    PricesFile,
    Question,
    Since,
    SourceFormat,
    Timezone,
    Until,
    counted_something,
    deliver,
    opened,
    some_fit,
)
from sdlc_cli.cli.help import App
from sdlc_cli.cli.options import OutputPath
from sdlc_cli.core.errors import NothingToDo, UsageError
from sdlc_cli.core.i18n import _, msg

if TYPE_CHECKING:
    from sdlc_cli.cost.engine.usage import Request
    from sdlc_cli.cost.prefixes import Caching


def register(app: App) -> None:
    """Add these commands to `sdlc cost`."""
    app.command(help=_("Price the same calls as if another model had answered them, or in batch."))(
        whatif
    )
    app.command(
        help=_(
            "Suggest what would save money, each with its dollars and what it assumes.\n\n"
            "Cheaper models of the same family, batch jobs, prompt caching, repeated requests."
            " Suggestions that touch the same calls are never added up."
        )
    )(advise)
    app.command(
        help=_(
            "Tell what a cache of answers would have saved, at several sizes and policies.\n\n"
            "It replays the hashes of past requests, where the logs have them."
        )
    )(cache)


def whatif(
    ctx: typer.Context,
    paths: Paths = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="OLD=NEW",
            help=_("Price calls to OLD, a name or a glob, as calls to NEW."),
        ),
    ] = None,
    batch: Annotated[
        bool, typer.Option("--batch", help=_("Price all calls at the rates of batch jobs."))
    ] = False,
    cache_prefixes: Annotated[
        bool,
        typer.Option(
            "--cache-prefixes", help=_("Let a prompt cache keep beginnings that come again.")
        ),
    ] = False,
    since: Since = "",
    until: Until = "",
    timezone: Timezone = "",
    only: Only = None,
    source_format: SourceFormat = "",
    prices: PricesFile = None,
    config: CostConfigPath = None,
    form: AnswerFormat = "table",
    output: OutputPath = None,
    no_cache: NoCache = False,
) -> None:
    """Price the same calls otherwise."""
    from sdlc_cli.cost.report import whatif as shown
    from sdlc_cli.cost.report.answer import Answer
    from sdlc_cli.cost.whatif import compare

    replaced = _replaced(model or (), ctx.command_path)
    if not replaced and not batch and not cache_prefixes:
        raise UsageError(
            msg("say what would be different: --model OLD=NEW, --batch or --cache-prefixes"),
            hint=f"{ctx.command_path} --model gpt-4o=gpt-4o-mini",
        )
    asked = Question(
        paths=paths or (),
        config=config,
        prices=prices,
        source_format=source_format,
        timezone=timezone,
        since=since,
        until=until,
        only=only or (),
        no_cache=no_cache,
    )
    with opened(ctx, asked) as logs:
        counted_something(logs.usage, asked.paths)
        _check_models(replaced, logs)
        tier = "batch" if batch else None
        by = ("provider", "model")
        some_fit(logs.usage.report(by=(), where=logs.where).totals)
        before = logs.usage.slices(by, logs.where)
        after = logs.usage.with_prices(replaced, tier).slices(by, logs.where)
        caching = _caching(logs) if cache_prefixes else None
        found = compare(before, after, replaced=replaced, tier=tier or "", caching=caching)
        answer = Answer(
            headline=shown.headline(found),
            tables=shown.tables(found),
            notes=shown.notes(found),
            document=shown.document(found),
        )
        deliver(logs.out, answer, form, output)


def _check_models(replaced: Mapping[str, str], logs: Opened) -> None:
    """Raises UsageError for a new model without a price; warns of an old one that nobody called."""
    from sdlc_cli.cost.engine.bounds import fits

    pricing = logs.usage.pricing()
    for old, new in replaced.items():
        providers = {"", *(provider for (provider, _model, _tier), _price in pricing)}
        if not any(logs.prices.price(provider, new).rates for provider in providers):
            raise UsageError(
                msg("no price is known for the model '{name}'", name=new),
                hint=msg("'sdlc cost prices' lists all; or give it a price in cost.yaml"),
            )
        if not any(fits(price, model, old) for (_provider, model, _tier), price in pricing):
            logs.out.warn(_("no call is to the model {name}").format(name=old))


def _caching(logs: Opened) -> dict[tuple[str, str], "Caching"]:
    """What keeping repeated beginnings of prompts would do, by provider and model."""
    from sdlc_cli.cost.prefixes import best_caching

    uses: dict[tuple[str, str], list[Request]] = {}
    for request in logs.usage.requests(logs.where):
        uses.setdefault((request.provider, request.model), []).append(request)
    prices = {(price.provider, price.model): price for _logged, price in logs.usage.pricing()}
    found = {key: best_caching(some, prices[key]) for key, some in uses.items() if key in prices}
    return {key: caching for key, caching in found.items() if caching}


def _replaced(words: Sequence[str], command: str) -> dict[str, str]:
    """`OLD=NEW` words as a mapping. Raises UsageError."""
    found: dict[str, str] = {}
    for word in words:
        old, sign, new = word.partition("=")
        if not sign or not old or not new:
            raise UsageError(
                msg("--model takes OLD=NEW, not '{word}'", word=word),
                hint=f"{command} --model gpt-4o=gpt-4o-mini",
            )
        found[old] = new
    return found


def advise(
    ctx: typer.Context,
    paths: Paths = None,
    since: Since = "",
    until: Until = "",
    timezone: Timezone = "",
    only: Only = None,
    source_format: SourceFormat = "",
    prices: PricesFile = None,
    config: CostConfigPath = None,
    form: AnswerFormat = "table",
    output: OutputPath = None,
    no_cache: NoCache = False,
) -> None:
    """Suggest what would save money."""
    from sdlc_cli.cost import advise as advising
    from sdlc_cli.cost.report import advise as shown
    from sdlc_cli.cost.report.answer import Answer

    asked = Question(
        paths=paths or (),
        config=config,
        prices=prices,
        source_format=source_format,
        timezone=timezone,
        since=since,
        until=until,
        only=only or (),
        no_cache=no_cache,
    )
    with opened(ctx, asked) as logs:
        counted_something(logs.usage, asked.paths)
        usage, known = logs.usage, logs.prices
        whole = usage.report(by=(), where=logs.where)
        some_fit(whole.totals)
        slices = usage.slices(advising.SLICE, logs.where)
        asking = advising.questions(slices, lambda p, m: known.cheaper(known.price(p, m)))
        answers = [
            (one, usage.with_prices(one.replace, one.tier).slices(advising.SLICE, logs.where))
            for one in asking
        ]
        found = advising.advise(
            slices,
            answers,
            calls=usage.requests(logs.where),
            price=known.price,
            unpriced=whole.unpriced,
            total=whole.totals,
        )
        answer = Answer(
            headline=shown.headline(found),
            tables=shown.tables(found),
            notes=shown.notes(found),
            document=shown.document(found),
        )
        deliver(logs.out, answer, form, output)


def cache(
    ctx: typer.Context,
    paths: Paths = None,
    ttl: Annotated[
        str,
        typer.Option(
            "--ttl", metavar="TIME", help=_("How long an answer may be used, as 1h; else for ever.")
        ),
    ] = "",
    size: Annotated[
        list[int] | None,
        typer.Option(
            "--size", metavar="N", min=1, help=_("Room for so many answers; else powers of ten.")
        ),
    ] = None,
    since: Since = "",
    until: Until = "",
    timezone: Timezone = "",
    only: Only = None,
    source_format: SourceFormat = "",
    prices: PricesFile = None,
    config: CostConfigPath = None,
    form: AnswerFormat = "table",
    output: OutputPath = None,
    no_cache: NoCache = False,
) -> None:
    """Tell what a cache of answers would have saved."""
    from sdlc_cli.cost.cachesim import simulate
    from sdlc_cli.cost.report import cachesim as shown
    from sdlc_cli.cost.report.answer import Answer

    seconds = _seconds(ttl)
    asked = Question(
        paths=paths or (),
        config=config,
        prices=prices,
        source_format=source_format,
        timezone=timezone,
        since=since,
        until=until,
        only=only or (),
        no_cache=no_cache,
    )
    with opened(ctx, asked) as logs:
        counted_something(logs.usage, asked.paths)
        total = logs.usage.report(by=(), where=logs.where).totals
        some_fit(total)
        requests = logs.usage.requests(logs.where)
        if not any(one.request_hash for one in requests):
            raise NothingToDo(
                msg("the logs do not tell what was asked, so nothing can be replayed"),
                hint=msg("log the request beside the answer, or its hash: docs/cost-formats.md"),
            )
        found = simulate(requests, sizes=tuple(size or ()), ttl_seconds=seconds, total=total)
        answer = Answer(
            headline=shown.headline(found),
            tables=shown.tables(found),
            notes=shown.notes(found),
            document=shown.document(found),
        )
        deliver(logs.out, answer, form, output)


def _seconds(text: str) -> float | None:
    from sdlc_cli.core.units import seconds

    if not text:
        return None
    try:
        found = seconds(text)
    except ValueError:
        found = 0
    if found <= 0:
        raise UsageError(msg("--ttl takes a time, not '{word}'", word=text), hint="--ttl 1h")
    return found
