"""Binds, serves, and stops when it is told to: what is taken is kept, and then the process ends."""

import asyncio
import fcntl
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sdlc_cli.core.errors import UsageError, WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.serve.settings import MOST_CONNECTIONS, Settings, check_bind

NEEDED = ("uvicorn", "httptools", "opentelemetry.proto", "google.protobuf")
_SWITCH_S = 0.0002  # for which a thread keeps Python's lock while the writer waits for it


def check_installed() -> None:
    """Raises WorkError with the name of the extra where a package is missing."""
    for name in NEEDED:
        try:
            found = find_spec(name)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise WorkError(
                msg("the service needs the package {package}", package=name),
                hint="pip install 'sdlc-cli[serve]'",
            )


def serve(settings: Settings, listening: Callable[[str], None]) -> int:
    """Runs until a signal ends it; the number of that signal. `listening` is told the address."""
    check_installed()
    sys.setswitchinterval(_SWITCH_S)
    return asyncio.run(_serve(settings, listening))


async def _serve(settings: Settings, listening: Callable[[str], None]) -> int:
    from sdlc_cli.serve import log
    from sdlc_cli.serve.app import App
    from sdlc_cli.serve.service import Service
    from sdlc_cli.serve.wire import watch

    held = _held(settings.store)
    bound = _bound(settings)
    try:
        service = Service(settings)
        await service.start()
    except BaseException:
        bound.close()
        raise
    app = None
    ended: list[int] = []
    try:
        check_bind(settings, len(service.keyring))
        app = App(service)
        app.route(_routes(service, app.worked))
        server = _server(app, settings)
        gc.freeze()  # what is loaded by now stays: no collection looks at it again
        log.take_over()
        loop = asyncio.get_running_loop()

        def stop(number: int) -> None:
            service.stopping = True
            if ended:  # once more: do not wait
                server.force_exit = True
            ended.append(number)
            server.should_exit = True

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop, number)
        reloads: set[asyncio.Task[str]] = set()

        def reload() -> None:
            task = asyncio.create_task(service.reload())
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        loop.add_signal_handler(signal.SIGHUP, reload)
        slow = asyncio.create_task(
            watch(server.server_state.connections, lambda: service.metrics.count("slow"))
        )
        address = _address(bound)
        listening(address)
        log.say("listening", address=address, store=str(settings.store))
        await server.serve([bound])
        slow.cancel()
    finally:
        await service.stop()
        if app:
            app.close()
        bound.close()
        os.close(held)
    log.say("stopped", signal=ended[0] if ended else 0)
    return ended[0] if ended else 0


def _server(app: Any, settings: Settings) -> Any:
    import uvicorn

    from sdlc_cli.serve.wire import Guarded

    class Quiet(uvicorn.Server):
        """Leaves signals to us."""

        def capture_signals(self) -> Any:
            import contextlib

            return contextlib.nullcontext()

    return Quiet(
        uvicorn.Config(
            app,
            http=Guarded,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=int(settings.drain_s),
            limit_concurrency=MOST_CONNECTIONS,
            backlog=2048,
        )
    )


def _held(store: Path) -> int:
    """The lock of a store, which one service keeps; the system lets go of it with the process."""
    try:
        handle = os.open(
            store.with_name(store.name + ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600
        )
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise WorkError(
            msg("another `sdlc serve` keeps {path}", path=str(store)),
            hint=msg("stop it, or name another --store"),
        ) from None
    except OSError as error:
        raise WorkError(
            msg(
                "{path} cannot be written: {why}", path=str(store), why=error.strerror or str(error)
            )
        ) from None
    return handle


def _bound(settings: Settings) -> socket.socket:
    try:
        found = socket.getaddrinfo(
            settings.host.strip("[]"), settings.port, type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )  # fmt: skip
        family, kind, protocol, _, address = found[0]
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(2048)
        made.setblocking(False)
    except UnicodeError:
        raise UsageError(
            msg("'{host}' is no name of a host", host=settings.host), hint="--host 127.0.0.1"
        ) from None
    except OSError as error:
        raise WorkError(
            msg(
                "{host}:{port} cannot be bound: {why}",
                host=settings.host,
                port=settings.port,
                why=error.strerror or str(error),
            ),
            hint=msg("stop the other program, or give another --port"),
        ) from None
    return made


def _address(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _routes(service: Any, worked: Any) -> dict[tuple[str, str], Any]:
    from sdlc_cli.serve.api import Api
    from sdlc_cli.serve.app import OTLP, Route
    from sdlc_cli.serve.receive import Intake

    intake, api = Intake(service, worked), Api(service)
    found = {
        ("POST", path): Route(work=intake.otlp(signal), scope="ingest", has_body=True)
        for path, signal in OTLP.items()
    }
    found["POST", "/api/v1/cost/track"] = Route(work=intake.track, scope="ingest", has_body=True)
    found["POST", "/api/v1/route"] = Route(work=api.route, scope="read", has_body=True)
    for path, work, scope in (
        ("/api/v1/cost/report", api.report, "read"),
        ("/api/v1/budgets", api.budgets, "read"),
        ("/api/v1/quantum/demo", api.demo, "read"),
        ("/api/v1/openapi.json", api.openapi, ""),
        ("/metrics", api.metrics, "read"),
        ("/health", api.health, ""),
        ("/health/live", api.live, ""),
        ("/health/ready", api.ready, ""),
    ):
        found["GET", path] = Route(work=work, scope=scope)
    return found
