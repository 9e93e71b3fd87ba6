"""What the commands of `sdlc cost` share: options, the configuration, the logs, the output."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdlc_cli.cli import cost_reading as reading
from sdlc_cli.cli.options import choice, console
from sdlc_cli.core.console import Console
from sdlc_cli.core.errors import NothingToDo, UsageError, WorkError
from sdlc_cli.core.i18n import _, msg

if TYPE_CHECKING:
    from datetime import datetime

    from sdlc_cli.cost.config import CostConfig
    from sdlc_cli.cost.engine.usage import Usage
    from sdlc_cli.cost.model import Amounts, Where
    from sdlc_cli.cost.prices.resolve import Prices
    from sdlc_cli.cost.privacy import Veil
    from sdlc_cli.cost.report.answer import Answer

FORMATS = ("table", "json", "csv", "markdown", "html", "focus")
ANSWER_FORMATS = ("table", "json", "csv", "markdown")
WORK = "sdlc-cost-"  # how the folders begin in which logs are worked on

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH",
        help=_(
            "Logs: files, folders, globs, - for standard input. Without any, the sources in"
            " cost.yaml, else where known tools keep their logs."
        ),
    ),
]
Since = Annotated[
    str,
    typer.Option("--since", metavar="DATE", help=_("Count calls from this day or time on.")),
]
Until = Annotated[
    str,
    typer.Option(
        "--until", metavar="DATE", help=_("Count calls up to this day, the day included.")
    ),
]
Timezone = Annotated[
    str,
    typer.Option(
        "--timezone", metavar="ZONE", help=_("Days begin at midnight there, as Europe/Berlin.")
    ),
]
SourceFormat = Annotated[
    str,
    typer.Option(
        "--source-format", metavar="NAME", help=_("Read the logs as this format; else detected.")
    ),
]
PricesFile = Annotated[
    Path | None,
    typer.Option("--prices", metavar="FILE", help=_("Prices that come over those of cost.yaml.")),
]
CostConfigPath = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help=_("Read this cost.yaml; else it is looked for in PATH and upward."),
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="KEY=VALUE",
        help=_("Count only these calls: project, team, user, model, provider or tag:NAME."),
    ),
]
Rejects = Annotated[
    Path | None,
    typer.Option(
        "--rejects", metavar="FILE", help=_("Write each record that was not counted to FILE.")
    ),
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help=_("Read every file anew, and remember nothing."))
]
ReportFormat = Annotated[
    str, choice("--format", "-f", words=FORMATS, help=_("The form of the result."))
]
AnswerFormat = Annotated[
    str, choice("--format", "-f", words=ANSWER_FORMATS, help=_("The form of the result."))
]
AsOf = Annotated[
    str,
    typer.Option(
        "--as-of", metavar="DATE", help=_("Judge as on this day or at this time; else now.")
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the words of a command ask of which logs."""

    paths: Sequence[str] = ()
    config: Path | None = None
    prices: Path | None = None
    source_format: str = ""
    timezone: str = ""
    since: str = ""
    until: str = ""
    only: Sequence[str] = ()
    rejects: Path | None = None
    no_cache: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The logs, and what is needed to ask them."""

    out: Console
    usage: "Usage"
    config: "CostConfig"
    prices: "Prices"
    where: "Where"
    timezone: str
    veil: "Veil"


@contextmanager
def opened(ctx: typer.Context, asked: Question) -> Iterator[Opened]:
    """The logs, read. Says on stderr what was read and what was not counted.

    Raises NothingToDo where there is no input, WorkError where no record of it could be counted.
    """
    from sdlc_cli.core.files import cache_dir
    from sdlc_cli.core.workfolder import workfolder
    from sdlc_cli.cost.engine import room
    from sdlc_cli.cost.engine.usage import open_usage
    from sdlc_cli.cost.privacy import Veil

    out = console(ctx)
    config = configured(asked)
    where = where_of(asked, config.timezone, ctx.command_path)
    priced = prices_of(config)
    paths = sources_of(asked, config)
    cached = cache_dir() if not asked.no_cache else None
    with workfolder(WORK) as folder, room.needed():
        with out.progress(_("Reading")) as progress:
            progress.begin(_("Reading"))
            usage = open_usage(
                paths,
                config=config,
                prices=priced,
                tmp=folder,
                source_format=asked.source_format or config.source_format,
                cache=cached,
            )
        with usage:
            reading.tell(out, usage, asked.rejects)
            yield Opened(
                out=out,
                usage=usage,
                config=config,
                prices=priced,
                where=where,
                timezone=config.timezone,
                veil=Veil(config.privacy),
            )


def configured(asked: Question) -> "CostConfig":
    """cost.yaml with the words of the command over it. Raises ConfigError and UsageError."""
    from sdlc_cli.core.files import repository_root
    from sdlc_cli.cost import config as costs

    start = _start(asked.paths)
    root = repository_root(start)
    file = asked.config or costs.find(start, root)
    loaded = costs.load(file, root)
    if asked.prices:
        own = costs.load_prices(asked.prices)
        loaded = replace(
            loaded,
            prices=(*loaded.prices, *own.prices),
            aliases={**loaded.aliases, **own.aliases},
        )
    if asked.timezone:
        loaded = replace(loaded, timezone=asked.timezone)
    _check_zone(loaded.timezone)
    return loaded


def prices_of(config: "CostConfig") -> "Prices":
    """All prices, with the user's own."""
    from sdlc_cli.cost.prices.resolve import Prices

    return Prices(overrides=config.prices, aliases=config.aliases)


