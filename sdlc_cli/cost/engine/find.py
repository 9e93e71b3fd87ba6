"""One call's records in the logs, found again by the call's id."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sdlc_cli.cost.engine import exact
from sdlc_cli.cost.engine.sources import opened
from sdlc_cli.cost.model import Rejected, Row

if TYPE_CHECKING:
    from sdlc_cli.cost.engine.store import Opened

_BLOCK = 2**20


def find(sources: Sequence["Opened"], call_id: str) -> Iterator[tuple[Row, str, str]]:
    """Rows of the call with the path and the text of their record, exact as they stand there."""
    for each in sources:
        if each.form is None or not _mentions(each, call_id):
            continue
        parse = each.form.start()
        for line, record in exact.numbered(each.source):
            if isinstance(record, Rejected):
                continue
            try:
                rows = list(parse(record))  # type: ignore[arg-type] # no Rejected, so a record
            except Rejected:
                continue
            for row in rows:
                if call_id in (row.call_id, row.dedupe):
                    row.line = line
                    text = json.dumps(record, ensure_ascii=False, default=str)
                    yield row, each.source.shown, text


def _mentions(each: "Opened", call_id: str) -> bool:
    """Whether the id may stand in the file: reading bytes is quicker than reading records.

    An id may be put together from several fields, as a span's; then each part stands there.
    """
    if each.source.suffix == ".parquet":
        return True
    needles = {part.encode() for part in call_id.split(":") if part.isascii() and "/" not in part}
    missing = {needle for needle in needles if len(needle) > 8}
    kept = max((len(needle) for needle in missing), default=0)
    tail = b""
    try:
        with opened(each.source) as stream:
            while missing and (block := stream.read(_BLOCK)):
                data = tail + block
                missing = {needle for needle in missing if needle not in data}
                tail = data[-kept:]
    except EOFError:
        return True
    return not missing
