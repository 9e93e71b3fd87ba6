"""JSON results as text that any terminal and any reader can take."""

import json
import re
from collections.abc import Mapping

import msgspec

from sdlc_cli.core.printable import encodable

# Controls and signs that reorder text: JSON leaves them as they are, and terminals obey them.
_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def dumped(document: Mapping[str, object]) -> str:
    """JSON text that any terminal and any reader can take, with a newline at its end."""
    dense = json.dumps(_carried(document), ensure_ascii=False)
    text = msgspec.json.format(dense, indent=2)  # ten times quicker than json's own indent
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def _carried(value: object) -> object:
    """`value` with text that UTF-8 can carry: a byte that was no letter shows as `\\xff`."""
    if isinstance(value, str):
        return encodable(str(value))
    if isinstance(value, Mapping):
        return {encodable(str(key)): _carried(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_carried(one) for one in value]
    return value
