"""The service's own log: JSON lines on standard error, of events and figures.

What clients send is never in it: no text, no key, no header. Names that they chose stand in
`meta.detail` at most, cut short and with control characters escaped by JSON.
"""

import logging
import sys
import threading
from datetime import UTC, datetime

import msgspec

_encoder = msgspec.json.Encoder()
_LONGEST = 300
_lock = threading.Lock()


def say(event: str, level: str = "info", **facts: object) -> None:
    """One line."""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": level,
        "event": event,
        **{name: _short(value) for name, value in facts.items()},
    }
    text = _encoder.encode(line).decode("ascii", "backslashreplace")
    with _lock:
        try:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):  # nobody reads it any more
            return


def _short(value: object) -> object:
    if isinstance(value, str):
        value = value.encode("unicode_escape").decode("ascii")
        return value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "..."
    return value


class Forwarded(logging.Handler):
    """What the HTTP library logs, as lines of ours; of a traceback only its kind and place."""

    def emit(self, record: logging.LogRecord) -> None:
        """One record."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            say("server", record.levelname.lower(), detail=record.getMessage())
        else:
            bug(error)


def bug(error: BaseException, **facts: object) -> None:
    """Something that must not happen: its kind and its place. Its words may be a client's."""
    trace = error.__traceback__
    places: list[str] = []
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
        places.append(f"{file}:{trace.tb_lineno}")
        trace = trace.tb_next
    say("bug", "error", kind=type(error).__name__, place=" ".join(places[-4:]), **facts)


def take_over() -> None:
    """Has the HTTP library log by way of this."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers = [Forwarded()] if name in ("uvicorn.error", "asyncio") else []
        logger.propagate = False
        logger.setLevel(logging.ERROR if name != "asyncio" else logging.CRITICAL)
