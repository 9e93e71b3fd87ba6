"""Output and error files of the OpenAI Batch API: one line a request, at batch rates."""

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Parse, Record, openai_chat, openai_responses
from sdlc_cli.cost.readers.counts import count
from sdlc_cli.cost.readers.fields import section, text


def matches(record: Record) -> bool:
    """Whether the record is a line of an output or error file."""
    return "custom_id" in record and "response" in record and "method" not in record


def parse(record: Record) -> tuple[Row, ...]:
    """The call that a line tells of; a request that failed has no usage. Raises Rejected."""
    if not matches(record):
        raise Rejected(msg("not a line of a batch's output"))
    response = section(record, "response")
    body = section(response, "body")
    name = text(body, "id") or text(response, "request_id")
    if not name and record.get("id"):
        # Requests that expired may share the line's id: their custom_id tells them apart.
        name = f"{text(record, 'id')}:{text(record, 'custom_id')}"
    failed = record.get("error") or body.get("error") or count(response, "status_code") >= 400
    if failed and not body.get("usage"):
        return (Row(tier="batch", status="error", rank=-3, call_id=name, dedupe=name),)
    if not body:
        raise Rejected(msg("neither a response nor an error"))
    shape = openai_responses.FORMAT if openai_responses.matches(body) else openai_chat.FORMAT
    rows = tuple(shape.start()(body))
    for row in rows:
        row.tier = "batch"
        row.call_id = row.dedupe = name
    return rows


def _start() -> Parse:
    return parse


FORMAT = Format(
    name="openai-batch", title=msg("OpenAI Batch output files"), matches=matches, start=_start
)
