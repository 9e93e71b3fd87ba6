"""How wide text is in a terminal, and where it may break: any script, no terminal needed."""

from collections.abc import Iterator

_NEVER_FIRST = "、。，．：；！？）」』】〕》”’％…ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
_NEVER_LAST = "（「『【〔《“‘"


def columns(text: str) -> int:
    """How many terminal columns `text` takes: 2 for wide East Asian letters, 0 for marks."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def wrap(text: str, width: int, *, hang: int = 0) -> list[str]:
    """Break `text` into lines; all but the first are indented by `hang`.

    Scripts without spaces break between letters, never before a closing sign.
    """
    lines: list[str] = []
    line, used = "", 0
    for piece in _pieces(text):
        blank = piece.startswith(" ")
        need = columns(piece)
        if line.strip() and used + columns(piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = " " * hang + piece.lstrip()
            used = hang + need - blank
        else:
            line += piece
            used += need
    return [*lines, line.rstrip()]


def cut(text: str, width: int) -> str:
    """The start of `text` that fits into `width` columns."""
    if columns(text) <= width:
        return text
    used = 0
    for position, letter in enumerate(text):
        used += _columns(letter)
        if used > width - 3:
            return text[:position] + "..."
    return text


def _columns(letter: str) -> int:
    import unicodedata

    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _pieces(text: str) -> Iterator[str]:
    """What must stay on one line: a word with the blank before it, or one wide letter."""
    for number, word in enumerate(text.split()):
        piece = " " if number else ""
        for letter in word:
            wide = _columns(letter) == 2 if letter > "\u1100" else False
            breakable = piece.strip() and (wide or _columns(piece[-1]) == 2)
            if breakable and letter not in _NEVER_FIRST and piece[-1] not in _NEVER_LAST:
                yield piece
                piece = ""
            piece += letter
        yield piece
