"""Session files of Claude Code: one JSON line an event, of which some carry a response's usage."""

from collections.abc import Iterable, Iterator, Mapping

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Row
from sdlc_cli.cost.readers import Format, Record, anthropic
from sdlc_cli.cost.readers.fields import dollars, labels, moment, section, text

# Claude Code writes records of its own making, an error it shows for one, under this model.
_SYNTHETIC = "<synthetic>"
_SIDECHAIN = -1  # the rank of what a side conversation repeats


def _is_ours(record: Record) -> bool:
    if "sessionId" in record and ("cwd" in record or "uuid" in record or "message" in record):
        return True
    message = record.get("message")
    return "timestamp" in record and isinstance(message, Mapping) and "usage" in message


def parse(record: Record) -> Iterable[Row]:
    """The call that an event tells of, and those that a model made on its own while answering.

    A response is written again with each part of it that arrives, each time with the usage so
    far: all of these share `dedupe`, and the largest counts.
    """
    event = _event(record)
    if event is None:
        return ()
    message = section(event, "message")
    model = text(message, "model")
    if model == _SYNTHETIC:
        return ()
    usage = message.get("usage")
    if usage is None:
        answered = record.get("type") == "assistant" and model
        return (_row(record, event, message, known=False),) if answered else ()
    row = _row(record, event, message)
    anthropic.fill(row, section(message, "usage"))
    if event.get("isApiErrorMessage") is True and not _tokens(row):
        return ()
    return (row, *_advisors(row, section(message, "usage")))


def _event(record: Record) -> Record | None:
    """What holds the message: the record, or the event of a subagent that it passes on."""
    if isinstance(record.get("message"), Mapping):
        return record
    data = record.get("data")
    if isinstance(data, Mapping):
        inner = data.get("message")
        if isinstance(inner, Mapping) and isinstance(inner.get("message"), Mapping):
            return inner
    return None


def _row(record: Record, event: Record, message: Record, *, known: bool = True) -> Row:
    call_id = text(message, "id")
    request = text(event, "requestId")
    return Row(
        ts=moment(event.get("timestamp") or record.get("timestamp"), "timestamp"),
        provider=anthropic.provider_of(call_id),
        model=text(message, "model"),
        path=text(event, "cwd") or text(record, "cwd"),
        tags=labels({"session": text(event, "sessionId") or text(record, "sessionId")}),
        call_id=call_id or request,
        dedupe=_dedupe(call_id, request),
        rank=_SIDECHAIN if event.get("isSidechain") is True else 0,
        known=known,
        logged_pico=dollars(event.get("costUSD"), "costUSD"),
    )


def _dedupe(call_id: str, request: str) -> str:
    """What makes two records one call.

    Anthropic's ids are unique, and a side conversation repeats them under new request ids, so the
    request id must not be part of the key. Gateways make up ids of their own, some the same for
    every response: there the request id, where one was kept, tells calls apart.
    """
    if not call_id:
        return f"claude-code:{request}" if request else ""
    if call_id.startswith("msg_") or not request:
        return call_id
    return f"claude-code:{call_id}:{request}"


def _tokens(row: Row) -> int:
    written = row.cache_write_5m + row.cache_write_1h
    return row.input + row.cache_read + written + row.output + row.reasoning


def _advisors(row: Row, usage: Record) -> Iterator[Row]:
    """Calls of another model inside this one, which the usage above does not contain."""
    steps = usage.get("iterations")
    if not isinstance(steps, list):
        return
    for number, step in enumerate(steps):
        if not isinstance(step, Mapping) or step.get("type") != "advisor_message":
            continue
        model = text(step, "model")
        if not model:
            continue
        inner = Row(
            ts=row.ts,
            provider=row.provider,
            model=model,
            path=row.path,
            tags=row.tags,
            call_id=f"{row.call_id}:advisor:{number}" if row.call_id else "",
            dedupe=f"{row.dedupe}:advisor:{number}" if row.dedupe else "",
            rank=row.rank,
        )
        anthropic.fill(inner, step)
        yield inner


FORMAT = Format(
    name="claude-code",
    title=msg("Claude Code session files"),
    matches=_is_ours,
    start=lambda: parse,
)
