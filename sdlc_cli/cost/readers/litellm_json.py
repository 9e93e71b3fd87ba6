"""LiteLLM's logging payload as JSON lines: what its JSON, S3, GCS and similar loggers write."""

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Parse, Record, fingerprint, litellm_spend
from sdlc_cli.cost.readers.fields import section, text

_FIELDS = frozenset(("id", "startTime", "response_cost", "prompt_tokens"))


def matches(record: Record) -> bool:
    """Whether the record is a standard logging payload."""
    return record.keys() >= _FIELDS


def parse(record: Record) -> tuple[Row, ...]:
    """The call that a payload tells of. Raises Rejected."""
    if not matches(record):
        raise Rejected(msg("not a record of LiteLLM's JSON log"))
    about = section(record, "metadata")
    name = text(record, "id") or text(record, "litellm_call_id")
    row = Row(call_id=name, dedupe=name)
    litellm_spend.fill(row, record, about, "response_cost")
    row.user = row.user or text(about, "user_api_key_end_user_id")
    row.user = row.user or text(about, "user_api_key_user_id")
    row.key = row.key or text(about, "user_api_key_hash")
    messages = record.get("messages")
    if isinstance(messages, list):  # it is text where LiteLLM was told to redact
        asked = {**section(record, "model_parameters"), "messages": messages}
        fingerprint.note(row, {**asked, "model": row.model})
    return (row,)


def _start() -> Parse:
    return parse


FORMAT = Format(
    name="litellm-json", title=msg("LiteLLM logging payloads"), matches=matches, start=_start
)
