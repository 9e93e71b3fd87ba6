"""The maintainability index, radon's way, with each line of a file looked at once.

radon tokenises a statement again for each line that it goes on, from its first line. Here a scan
by lines tells statements, comments, strings and blank lines apart; files with anything unusual
are tokenised, once. The numbers are the same: tests/bench/conformance.py compares every file.
"""

import io
import re
import sys
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass

from radon.metrics import mi_compute
from radon.raw import _logical, is_single_token

from sdlc_cli.gate.analysis.complexity import Measured

# From Python 3.12 on, what stands inside an f-string is tokens too.
_FORMATTED = re.compile(r"""\b(?:[fFtT][rR]?|[rR][fFtT])["']""")
_FORMATTED_IS_PLAIN = sys.version_info < (3, 12)

_PIECE = re.compile(
    r'''"""|\'\'\'|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|#|["'\\]''',
)
_END = {
    '"""': re.compile(r'[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""'),
    "'''": re.compile(r"[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"),
}
_BRACKET = re.compile(r"[()\[\]{}]")
_COLON = re.compile(r":(?!=)")
_STRING = "\0"  # stands for a string; no source holds it
_ONE_STRING = re.compile(r"[rRbBuUfF]{0,2}\0\Z")


class UnusualError(Exception):
    """The scan by lines does not know what this is; the tokeniser does."""


@dataclass(slots=True)
class Raw:
    """radon's raw counts, as far as the index needs them."""

    logical: int = 0  # statements, and one more for what follows a colon
    source: int = 0
    comments: int = 0
    multi: int = 0  # lines of strings that are statements


def maintainability(text: str, measured: Measured) -> float:
    """0 (worst) to 100. Raises SyntaxError where radon can't split the text into statements."""
    raw = count(text)
    comments = (raw.comments + raw.multi) / raw.source * 100 if raw.source else 0
    return float(mi_compute(measured.volume, measured.complexity, raw.logical, comments))


def count(text: str) -> Raw:
    """Count lines. Raises SyntaxError."""
    lines = [line.strip() for line in text.splitlines()]
    if _FORMATTED_IS_PLAIN or not _FORMATTED.search(text):
        try:
            return _by_lines(lines)
        except UnusualError:
            pass
    return _by_tokens(lines)


def _by_lines(lines: Sequence[str]) -> Raw:
    """Raises UnusualError."""
    raw = Raw()
    at = 0
    last = len(lines)
    while at < last:
        line = lines[at]
        if not line:
            at += 1
        elif line[0] == "#":
            raw.comments += 1
            at += 1
        else:
            at = _statement(lines, at, raw)
    return raw


def _statement(lines: Sequence[str], start: int, raw: Raw) -> int:
    """Count the statement that starts here; gives the line after it."""
    depth = 0
    colon = after = semicolon = False
    comments = raw.comments
    quote = ""  # the triple quote that is still open
    code = ""
    at = start
    while True:
        if at >= len(lines):
            raise UnusualError
        line = lines[at]
        at += 1
        if quote or '"' in line or "'" in line:
            line, quote, comment = _without_strings(line, quote)
            raw.comments += comment
        elif "#" in line:
            line = line[: line.index("#")].rstrip()
            raw.comments += 1
        goes_on = False
        if "\\" in line:
            line, goes_on = _continued(lines, at, line)
        if _BRACKET.search(line):
            depth += sum(map(line.count, "([{")) - sum(map(line.count, ")]}"))
        if ":" in line:
            for found in _COLON.finditer(line):
                colon, after = True, bool(line[found.end() :].strip())
        elif line:
            after = True
        semicolon = semicolon or ";" in line
        code = line if at == start + 1 else code + line
        if not quote and depth <= 0 and not goes_on:
            break
    statement = lines[start:at]
    if _ONE_STRING.match(code) and raw.comments == comments:
        if len(statement) > 1:
            raw.multi += sum(map(bool, statement))
    else:
        raw.source += sum(map(bool, statement)) if len(statement) > 1 else 1
    raw.logical += _logical(_tokens(statement)) if semicolon else 1 + (colon and after)
    return at


def _without_strings(line: str, quote: str) -> tuple[str, str, bool]:
    """The line with `_STRING` for each string, the quote left open, and if it has a comment."""
    parts: list[str] = []
    at = 0
    if quote:
        end = _END[quote].match(line)
        if end is None:
            return "", quote, False
        at = end.end()
    while found := _PIECE.search(line, at):
        piece = found.group()
        parts.append(line[at : found.start()])
        at = found.end()
        if piece == "#":
            return "".join(parts).rstrip(), "", True
        if piece == "\\" and at == len(line):
            parts.append(piece)
        elif piece in _END:
            parts.append(_STRING)
            end = _END[piece].match(line, at)
            if end is None:
                return "".join(parts), piece, False
            at = end.end()
        elif len(piece) == 1:
            raise UnusualError  # a string over several lines by `\`, or nothing Python knows
        else:
            parts.append(_STRING)
    parts.append(line[at:])
    return "".join(parts), "", False


def _continued(lines: Sequence[str], following: int, line: str) -> tuple[str, bool]:
    """The line without the backslash that joins it to the next one."""
    if line.count("\\") > 1 or line[-1] != "\\" or not "".join(lines[following : following + 1]):
        raise UnusualError
    return line[:-1].rstrip(), True


def _tokens(lines: Sequence[str]) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline))


def _by_tokens(lines: Sequence[str]) -> Raw:
    """The same from tokens. Raises SyntaxError."""
    raw = Raw()
    try:
        tokens = _tokens(lines)
    except tokenize.TokenError as error:
        raise SyntaxError(str(error)) from error
    statement: list[tokenize.TokenInfo] = []
    depth = 0
    first = 1  # line of the statement
    end = tokens[-1]
    for token in tokens:
        if token.type == tokenize.ERRORTOKEN:
            raise SyntaxError(token.string)
        if token.type == tokenize.ENDMARKER:
            break
        statement.append(token)
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
        elif token.type == tokenize.NEWLINE or (token.type == tokenize.NL and not depth):
            row = token.start[0]
            if token.type == tokenize.NEWLINE and not lines[row - 1] and row < len(lines):
                continue  # an empty line after `\`: radon takes the next statement with it
            _add(raw, [*statement, end], lines[first - 1 : row])
            statement, first = [], row + 1
    return raw


def _add(raw: Raw, tokens: list[tokenize.TokenInfo], lines: Sequence[str]) -> None:
    raw.comments += sum(token.type == tokenize.COMMENT for token in tokens)
    if is_single_token(tokenize.STRING, tokens):
        if tokens[0].start[0] != tokens[0].end[0]:
            raw.multi += sum(map(bool, lines))
    elif not is_single_token(tokenize.COMMENT, tokens):
        raw.source += sum(map(bool, lines))
    raw.logical += _logical(tokens)
