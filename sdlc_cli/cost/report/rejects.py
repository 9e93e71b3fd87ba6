"""All records that were not counted, one JSON object a line."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.printable import encodable
from sdlc_cli.cost.model import Rejection


def write(path: Path, rejections: Iterable[Rejection]) -> None:
    """Write them one by one: there may be more than fit into memory. Raises WorkError."""
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for one in rejections:
                file.write(line(one))
    except OSError as error:
        raise WorkError(
            msg(
                "cannot write {path}: {reason}",
                path=os.fspath(path),
                reason=error.strerror or str(error),
            )
        ) from None


def line(one: Rejection) -> str:
    """`{"path", "line", "reason"}` with a line end; the reason in English."""
    record = {"path": encodable(one.path), "line": one.line, "reason": encodable(str(one.reason))}
    return json.dumps(record) + "\n"
