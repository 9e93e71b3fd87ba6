"""Lines that teams write themselves: who called and when, around a provider's own answer.

The answer stands under `response`, `body` or `result` (or is the line itself, with the fields
below beside its own), in any of the shapes that have a reader. Of all else only known fields are
read: prompts and texts never are.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import (
    Format,
    Parse,
    Record,
    anthropic,
    bedrock,
    fingerprint,
    gemini,
    openai_chat,
    openai_responses,
)
from sdlc_cli.cost.readers.fields import dollars, labels, moment, tier
from sdlc_cli.cost.readers.strict import decode

_BODIES = ("response", "response_body", "body", "result")
# What a line's fields say, the better of two names first.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "time": ("ts", "timestamp", "time", "created_at"),
    "project": ("project", "project_name", "project_id"),
    "user": ("user", "user_id", "end_user"),
    "key": (
        *("key", "key_name", "key_alias", "api_key_name", "api_key_alias", "api_key"),
        "workspace",
    ),
    "model": ("model", "modelId", "model_id", "deployment"),
    "provider": ("provider",),
    "tier": ("service_tier", "tier"),
    "cost": ("cost_usd", "cost", "response_cost", "spend", "total_cost"),
    "asked": ("request_id",),
    "cached": ("cache_hit", "cached", "from_cache"),
}
_ROLES = {name: (rank, role) for role, names in _FIELDS.items() for rank, name in enumerate(names)}
_CODES = ("status_code", "http_status", "status")
# Fields that are tags without being under `tags`.
_TAGS = (
    *("team", "env", "environment", "feature", "service", "app", "application"),
    *("endpoint", "tenant", "customer", "region"),
)
_TAGGED = (*_TAGS, "metadata", "tags")
_TEXTS = frozenset(
    (
        *("prompt", "messages", "input", "output", "content", "completion", "response", "text"),
        *("query", "question", "answer", "system", "instructions"),
    )
)
_LONGEST_TAG = 200  # letters; longer values are texts, not tags
_MOST_TAGS = 64
_FAILED = frozenset(("error", "failed", "failure"))
# API keys as providers issue them: a log that has one in the clear shall not spread it.
_SECRET = re.compile(r"(?:Bearer\s+)?(?:sk|pk|rk|gsk|xai|hf|r8|AIza|AKIA|ya29)[-_.]?[\w.-]{12,}")

_SHAPES: tuple[tuple[Callable[[Record], bool], Callable[[Record], tuple[Row, ...]]], ...] = (
    (gemini.matches, gemini.parse),
    (bedrock.matches, bedrock.parse),
    (openai_responses.matches, openai_responses.parse),
    (openai_chat.matches, openai_chat.parse),
    (anthropic.matches, anthropic.parse),
)


def matches(record: Record) -> bool:
    """Whether the record is an answer, or a line around one."""
    body = _body(record)
    if isinstance(body, list):
        return bool(body) and isinstance(body[0], dict) and _known(body[0])
    return _known(body)


def _known(body: Record) -> bool:
    return any(fits(body) for fits, _ in _SHAPES) or anthropic.matches_event(body)


def parse(record: Record) -> tuple[Row, ...]:
    """The call that a line tells of. Raises Rejected."""
    body = _body(record)
    rows = _rows(body, record)
    if not rows:
        return ()
    told = _told(record)
    asked = _request(record) if body is not record else None
    hashed = not record.keys().isdisjoint(fingerprint.TOLD)
    for row in rows:
        _attribute(row, record, told)
        _identify(row, _text(told, "asked"))
        row.model = row.model or _text(told, "model")
        if asked:
            fingerprint.note(row, asked)
            row.model = row.model or _text(_told(asked), "model")
        if hashed:
            fingerprint.told(row, record)
    return rows


def _told(record: Record) -> dict[str, tuple[str, object]]:
    """Of each thing a line can say, the field that says it, and how."""
    found: dict[str, tuple[str, object]] = {}
    ranks: dict[str, int] = {}
    for name, value in record.items():
        known = _ROLES.get(name)
        if known is None or value is None or value == "":
            continue
        rank, role = known
        if rank < ranks.get(role, rank + 1):
            ranks[role] = rank
            found[role] = (name, value)
    return found


def _text(told: Mapping[str, tuple[str, object]], role: str) -> str:
    """What is said, as text; "" where it is neither text nor a whole number."""
    value = told.get(role, ("", ""))[1]
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _request(record: Record) -> Record | None:
    for key in ("request", "request_body"):
        request = record.get(key)
        if isinstance(request, dict):
            inner = request.get("body")
            return inner if isinstance(inner, dict) else request
    return fingerprint.among(record)


def _body(record: Record) -> Record | list[object]:
    """The answer in a line, under what wraps it; the line itself where nothing does."""
    found = next((record[key] for key in _BODIES if record.get(key)), None)
    if isinstance(found, str) and found.lstrip().startswith(("{", "[")):
        found = decode(found.encode())
    if isinstance(found, list):
        return found
    if not isinstance(found, dict):
        return record
    inner = found.get("body")
    if isinstance(inner, dict) and "usage" not in found:
        return inner
    message = found.get("message")
    if isinstance(message, dict) and "usage" in message:
        return message
    return found


def _rows(body: Record | list[object], record: Record) -> tuple[Row, ...]:
    if isinstance(body, list):
        if any(isinstance(part, dict) and anthropic.matches_event(part) for part in body):
            return anthropic.events(body)
        return tuple(
            row for part in body if isinstance(part, dict) for row in _answer(part, record)
        )
    if anthropic.matches_event(body):
        return anthropic.events([body])
    return _answer(body, record)


def _answer(body: Record, record: Record) -> tuple[Row, ...]:
    for fits, read in _SHAPES:
        if fits(body):
            return read(body)
    if body.get("error") or record.get("error") or _failed(record):
        return (Row(status="error", rank=-3),)
    if body is not record:
        return (Row(known=False),)
    raise Rejected(msg("no answer of a known provider in it"))


def _failed(record: Record) -> bool:
    for key in _CODES:
        told = record.get(key)
        if isinstance(told, int) and told >= 400:
            return True
        if isinstance(told, str) and told.lower() in _FAILED:
            return True
    return False


def _attribute(row: Row, record: Record, told: Mapping[str, tuple[str, object]]) -> None:
    """Who called, when and where, as the line tells it."""
    if "time" in told:
        name, time = told["time"]
        row.ts = moment(time, name)
    row.project = _text(told, "project")
    row.user = _text(told, "user")
    row.key = _key(_text(told, "key"))
    row.provider = _text(told, "provider") or row.provider
    row.tier = row.tier or tier(_text(told, "tier"))
    row.tags = tags_of(record) or row.tags
    if "cost" in told and not isinstance(told["cost"][1], dict):
        name, cost = told["cost"]
        row.logged_pico = dollars(cost, name)
    if row.status == "ok" and not row.known and _failed(record):
        row.status, row.rank, row.known = "error", -3, True
    if "cached" in told and str(told["cached"][1]).lower() == "true":
        row.status, row.rank = "cached", -2


def _identify(row: Row, asked: str) -> None:
    """An answer from the gateway's cache repeats the id of the call that was paid."""
    if row.status == "cached" or not row.dedupe:
        row.dedupe = asked
    row.call_id = row.dedupe or row.call_id


