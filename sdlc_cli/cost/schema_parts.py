"""What the schemas of the cost job's results are made of."""

from sdlc_cli.core.schema import Schema

TEXT: Schema = {"type": "string"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": ["number", "null"]}
SHARE: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
USD: Schema = {"type": "string", "pattern": r"^[0-9]+\.[0-9]{2,12}$"}
MAYBE_USD: Schema = {"anyOf": [USD, {"type": "null"}]}
SIGNED_USD: Schema = {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2,12}$"}
MAYBE_SIGNED_USD: Schema = {"anyOf": [SIGNED_USD, {"type": "null"}]}
TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
DAY: Schema = {"type": ["string", "null"], "format": "date"}
KEYS: Schema = {"type": "object", "additionalProperties": TEXT}


def closed(properties: Schema) -> Schema:
    """An object with exactly these keys: a new key shows here first."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def listed(items: Schema) -> Schema:
    """An array of these."""
    return {"type": "array", "items": items}


def maybe(made: Schema) -> Schema:
    """This, or null."""
    return {"anyOf": [made, {"type": "null"}]}


def chosen(*words: str) -> Schema:
    """One of these words."""
    return {"enum": list(words)}


def described(made: Schema, description: str) -> Schema:
    """This, with what it means."""
    return {**made, "description": description}
