"""`sdlc serve`: usage from live services, over HTTP."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdlc_cli.cli import serve_store
from sdlc_cli.cli.costing import CostConfigPath
from sdlc_cli.cli.help import App, console
from sdlc_cli.cli.serve_store import STORE, Store, file_of
from sdlc_cli.core.i18n import _

if TYPE_CHECKING:
    from sdlc_cli.cost.config import CostConfig

app = App(
    help=_(
        "Take usage from live services over HTTP, and tell what it costs while it happens.\n\n"
        "OpenTelemetry exporters send to this address; what is answered with 200 is on the disk."
        " Without keys it listens on this machine alone. SIGTERM ends it once all is kept;"
        " SIGHUP reads budgets and prices anew."
    ),
    invoke_without_command=True,
)
serve_store.register(app)


@app.callback()
def serve(
    ctx: typer.Context,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help=_("Listen here."))
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65_535, help=_("Listen on this port."))
    ] = 4318,
    store: Store = STORE,
    forward: Annotated[
        str,
        typer.Option(
            "--forward",
            metavar="ADDRESS",
            help=_("Copy the calls to a server, too, as postgresql://host/db."),
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
    max_body: Annotated[
        int,
        typer.Option("--max-body", metavar="MIB", min=1, max=64, help=_("Largest body, unpacked.")),
    ] = 20,
    cache_seconds: Annotated[
        float,
        typer.Option(
            "--cache-seconds",
            metavar="N",
            min=0,
            help=_("Use an answer about sums again for so long."),
        ),
    ] = 2,
    no_metrics: Annotated[
        bool, typer.Option("--no-metrics", help=_("Switch GET /metrics off."))
    ] = False,
    no_demo: Annotated[
        bool, typer.Option("--no-demo", help=_("Switch GET /api/v1/quantum/demo off."))
    ] = False,
    trace_to: Annotated[
        str,
        typer.Option(
            "--trace-to",
            metavar="URL",
            help=_("Send spans of the service's own requests to this OTLP address."),
        ),
    ] = "",
) -> None:
    """Take usage over HTTP."""
    if ctx.invoked_subcommand is not None:
        return
    from sdlc_cli.serve import addresses, run
    from sdlc_cli.serve.settings import Settings

    run.check_installed()
    out = console(ctx)

    def listening(address: str) -> None:
        out.note(_("listening on {address}").format(address=address))

    if trace_to:
        addresses.check_web(trace_to)
    if forward:
        addresses.check_forward(forward)
    settings = Settings(
        store=file_of(store),
        host=host,
        port=port,
        forward=forward,
        config=_configured(config),
        rate=rate_limit,
        most_body=max_body * 2**20,
        cache_s=cache_seconds,
        metrics=not no_metrics,
        demo=not no_demo,
        trace_to=trace_to,
    )
    ended = run.serve(settings, listening)
    raise typer.Exit(128 + ended if ended else 0)


def _configured(config: Path | None) -> "CostConfig":
    from sdlc_cli.cli.costing import Question, configured

    return configured(Question(config=config))
