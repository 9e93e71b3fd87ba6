"""`sdlc cost load`: logs into a store, where many machines can ask for them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from sdlc_cli.cli import cost_reading as reading
from sdlc_cli.cli.costing import (
    WORK,
    AnswerFormat,
    CostConfigPath,
    Paths,
    Question,
    Rejects,
    SourceFormat,
    configured,
    deliver,
    sources_of,
)
from sdlc_cli.cli.help import App
from sdlc_cli.cli.options import OutputPath, console
from sdlc_cli.core.errors import NothingToDo, UsageError, WorkError
from sdlc_cli.core.i18n import _, msg

if TYPE_CHECKING:
    from sdlc_cli.cost.model import Rejection, Row


def register(app: App) -> None:
    """Add this command to `sdlc cost`."""
    app.command(
        help=_(
            "Add the records of logs to a store: SQLite, PostgreSQL or ClickHouse.\n\n"
            "The other commands take the store's address as PATH. A call that is loaded twice"
            " counts once, where its record has an id."
        )
    )(load)


@dataclass(slots=True)
class _Seen:
    """What went by on its way into the store."""

    without_id: int = 0
    rejected: int = 0
    first: "list[Rejection]" = field(default_factory=list)
    all: "list[Rejection] | None" = None  # where they are asked for

    def refused(self, one: "Rejection") -> None:
        self.rejected += 1
        if self.all is not None:
            self.all.append(one)
        elif len(self.first) < reading.MOST_SHOWN:
            self.first.append(one)

    def watched(self, rows: "Iterable[Row]") -> "Iterator[Row]":
        for row in rows:
            self.without_id += not row.dedupe
            yield row


def load(
    ctx: typer.Context,
    store: Annotated[str, typer.Argument(help=_("The store's address, as sqlite:///usage.db."))],
    paths: Paths = None,
    source_format: SourceFormat = "",
    config: CostConfigPath = None,
    form: AnswerFormat = "table",
    output: OutputPath = None,
    rejects: Rejects = None,
) -> None:
    """Add the records of logs to a store."""
    from sdlc_cli.core.workfolder import workfolder
    from sdlc_cli.cost.engine import remote
    from sdlc_cli.cost.report import loading as shown
    from sdlc_cli.cost.report import rejects as listing
    from sdlc_cli.cost.report.answer import Answer

    out = console(ctx)
    asked = Question(paths=paths or (), config=config, source_format=source_format)
    settings = configured(asked)
    logs = sources_of(asked, settings)
    _check(store, logs, ctx.command_path)
    seen = _Seen(all=[] if rejects else None)
    with workfolder(WORK) as folder, out.progress(_("Loading")) as progress:
        progress.begin(_("Loading"))
        chosen = source_format or settings.source_format
        found = remote.rows(logs, folder, chosen, seen.refused)
        count = remote.load(store, seen.watched(found))
    if rejects:
        listing.write(rejects, seen.all or ())
        out.note(_("wrote {path}").format(path=rejects))
    if seen.rejected:
        reading.warn_of_rejected(
            out, seen.all or seen.first, seen.rejected, listed=rejects is not None
        )
    _something(count, seen.rejected, logs)
    answer = Answer(
        headline=shown.headline(count, remote.shown(store)),
        notes=shown.notes(seen.without_id, seen.rejected),
        document=shown.document(count, seen.rejected, seen.without_id, remote.shown(store)),
    )
    deliver(out, answer, form, output)


def _check(store: str, logs: "Iterable[str]", command: str) -> None:
    """Raises UsageError for what is no store, and for stores among the logs."""
    from sdlc_cli.cost.engine import remote

    if not remote.is_address(store):
        raise UsageError(
            msg("'{word}' is no address of a store", word=store),
            hint=f"{command} sqlite:///usage.db logs/",
        )
    if stored := next(filter(remote.is_address, logs), ""):
        raise UsageError(
            msg("{address} is a store, not a log", address=remote.shown(stored)),
            hint=f"{command} sqlite:///usage.db logs/",
        )


def _something(count: int, rejected: int, logs: "Iterable[str]") -> None:
    """Raises WorkError when every record was refused, NothingToDo when there was none."""
    if not count and rejected:
        raise WorkError(
            msg("no record could be counted: {n} were rejected", n=f"{rejected:,}"),
            hint=msg("--rejects FILE lists them; --source-format NAME says how to read them"),
        )
    if not count:
        raise NothingToDo(msg("there is no call in {paths}", paths=", ".join(logs)))
