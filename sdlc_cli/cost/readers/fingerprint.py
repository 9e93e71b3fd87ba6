"""Hashes that tell equal requests and equal beginnings of prompts apart, never their text."""

import hashlib
import re

import msgspec

from sdlc_cli.cost.model import INPUTS, Row
from sdlc_cli.cost.readers import Record
from sdlc_cli.cost.readers.counts import BOUND, count

# What makes up a prompt, by the names of the providers' request formats.
_START = ("system", "instructions", "systemInstruction", "tools", "toolConfig")
_REST = ("messages", "input", "contents", "prompt")
# Beside the prompt, what decides the answer: for lines that have a request's fields among others.
_SETTINGS = (
    *("model", "temperature", "top_p", "top_k", "seed", "stop", "n", "response_format"),
    *("reasoning_effort", "reasoning", "thinking", "tool_choice"),
)
_SYSTEM_ROLES = ("system", "developer")
# Says who asks or how the answer travels, not what is asked.
_ASIDE = frozenset(
    (
        *("user", "metadata", "tags", "safety_identifier", "prompt_cache_key", "stream"),
        *("stream_options", "store", "timeout", "service_tier", "background", "api_key"),
        *("extra_headers", "litellm_call_id", "request_id", "base_url", "api_base"),
    )
)
TOLD = ("request_hash", "prefix_hash", "prefix_tokens")
_TOKEN = re.compile(r"[\w:+/=.@-]{1,128}", re.ASCII)  # a hash or an id, no prompt
_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens", "max_tokens_to_sample")
_NESTED_LIMITS = (("generationConfig", "maxOutputTokens"), ("inferenceConfig", "maxTokens"))

_encode = msgspec.json.Encoder(order="deterministic").encode


def note(row: Row, request: Record) -> None:
    """Puts hashes of a request, the start of its prompt and its output limit into the row.

    The start is what a prompt cache could keep from one request to the next: system prompt and
    tools. Its tokens are estimated by its share in the prompt's letters. The row has its counts.
    """
    row.max_output = _limit(request) or row.max_output
    if not any(request.get(key) for key in _REST):
        return
    asked = {key: value for key, value in request.items() if key not in _ASIDE}
    row.request_hash = _hash(asked)
    start, rest = _split(request)
    if not start:
        return
    row.prefix_hash = _hash([request.get("model"), start])
    letters = len(_text(start))
    whole = letters + len(_text(rest))
    if whole:  # else nested beyond use
        row.prefix_tokens = sum(getattr(row, name) for name in INPUTS) * letters // whole


def told(row: Row, record: Record) -> None:
    """Puts hashes that the line itself has into the row. Raises Rejected for impossible tokens."""
    row.request_hash = token(record.get("request_hash")) or row.request_hash
    row.prefix_hash = token(record.get("prefix_hash")) or row.prefix_hash
    if record.get("prefix_tokens") is not None:
        row.prefix_tokens = count(record, "prefix_tokens")


def token(value: object) -> str:
    """A hash or an id as it is; of a text, a list or an object, a hash; "" for nothing."""
    if value is None or value == "" or isinstance(value, bool):
        return ""
    if isinstance(value, str) and _TOKEN.fullmatch(value):
        return value
    return str(value) if isinstance(value, int) else _hash(value)


def among(record: Record) -> Record | None:
    """The request in a line that has its fields among others, None where it has no prompt."""
    if record.keys().isdisjoint(_REST):
        return None
    return {key: record[key] for key in (*_START, *_REST, *_SETTINGS, *_LIMITS) if key in record}


def _limit(request: Record) -> int | None:
    told = [request.get(key) for key in _LIMITS]
    for outer, inner in _NESTED_LIMITS:
        section = request.get(outer)
        told.append(section.get(inner) if isinstance(section, dict) else None)
    limits = (limit for limit in told if type(limit) is int and 0 < limit < BOUND)
    return next(limits, None)


def _split(request: Record) -> tuple[list[object], list[object]]:
    """The part of a prompt that stays from request to request, and what changes."""
    start = [request[key] for key in _START if request.get(key)]
    rest: list[object] = []
    for key in _REST:
        turns = request.get(key)
        if not isinstance(turns, list):
            rest += [turns] if turns else []
            continue
        leading = 0
        while leading < len(turns) and _is_system(turns[leading]):
            leading += 1
        start += turns[:leading]
        rest += turns[leading:]
    return start, rest


def _is_system(turn: object) -> bool:
    return isinstance(turn, dict) and turn.get("role") in _SYSTEM_ROLES


def _text(value: object) -> bytes:
    try:
        return _encode(value)
    except (RecursionError, msgspec.EncodeError, TypeError, ValueError):
        return b""  # nested beyond use: such a request equals no other


def _hash(value: object) -> str:
    text = _text(value)
    return hashlib.blake2b(text, digest_size=16).hexdigest() if text else ""
