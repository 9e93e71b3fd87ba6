"""`sdlc serve keys` and `sdlc serve dead-letters`: what is done beside the running service."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sdlc_cli.cli.costing import AnswerFormat, deliver
from sdlc_cli.cli.help import App, console
from sdlc_cli.cli.options import OutputPath
from sdlc_cli.core.errors import UsageError, WorkError
from sdlc_cli.core.i18n import _, msg, ngettext

if TYPE_CHECKING:
    pass

STORE = "sqlite:///usage.db"
Store = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="ADDRESS",
        help=_("Keep the calls here: sqlite:///FILE."),
        envvar="SDLC_SERVE_STORE",
    ),
]


def register(app: App) -> None:
    """Add these commands to `sdlc serve`."""
    app.command(
        help=_(
            "List the API keys; make one with --new, take one back with --revoke.\n\n"
            "The key is shown once: the store keeps a keyed hash of it. A running service"
            " knows of it within seconds."
        )
    )(keys)
    app.command(
        name="dead-letters",
        help=_(
            "List the calls that the server of --forward refused, and why.\n\n"
            "With --replay they are copied once more, by the running service or by the next one."
        ),
    )(dead_letters)


def keys(
    ctx: typer.Context,
    store: Store = STORE,
    new: Annotated[
        list[str] | None,
        typer.Option("--new", metavar="SCOPE", help=_("Make a key for ingest, read or admin.")),
    ] = None,
    project: Annotated[
        list[str] | None,
        typer.Option("--project", metavar="NAME", help=_("The key is for this project alone.")),
    ] = None,
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help=_("Whom the key is for."))
    ] = "",
    revoke: Annotated[
        str, typer.Option("--revoke", metavar="ID", help=_("Take this key back."))
    ] = "",
    form: AnswerFormat = "table",
    output: OutputPath = None,
) -> None:
    """The API keys."""
    from sdlc_cli.core.table import Column, Table
    from sdlc_cli.cost.report.answer import Answer
    from sdlc_cli.serve import keys as ring

    file = file_of(store)
    if (project or note) and not new:
        raise UsageError(msg("--project and --note describe a new key"), hint="--new ingest")
    with _open(file, make=bool(new)) as con:
        if new:
            made = ring.create(
                con, ring.pepper_of(file, make=True), scopes=new, projects=project or (), note=note
            )
            console(ctx).result(made)
            console(ctx).note(_("the key is not shown again; the store keeps a hash of it"))
            return
        if revoke:
            ring.revoke(con, revoke)
            console(ctx).note(_("{id} opens nothing any more").format(id=revoke))
            return
        known = ring.listed(con)
    columns = (
        Column(key="id", title=_("Key")),
        Column(key="scopes", title=_("Scopes")),
        Column(key="projects", title=_("Projects")),
        Column(key="note", title=_("Note")),
        Column(key="made", title=_("Made")),
        Column(key="revoked", title=_("Revoked")),
    )
    rows = tuple(
        (
            key.id,
            ", ".join(sorted(key.scopes)),
            ", ".join(key.projects) or _("all"),
            key.note,
            _time(key.at),
            _time(key.revoked) if key.revoked else None,
        )
        for key in known
    )
    answer = Answer(
        headline=msg("Keys: {n}", n=len(known)),
        tables=(Table(columns=columns, rows=rows),) if rows else (),
        notes=(),
        document=_document(
            "keys",
            [
                {
                    "id": key.id,
                    "scopes": sorted(key.scopes),
                    "projects": list(key.projects),
                    "note": key.note,
                    "made": _time(key.at),
                    "revoked": _time(key.revoked) if key.revoked else None,
                }
                for key in known
            ],
        ),
    )
    deliver(console(ctx), answer, form, output)


def dead_letters(
    ctx: typer.Context,
    store: Store = STORE,
    replay: Annotated[bool, typer.Option("--replay", help=_("Copy them once more."))] = False,
    form: AnswerFormat = "table",
    output: OutputPath = None,
) -> None:
    """The calls that a server refused."""
    from sdlc_cli.core.table import Column, Table
    from sdlc_cli.cost.report.answer import Answer
    from sdlc_cli.cost.store import letters

    with _open(file_of(store), make=False) as con:
        if replay:
            count = letters.replay(con)
            said = ngettext("{n} call is copied once more", "{n} calls are copied once more", count)
            console(ctx).note(said.format(n=count))
            return
        found = letters.listed(con)
    columns = (
        Column(key="call", title=_("Call")),
        Column(key="model", title=_("Model")),
        Column(key="project", title=_("Project")),
        Column(key="refused", title=_("Refused")),
        Column(key="reason", title=_("Why")),
    )
    rows = tuple(
        (row.call_id, row.model, row.project, _time(at), reason) for row, reason, at in found
    )
    table: tuple[Table, ...] = (Table(columns=columns, rows=rows),) if rows else ()
    answer = Answer(
        headline=msg("Dead letters: {n}", n=len(found)),
        tables=table,
        notes=(),
        document=_document(
            "dead_letters",
            [
                {
                    "call_id": row.call_id,
                    "model": row.model,
                    "project": row.project,
                    "refused": _time(at),
                    "reason": reason,
                }
                for row, reason, at in found
            ],
        ),
    )
    deliver(console(ctx), answer, form, output)


def file_of(address: str) -> Path:
    """The file of a store that a service may keep, itself and no link to it. Raises UsageError.

    Its lock, its secret and its days lie beside it, whatever name it goes by.
    """
    from sdlc_cli.cost.store import sqlite

    if not address.startswith("sqlite:"):
        raise UsageError(
            msg("'{word}' cannot be kept by a service", word=address), hint=f"--store {STORE}"
        )
    file = sqlite.file_of(address)
    if not file.is_symlink():
        return file
    with suppress(OSError, RuntimeError):  # later Pythons give a circle back as it is
        file = file.resolve()
    if file.is_symlink():
        raise UsageError(msg("{address} names no file", address=address), hint=f"--store {STORE}")
    return file


@contextmanager
def _open(file: Path, *, make: bool) -> "Iterator[sqlite3.Connection]":
    """The store, beside a service that may be running."""
    from sdlc_cli.cost.store import connection, migrate

    if not make and not file.exists():
        raise UsageError(msg("there is no file or folder {path}", path=str(file)))
    with closing(connection.opened(file)) as con:
        migrate.migrate(con, file)
        try:
            yield con
        except sqlite3.Error as error:
            raise WorkError(
                msg("SQLite says: {why} ({path})", why=str(error), path=str(file))
            ) from None


def _document(name: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"schema_version": 1, name: found}


def _time(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
