"""The OpenAPI document: what can be asked, made from the types that read it."""

from functools import cache
from typing import Any

import msgspec

from sdlc_cli import __version__
from sdlc_cli.cost.engine.sums import BY
from sdlc_cli.serve.receive import Call

_REFERENCE = "#/components/schemas/{name}"
_ERRORS = {
    "400": "The request is wrong.",
    "401": "A key is needed.",
    "403": "The key does not open it.",
    "429": "Too many requests; see Retry-After.",
}
_TEXT = {"type": "string", "maxLength": 400}


@cache
def document() -> dict[str, Any]:
    """All of it."""
    _, schemas = msgspec.json.schema_components([Call], ref_template=_REFERENCE)
    return {
        "openapi": "3.1.0",
        "info": {"title": "sdlc serve", "version": __version__},
        "components": {
            "schemas": {**schemas, "Answer": _answer()},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
        "paths": _paths(),
    }


def _paths() -> dict[str, Any]:
    one = {"$ref": _REFERENCE.format(name="Call")}
    many = {"type": "array", "items": one, "minItems": 1, "maxItems": 10_000}
    wrapped = {
        "type": "object", "properties": {"calls": many}, "required": ["calls"],
        "additionalProperties": False,
    }  # fmt: skip
    asked = {
        "type": "object",
        "properties": dict.fromkeys(("project", "model", "team", "user"), _TEXT),
        "required": ["model"],
        "additionalProperties": False,
    }
    idempotency = _parameter("Idempotency-Key", {**_TEXT, "maxLength": 255}, place="header")
    day = {"type": "string", "format": "date"}
    by = {"type": "array", "items": {"enum": list(BY)}, "maxItems": len(BY)}
    filters = [_parameter(name, _TEXT) for name in ("project", "team", "model", "provider")]
    return {
        "/api/v1/cost/track": {
            "post": _operation(
                "Tell of calls; answered once the disk has them.",
                {"409": "The key was used for another request.", "413": "Too large.",
                 "415": "Not JSON.", "503": "The store takes nothing now; see Retry-After."},
                [idempotency],
                {"oneOf": [one, many, wrapped]},
            )
        },
        "/api/v1/cost/report": {
            "get": _operation(
                "What was spent, by the groups asked for.",
                {"503": "The store cannot be read now."},
                [
                    _parameter("by", by),
                    _parameter("since", day),
                    _parameter("until", day),
                    *filters,
                ],
            )
        },
        "/api/v1/budgets": {"get": _operation("How each budget stands.", {})},
        "/api/v1/route": {
            "post": _operation(
                "Which model calls of a project may use now.",
                {"404": "No ladder fits.", "413": "Too large.", "415": "Not JSON."},
                [],
                asked,
            )
        },
        "/api/v1/quantum/demo": {
            "get": _operation(
                "A small plan.", {"404": "Switched off.", "501": "There is no planner."}
            )
        },
        "/health": {"get": _open("Alive and ready, with reasons.", {})},
        "/health/live": {"get": _open("Whether the process answers.", {})},
        "/health/ready": {"get": _open("Whether calls are taken.", {"503": "Not ready."})},
    }  # fmt: skip


def _open(summary: str, errors: dict[str, str]) -> dict[str, Any]:
    """What is answered without a key."""
    found = _operation(summary, errors)
    del found["responses"]["401"]
    return {**found, "security": []}


def _operation(
    summary: str,
    errors: dict[str, str],
    parameters: list[dict[str, Any]] | None = None,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": _REFERENCE.format(name="Answer")}}}
    told = {"200": "Done.", **_ERRORS, **errors}
    found: dict[str, Any] = {
        "summary": summary,
        "responses": {
            code: {"description": text, "content": content} for code, text in told.items()
        },
    }
    if parameters:
        found["parameters"] = parameters
    if body:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return found


def _parameter(name: str, schema: dict[str, Any], place: str = "query") -> dict[str, Any]:
    return {"name": name, "in": place, "required": False, "schema": schema}


def _answer() -> dict[str, Any]:
    meta = {
        "type": "object",
        "properties": {"version": {"type": "string"}, "timestamp": {"type": "string"}},
        "required": ["version", "timestamp"],
    }
    return {
        "type": "object",
        "properties": {"status": {"enum": ["ok", "error"]}, "data": {}, "error": {}, "meta": meta},
        "required": ["status", "data", "meta"],
    }
