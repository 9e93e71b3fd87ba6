"""Records that were not counted: kept in a file, so that a million of them take no memory."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sdlc_cli.core.i18n import Message, rebuild

Refusal = tuple[int, Message]  # line, reason


def write(file: Path, refusals: Iterable[Refusal]) -> None:
    """Add refusals to a file."""
    with open(file, "a", encoding="utf-8") as out:
        for line, reason in refusals:
            out.write(json.dumps([line, _packed(reason)], default=str) + "\n")


def read(file: Path) -> Iterator[Refusal]:
    """The refusals in a file; none where there is none."""
    if not file.exists():
        return
    with open(file, encoding="utf-8") as lines:
        for text in lines:
            line, reason = json.loads(text)
            yield line, _unpacked(reason)


def _packed(reason: Message) -> Sequence[object]:
    args = {
        name: {"message": _packed(value)} if isinstance(value, Message) else value
        for name, value in reason.args.items()
    }
    return reason.template, args


def _unpacked(packed: Sequence[object]) -> Message:
    template, args = packed
    assert isinstance(template, str)
    assert isinstance(args, dict)
    return rebuild(
        template,
        {
            name: _unpacked(value["message"]) if isinstance(value, dict) else value
            for name, value in args.items()
        },
    )
