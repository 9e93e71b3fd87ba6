"""Text from anywhere, made safe to show: no lone surrogates, no control characters."""

import re

_SURROGATE = re.compile("[\ud800-\udfff]")
# C0 and C1 controls, line and paragraph separators, and what reorders or hides the text around
# it (https://trojansource.codes).
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_NAMES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def encodable(text: str) -> str:
    r"""`text` that UTF-8 can carry: a byte that a file name could not decode shows as `\xff`."""
    return text if text.isascii() else _SURROGATE.sub(_escape, text)


def visible(text: str) -> str:
    r"""`text` on one line, as it would be typed: a newline shows as `\n`, an escape as `\x1b`."""
    return _INVISIBLE.sub(_escape, text)


def lines(text: str) -> str:
    """As `visible`, but a newline stays one: for our own words with names from anywhere in them."""
    return "\n".join(map(visible, text.split("\n")))


def one_line(text: str) -> str:
    """A sentence on one line: runs of white space become a space, other controls are escaped."""
    return visible(" ".join(text.split()))


def path_bytes(path: str) -> bytes:
    """The bytes of a path as the file system has them."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return encodable(path).encode()


def _escape(match: re.Match[str]) -> str:
    letter = match[0]
    code = ord(letter)
    if letter in _NAMES:
        return _NAMES[letter]
    if 0xDC80 <= code <= 0xDCFF:  # PEP 383: the byte that could not be decoded
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
