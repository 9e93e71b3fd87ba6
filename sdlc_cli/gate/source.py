"""The project's files: one read, one parse, one tokenisation each, shared by all engines."""

import ast
import io
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from sdlc_cli.gate.model import SkippedFile

Kind = Literal["python", "stub", "toml", "yaml", "json", "text", "binary"]

KINDS: Mapping[str, Kind] = {
    ".py": "python",
    ".pyw": "python",
    ".pyi": "stub",
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
}
MAX_BYTES = 5_000_000  # a larger file is listed as skipped: parsing it could take gigabytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What is judged. `files` and `skipped_files` are sorted; their paths are relative to `root`.

    `base` is the folder that paths in gates.yaml are relative to and its commands run in;
    `configured` is False without a gates.yaml, and then nothing of the repository may be run.
    """

    root: Path
    base: Path
    files: tuple[str, ...]
    skipped_files: tuple[SkippedFile, ...] = ()
    configured: bool = True


class Unit:
    """One file in memory. What cannot be had raises the same error each time it is asked for.

    Decoding raises UnicodeDecodeError, SyntaxError (a wrong coding line) or LookupError; parsing
    raises SyntaxError, ValueError (NUL bytes), RecursionError or MemoryError (nesting).
    """

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self._tree: ast.Module | Exception | None = None

    @cached_property
    def kind(self) -> Kind:
        """What the file is, by its ending, else by its first line and its bytes."""
        suffix = Path(self.path).suffix.lower()
        if suffix in KINDS:
            return KINDS[suffix]
        if self.data.startswith(b"#!") and b"python" in self.data.split(b"\n", 1)[0]:
            return "python"
        return "binary" if b"\0" in self.data[:8192] else "text"

    @cached_property
    def encoding(self) -> str:
        """By BOM or coding line (PEP 263) for Python, else UTF-8. Raises SyntaxError."""
        if self.kind not in ("python", "stub"):
            return "utf-8-sig"
        return tokenize.detect_encoding(io.BytesIO(self.data).readline)[0]

    @cached_property
    def text(self) -> str:
        """The decoded text, line ends as they are."""
        return self.data.decode(self.encoding)

    @cached_property
    def lines(self) -> list[str]:
        """Lines as an editor counts them, without their ends; bytes that decode to nothing
        show as U+FFFD, so that a finding can always be placed."""
        try:
            text = self.text
        except (UnicodeDecodeError, SyntaxError, LookupError):
            text = self.data.decode("utf-8", "replace")
        return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    @property
    def line_count(self) -> int:
        """Lines in the file; a last line without an end counts."""
        return self.data.count(b"\n") + (not self.data.endswith(b"\n") and bool(self.data))

    @property
    def tree(self) -> ast.Module:
        """The syntax tree. The engines share it: read it, never change it."""
        if self._tree is None:
            try:
                self._tree = ast.parse(self.data, self.path.encode("utf-8", "replace").decode())
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                self._tree = error
        if isinstance(self._tree, Exception):
            raise self._tree
        return self._tree

    @cached_property
    def tokens(self) -> list[tokenize.TokenInfo]:
        """All tokens. Raises tokenize.TokenError, SyntaxError, IndentationError."""
        return list(tokenize.tokenize(io.BytesIO(self.data).readline))
