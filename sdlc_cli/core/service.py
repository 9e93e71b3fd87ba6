"""A program that runs beside another one: started, waited for until it is ready, and stopped."""

import contextlib
import http.client
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, urlsplit

from sdlc_cli.core import proc
from sdlc_cli.core.errors import ConfigError, WorkError
from sdlc_cli.core.i18n import msg

_LOOPBACK = ("127.0.0.1", "::1")
_PAUSE_S = 0.05  # between two looks
_LOOK_S = 2.0  # for one connection or answer
_LINES = 10  # of its output, in an error


class Service:
    """`with Service(…):` the program is ready inside, and gone with its whole group after.

    Ready means that `port` accepts a connection on loopback, or that `url` (http or https, on
    loopback) answers 2xx, asked directly, never through a proxy; with neither, that it started.
    Entering raises ConfigError for a url elsewhere, and WorkError when the port is taken
    already, the program ends before it is ready, or `timeout` seconds pass.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str] | None = None,
        port: int | None = None,
        url: str = "",
        timeout: float = 30,
    ) -> None:
        self.name = name
        self._command = command
        self._cwd = cwd
        self._environment = environment
        self._port = port
        self._url = _loopback(url) if url else None
        self._timeout = timeout
        self._outputs = (proc.Output(proc.OUTPUT_LIMIT), proc.Output(proc.OUTPUT_LIMIT))
        self._stack = contextlib.ExitStack()
        self._child: proc.Child | None = None

    def __enter__(self) -> Self:
        self._refuse_taken_port()
        with contextlib.ExitStack() as stack:
            stack.enter_context(proc.ends_children_on_sigterm())
            child = proc.start(self._command, cwd=self._cwd, environment=self._environment)
            reader = threading.Thread(
                target=proc.pump, args=(child, self._outputs, b"", float("inf")), daemon=True
            )
            stack.callback(child.close)
            stack.callback(_end, child, reader)
            reader.start()
            self._wait_until_ready(child)
            self._stack = stack.pop_all()
            self._child = child
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def restart(self) -> None:
        """End what is left of it and start it once more, as `with` did. Raises the same."""
        self._stack.close()
        self.__enter__()

    @property
    def pid(self) -> int:
        """The process that was started, which leads the group; 0 when nothing was."""
        return self._child.process.pid if self._child else 0

    @property
    def ended(self) -> bool:
        """True when the process that was started is gone, or nothing was."""
        return self._child is None or self._child.ended.is_set()

    def signal(self, number: int) -> bool:
        """Send a signal to its whole group. False when nobody is left to get it."""
        return self._child is not None and self._child.signal(number)

    def last_lines(self) -> str:
        """The last lines it printed, standard error after standard output."""
        text = "\n".join(output.text() for output in self._outputs)
        return proc.last_lines(text, _LINES)

    def _refuse_taken_port(self) -> None:
        """What answers before the program starts is another program."""
        ports = {self._port, _port(self._url) if self._url else None} - {None}
        for port in ports:
            if port is not None and _accepts(port):
                raise WorkError(
                    msg(
                        "service {name}: port {port} is taken by another program",
                        name=self.name,
                        port=port,
                    ),
                    hint=msg("stop that program, or give the service another port"),
                )

    def _checks(self) -> list[Callable[[], bool]]:
        checks: list[Callable[[], bool]] = []
        if self._port is not None:
            port = self._port
            checks.append(lambda: _accepts(port))
        if self._url is not None:
            url = self._url
            checks.append(lambda: _answers(url))
        return checks

    def _wait_until_ready(self, child: proc.Child) -> None:
        until = time.monotonic() + self._timeout
        checks = self._checks()
        while not child.ended.is_set():
            if all(check() for check in checks) and not child.ended.wait(_PAUSE_S):
                return
            if time.monotonic() >= until:
                raise self._failed(
                    msg(
                        "service {name} was not ready within {seconds:g} s",
                        name=self.name,
                        seconds=self._timeout,
                    ),
                    child,
                )
            child.ended.wait(_PAUSE_S)
        raise self._failed(
            msg(
                "service {name} ended with exit code {code} before it was ready",
                name=self.name,
                code=child.process.returncode,
            ),
            child,
        )

    def _failed(self, why: str, child: proc.Child) -> WorkError:
        child.stop()
        time.sleep(_PAUSE_S)  # the reader takes the last words
        lines = self.last_lines() or msg("nothing")
        return WorkError(
            msg("{why}. It printed last: {lines}", why=why, lines=lines),
            hint=msg("check the service's command, port and url in gates.yaml"),
        )


def _end(child: proc.Child, reader: threading.Thread) -> None:
    child.stop()
    reader.join(proc.GRACE_S)


def _loopback(url: str) -> SplitResult:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
        parts.port  # noqa: B018 - raises ValueError when it is no number
    except ValueError:
        local = False
    if parts.scheme not in ("http", "https") or not local:
        raise ConfigError(
            msg("{url} is not an http address on this machine", url=url),
            hint=msg("services are asked on localhost, 127.0.0.1 or [::1] only"),
        )
    return parts


def _port(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _accepts(port: int) -> bool:
    for host in _LOOPBACK:
        with contextlib.suppress(OSError), socket.create_connection((host, port), _LOOK_S):
            return True
    return False


def _answers(url: SplitResult) -> bool:
    secure = url.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(url.hostname or "localhost", _port(url), timeout=_LOOK_S)
    try:
        connection.request("GET", f"{url.path or '/'}{'?' if url.query else ''}{url.query}")
        return 200 <= connection.getresponse().status < 300
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
