"""LiteLLM's spend logs: rows of its table LiteLLM_SpendLogs, or the answers of /spend/logs.

`prompt_tokens` includes what was read from and written to the cache, except in older versions,
which shows where it is below those. A cache hit was answered by the gateway: nobody was paid.
"""

from collections.abc import Mapping
from datetime import datetime

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Parse, Record, openai_chat
from sdlc_cli.cost.readers.envelope import listed
from sdlc_cli.cost.readers.fields import dollars, labels, moment, text, tier
from sdlc_cli.cost.readers.strict import decode

_FIELDS = frozenset(("startTime", "prompt_tokens", "spend"))


def matches(record: Record) -> bool:
    """Whether the record is a row of the spend logs."""
    return "request_id" in record and record.keys() >= _FIELDS


def parse(record: Record) -> tuple[Row, ...]:
    """The call that a row tells of. Raises Rejected."""
    if not matches(record):
        raise Rejected(msg("not a row of LiteLLM's spend logs"))
    about = parsed(record, "metadata")
    name = text(record, "request_id")
    row = Row(call_id=name, dedupe=name)
    fill(row, record, about, "spend")
    row.key = text(record, "team_id") or row.key or text(record, "api_key")
    return (row,)


def parsed(record: Record, key: str) -> Record:
    """The object under `key`, which an export of the table holds as text."""
    value = record.get(key)
    if isinstance(value, str) and value.startswith("{"):
        value = decode(value.encode())
    return value if isinstance(value, dict) else {}


def fill(row: Row, record: Record, about: Record, cost: str) -> None:
    """Puts what both of LiteLLM's logs tell alike into the row. Raises Rejected.

    `about` is the metadata: of the key that was used, and of the usage in detail. `cost` names the
    field with what LiteLLM made of the call's cost.
    """
    begun = record.get("startTime")
    if isinstance(begun, datetime):
        begun = begun.isoformat()
    row.ts = moment(begun, "startTime")
    row.provider = text(record, "custom_llm_provider")
    row.model = text(record, "model") or text(record, "model_group")
    row.user = text(record, "end_user") or text(record, "user")
    row.key = _first(about, ("user_api_key_team_id", "user_api_key_alias"))
    row.tags = _tags(record, about)
    _fill_counts(row, record, about)
    row.logged_pico = dollars(record.get(cost), cost)
    if text(record, "status") == "failure":
        row.status, row.rank, row.known = "error", -3, True
    if str(record.get("cache_hit")).lower() == "true":
        row.status, row.rank = "cached", -2
    if row.status == "ok" and row.logged_pico and not _counted(record):
        row.known = False  # an image or a minute of speech was paid for, not tokens


def _first(record: Record, keys: tuple[str, ...]) -> str:
    return next((text(record, key) for key in keys if record.get(key)), "")


def _fill_counts(row: Row, record: Record, about: Record) -> None:
    details = about.get("usage_object") or about.get("additional_usage_values")
    usage: dict[str, object] = dict(details) if isinstance(details, Mapping) else {}
    for key in ("prompt_tokens", "completion_tokens", "total_tokens"):
        if record.get(key) is not None:
            usage[key] = record[key]
    openai_chat.fill(row, usage, may_exclude=True)
    told = usage.get("service_tier")
    row.tier = tier(told) if isinstance(told, str) else ""


def _counted(record: Record) -> bool:
    return bool(record.get("prompt_tokens") or record.get("completion_tokens"))


def _tags(record: Record, about: Record) -> str:
    told = record.get("request_tags")
    if isinstance(told, str) and told.startswith("["):
        told = decode(told.encode())
    tags = dict(listed(told)) if isinstance(told, list) else {}
    for tag, key in (("team", "user_api_key_team_alias"), ("key", "user_api_key_alias")):
        if about.get(key):
            tags.setdefault(tag, text(about, key))
    return labels(tags)


def _start() -> Parse:
    return parse


FORMAT = Format(
    name="litellm-spend", title=msg("LiteLLM spend logs"), matches=matches, start=_start
)