def where_of(asked: Question, timezone: str, command: str) -> "Where":
    """Which calls are counted. Raises UsageError."""
    from sdlc_cli.cost.model import Where

    fields: dict[str, str] = {}
    tag: tuple[str, str] | None = None
    for word in asked.only:
        key, sign, value = word.partition("=")
        if not sign or not value:
            raise UsageError(
                msg("--where takes KEY=VALUE, not '{word}'", word=word),
                hint=f"{command} --where project=shop",
            )
        if key in fields or (tag and key.startswith("tag:")):
            raise UsageError(
                msg("--where takes {key} once: all conditions have to fit", key=key.split(":")[0]),
                hint=f"{command} --where project=shop --where tag:env=prod",
            )
        if key.startswith("tag:") and key != "tag:":
            tag = (key.removeprefix("tag:"), value)
            continue
        if key not in ("project", "team", "user", "model", "provider"):
            raise UsageError(
                msg(
                    "--where knows no {key}: use project, team, user, model, provider or tag:NAME",
                    key=key,
                ),
                hint=f"{command} --where project=shop",
            )
        fields[key] = value
    since = moment_of("--since", asked.since, timezone)
    until = moment_of("--until", asked.until, timezone, end=True)
    if since and until and until <= since:
        raise UsageError(
            msg(
                "--until {until} lies before --since {since}", until=asked.until, since=asked.since
            ),
            hint=f"{command} --since 2026-01-01 --until 2026-01-31",
        )
    return Where(since=since, until=until, tag=tag, **fields)


def moment_of(option: str, text: str, timezone: str, *, end: bool = False) -> "datetime | None":
    """The instant in UTC that a word of the command means. Raises UsageError."""
    from sdlc_cli.cost import zones

    if not text:
        return None
    try:
        return zones.moment(text, zones.zone(timezone), end=end)
    except (ValueError, OverflowError):
        raise UsageError(
            msg("{option} takes a day or a time, not '{word}'", option=option, word=text),
            hint=f"{option} 2026-01-31",
        ) from None


def sources_of(asked: Question, config: "CostConfig") -> tuple[str, ...]:
    """What to read. Raises NothingToDo when nobody says and no known tool keeps logs here."""
    if asked.paths:
        return tuple(dict.fromkeys(asked.paths))  # standard input is there once
    if config.sources:
        return tuple(_beside(source, config.root) for source in config.sources)
    from sdlc_cli.cost.readers import places

    found = tuple(str(place.folder) for place in places.known())
    if not found:
        raise NothingToDo(
            msg("no usage log is named, and no known tool keeps logs here"),
            hint="sdlc cost report logs/",
        )
    return found


def counted_something(usage: "Usage", paths: Sequence[str]) -> None:
    """Raises WorkError when every record was refused, NothingToDo when there was none."""
    rows = sum(source.rows for source in usage.sources)
    rejected = sum(source.rejected for source in usage.sources)
    if rows:
        return
    if rejected:
        raise WorkError(
            msg("no record could be counted: {n} were rejected", n=f"{rejected:,}"),
            hint=msg("--rejects FILE lists them; --source-format NAME says how to read them"),
        )
    names = ", ".join(paths) or ", ".join(
        source.path for source in usage.sources[: reading.MOST_SHOWN]
    )
    raise NothingToDo(msg("there is no call in {paths}", paths=names))


def some_fit(totals: "Amounts") -> None:
    """Raises NothingToDo when the words of the command leave no call over."""
    if not totals.calls and not any(totals.tokens.values()):
        raise NothingToDo(msg("no call fits --where, --since and --until"))


def _start(paths: Sequence[str]) -> Path:
    """The folder from which cost.yaml is looked for."""
    first = paths[0] if paths and paths[0] != "-" and "://" not in paths[0] else "."
    if not os.path.exists(first):
        return Path()
    # A link to logs elsewhere: the file beside the link is the user's, unless one lies among them.
    linked = os.path.islink(first) and not os.path.exists(os.path.join(first, "cost.yaml"))
    return Path(first) if os.path.isdir(first) and not linked else Path(first).parent


def _beside(source: str, root: Path) -> str:
    """A source of cost.yaml, which is relative to that file."""
    if source == "-" or "://" in source or os.path.isabs(source):
        return source
    shown = os.path.relpath(root / source)
    return str(root / source) if shown.startswith("..") else shown


def _check_zone(name: str) -> None:
    from sdlc_cli.cost import zones

    try:
        zones.zone(name)
    except zones.UnknownZone as error:
        raise UsageError(error.message, hint="--timezone Europe/Berlin") from None


def deliver(out: Console, answer: "Answer", form: str, output: Path | None) -> None:
    """Write one answer in the form that was asked for."""
    from sdlc_cli.cost.report import answer as answers

    view = answers.DEFAULT if output else out.view
    machine = form in ("json", "csv")
    out.deliver(answers.render(answer, form, view), output, machine=machine)
