"""One strict JSON value: what JSON allows and nothing else, numbers exact, no key twice.

msgspec decodes; it takes the last of two equal keys without a word, so the keys it found are held
against the keys that stand in the text, and a text that has more is read again by a slower,
exact decoder. A number with a fraction or an exponent comes as a Decimal, never as a float.
"""

import json
import re
from decimal import Decimal

import msgspec

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.cost.model import Rejected

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_AT_BYTE = re.compile(r"\(byte (\d+)\)")
_NO_NUMBER = re.compile(rb"(?<=[\s:,\[])-?(?:NaN|Infinity|Inf)\b", re.IGNORECASE)


def decode(text: bytes) -> object:
    """The value that `text` is, white space around it allowed.

    Raises Rejected with the reason: not JSON, NaN or Infinity, invalid UTF-8, cut off, a key that
    stands twice in one object, nested too deeply to decode.
    """
    try:
        value: object = _decode(text)
        if _quoted_keys(text) != _keys(value):
            json.loads(text, object_pairs_hook=_unique, parse_float=str, parse_int=str)
    except RecursionError:
        raise Rejected(msg("nested too deeply")) from None
    except UnicodeDecodeError:
        raise Rejected(msg("invalid UTF-8")) from None
    except ArithmeticError:
        raise Rejected(msg("a number is out of range")) from None
    except (msgspec.DecodeError, ValueError) as error:
        raise Rejected(_reason(text, str(error))) from None
    return value


def _quoted_keys(text: bytes) -> int:
    """How many keys stand in the text, or -1 where counting quotes cannot tell.

    A key ends in a quote and, white space aside, a colon. Unless two backslashes stand before a
    quote, one backslash is what escapes it. A string that begins with a colon counts as a key:
    the count may be too high, never too low, so equal counts prove that no key was lost.
    """
    dense = text.translate(None, b" \t\r\n")
    keys = dense.count(b'":')
    if b"\\" in dense and b'\\"' in dense:
        if b'\\\\"' in dense:
            return -1
        keys -= dense.count(b'\\":')
    return keys


def _keys(value: object) -> int:
    """How many keys all objects in a value have."""
    found = 0
    nested = [value] if type(value) in _NESTED else []
    more = nested.append
    for node in nested:  # grows while it is walked
        if type(node) is dict:
            found += len(node)
            for below in node.values():
                if type(below) in _NESTED:
                    more(below)
        elif type(node) is list:
            for below in node:
                if type(below) in _NESTED:
                    more(below)
    return found


_NESTED = frozenset((dict, list))


def _unique(pairs: list[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise Rejected(msg("the key {key} stands twice in one object", key=shown(key)))
        seen.add(key)


def shown(text: str) -> str:
    """A name from a log, short enough to stand in a sentence."""
    return text if len(text) <= 60 else text[:59] + "…"


def _reason(text: bytes, told: str) -> Message:
    """What is wrong with text that is not JSON, in words."""
    if "UTF-8" in told:
        return msg("invalid UTF-8")
    if "out of range" in told:
        return msg("a number is out of range")
    place = _AT_BYTE.search(told)
    if place:
        at = int(place[1]) - ("trailing characters" in told)  # there msgspec counts from 1
        number = _NO_NUMBER.search(text, max(at - 4, 0), at + 10)
        if number:
            return msg("{word} is not a number in JSON", word=number[0].decode())
        if at >= len(text.rstrip()):
            return msg("cut off in the middle of the record")
        return msg("not valid JSON at byte {number}", number=at + 1)
    if "truncated" in told and not text.rstrip().endswith(b"}"):
        return msg("cut off in the middle of the record")
    return msg("not valid JSON")
