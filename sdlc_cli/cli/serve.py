"""`sdlc serve`: usage from live services, over HTTP."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdlc_cli.cli.costing import CostConfigPath
from sdlc_cli.cli.help import App, console
from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.i18n import _, msg

if TYPE_CHECKING:
    from sdlc_cli.cost.config import CostConfig

app = App(
    help=_(
        "Take usage from live services over HTTP, and tell what it costs while it happens.\n\n"
        "OpenTelemetry exporters send to this address; what is answered with 200 is on the disk."
        " Without keys it listens on this machine alone."
    ),
    invoke_without_command=True,
)

Store = Annotated[
    str,
    typer.Option(
        "--store", metavar="ADDRESS", help=_("Keep the calls here: sqlite:///FILE."),
        envvar="SDLC_SERVE_STORE",
    ),
]  # fmt: skip
_STORE = "sqlite:///usage.db"


@app.callback()
def serve(
    ctx: typer.Context,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help=_("Listen here."))
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65_535, help=_("Listen on this port."))
    ] = 4318,
    store: Store = _STORE,
    forward: Annotated[
        str,
        typer.Option(
            "--forward",
            metavar="ADDRESS",
            help=_("Copy the calls to a server, too: postgresql://…"),
        ),
    ] = "",
    config: CostConfigPath = None,
    rate_limit: Annotated[
        float,
        typer.Option(
            "--rate-limit",
            metavar="N",
            min=0,
            help=_("Requests a second of one key or address; 0 is no limit."),
        ),
    ] = 5_000,
) -> None:
    """Take usage over HTTP."""
    if ctx.invoked_subcommand is not None:
        return
    from sdlc_cli.serve import run
    from sdlc_cli.serve.settings import Settings

    run.check_installed()
    out = console(ctx)
    settings = Settings(
        store=_file(store),
        host=host,
        port=port,
        forward=forward,
        config=_configured(config),
        rate=rate_limit,
    )
    ended = run.serve(
        settings, lambda address: out.note(_("listening on {address}").format(address=address))
    )
    raise typer.Exit(128 + ended if ended else 0)


def _file(address: str) -> Path:
    from sdlc_cli.cost.store import sqlite

    if not address.startswith("sqlite:"):
        raise UsageError(
            msg("'{word}' cannot be written by a service", word=address),
            hint=f"--store {_STORE}",
        )
    return sqlite.file_of(address)


def _configured(config: Path | None) -> "CostConfig":
    from sdlc_cli.cli.costing import Question, configured

    return configured(Question(config=config))