def _key(told: str) -> str:
    if not _SECRET.fullmatch(told):
        return told
    return "sha256:" + hashlib.sha256(told.encode()).hexdigest()[:16]


def tags_of(record: Record) -> str:
    """The tags of a line, as `Row.tags` has them."""
    if record.keys().isdisjoint(_TAGGED):
        return ""
    found = {key: _label(record.get(key)) for key in _TAGS}
    for key in ("metadata", "tags"):
        told = record.get(key)
        if isinstance(told, dict):
            found |= {k: _label(v) for k, v in told.items() if k.lower() not in _TEXTS}
        elif isinstance(told, list):
            found |= listed(told)
    said = [(name, value) for name, value in sorted(found.items()) if value]
    return labels(dict(said[:_MOST_TAGS]))


def listed(tags: list[object]) -> Mapping[str, str]:
    """Tags of a list: `env:prod` and `env=prod` have a value, others are "true"."""
    found: dict[str, str] = {}
    for tag in tags:
        if isinstance(tag, str) and 0 < len(tag) <= _LONGEST_TAG:
            name, _, value = tag.partition("=" if "=" in tag and ":" not in tag else ":")
            found[name.strip()] = value.strip() or "true"
    return found


def _label(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_TAG else ""
    return str(value) if isinstance(value, int | float | Decimal) else ""


def _start() -> Parse:
    return parse


FORMAT = Format(
    name="envelope",
    title=msg("lines around a provider's answer"),
    matches=matches,
    start=_start,
)
