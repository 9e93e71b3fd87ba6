"""The project's files: one read, one parse, one tokenisation each, shared by all engines."""

import ast
import io
import os
import re
import tokenize
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from sdlc_cli.core.errors import ConfigError, UsageError
from sdlc_cli.core.files import read_regular
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.listing import listing
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
MAX_BYTES = 5_000_000  # a larger file is listed as skipped: no engine has to be ready for it
# A syntax tree takes up to 1.9 kB a word of source (CPython 3.11; `a` on a line of its own), so
# this many words stay under 600 MB. Code that people write has some 7 bytes a word: 2 MB.
MAX_WORDS = 300_000
_WORD = re.compile(rb"""\w+|[\[({'"~+-]|\.{3}""")


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


class TooLargeError(MemoryError):
    """Python source whose syntax tree could take gigabytes: it is not parsed at all."""


class Unit:
    """One file in memory. What cannot be had raises the same error each time it is asked for.

    Decoding raises UnicodeDecodeError, SyntaxError (a wrong coding line) or LookupError; parsing
    raises SyntaxError, ValueError (NUL bytes), RecursionError or MemoryError (nesting;
    TooLargeError for more than MAX_WORDS).
    """

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self._kind: Kind | None = None
        self._tree: ast.Module | Exception | None = None

    @property
    def kind(self) -> Kind:
        """What the file is, by its ending, else by its first line and its bytes."""
        if self._kind is None:
            self._kind = self._kind_of()
        return self._kind

    def _kind_of(self) -> Kind:
        name = self.path[self.path.rfind("/") + 1 :]
        dot = name.rfind(".")
        if dot > 0 and (known := KINDS.get(name[dot:].lower())):
            return known
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
                self._tree = _parse(self.path, self.data)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                self._tree = error
        if isinstance(self._tree, Exception):
            raise self._tree
        return self._tree

    @cached_property
    def tokens(self) -> list[tokenize.TokenInfo]:
        """All tokens. Raises tokenize.TokenError, SyntaxError, IndentationError."""
        return list(tokenize.tokenize(io.BytesIO(self.data).readline))


def unreadable(error: Exception) -> str:
    """The reason, in a sentence, why a `Unit` could not be decoded, parsed or tokenised."""
    match error:
        case TooLargeError():
            return msg("Python of more than {words} words: too large to parse", words=MAX_WORDS)
        case RecursionError() | MemoryError():
            return msg("the code is nested too deeply")
        case SyntaxError(lineno=line) if line:
            return msg("not valid Python: {what}, line {line}", what=error.msg, line=line)
        case UnicodeDecodeError():
            return msg("not valid {encoding}", encoding=error.encoding)
        case _:
            return msg("not valid Python: {what}", what=str(error))


def _parse(path: str, data: bytes) -> ast.Module:
    if len(data) > 2 * MAX_WORDS and len(_WORD.findall(data)) > MAX_WORDS:
        raise TooLargeError
    name = path.encode("utf-8", "replace").decode()
    with warnings.catch_warnings():  # as an error, a warning would make good code look broken
        warnings.simplefilter("ignore")
        return ast.parse(data, name)


def open_project(
    *,
    root: Path,
    base: Path,
    scope: Path,
    paths: Sequence[str] = (".",),
    exclude: Sequence[str] = (),
    configured: bool = True,
) -> Project:
    """The files of `scope`, a folder or one file, that `paths` let in and `exclude` leaves.

    `paths` are files and folders, `exclude` gitignore patterns, both relative to `base`. Raises
    UsageError when `scope` is not there or not in `root`, ConfigError for such a path.
    """
    root, base, scope = (Path(os.path.realpath(path)) for path in (root, base, scope))
    base = base if base.is_relative_to(root) else root
    if not scope.exists():
        raise UsageError(msg("there is no {path}", path=str(scope)))
    if not scope.is_relative_to(root):
        raise UsageError(msg("{path} is not in {root}", path=str(scope), root=str(root)))
    asked = _relative(scope, root)
    limits = [_path_limit(path, base, root) for path in paths]
    shared = [limit for one in limits if (limit := _narrower(one, asked)) is not None]
    found = listing(root, shared, exclude, exclude_base=_relative(base, root)) if shared else None
    return Project(
        root=root,
        base=base,
        files=found.files if found else (),
        skipped_files=tuple(
            SkippedFile(path=path, reason=reason)
            for path, reason in (found.skipped if found else ())
        ),
        configured=configured,
    )


def _relative(path: Path, root: Path) -> str:
    relative = path.relative_to(root).as_posix()
    return "" if relative == "." else relative


def _path_limit(path: str, base: Path, root: Path) -> str:
    full = Path(os.path.realpath(base / path))
    hint = msg("'paths' in gates.yaml names files and folders, relative to {base}", base=str(base))
    if not full.exists():
        raise ConfigError(msg("paths: there is no {path}", path=path), hint=hint)
    if not full.is_relative_to(root):
        raise ConfigError(msg("paths: {path} is outside the project", path=path), hint=hint)
    return _relative(full, root)


def _narrower(one: str, other: str) -> str | None:
    """The one of two paths that lies in the other; None when neither does."""
    for inner, outer in ((one, other), (other, one)):
        if not outer or inner == outer or inner.startswith(f"{outer}/"):
            return inner
    return None


def read(project: Project, path: str) -> Unit | SkippedFile:
    """The file at `path`, or why it cannot be had. Never waits, never follows a symlink."""
    try:
        # A pipe or a device may have taken the file's place since it was listed.
        data = read_regular(os.path.join(str(project.root), path), MAX_BYTES + 1)
    except FileNotFoundError:
        return SkippedFile(path=path, reason=msg("it vanished during the run"))
    except OSError as error:
        why = error.strerror or str(error)
        return SkippedFile(path=path, reason=msg("it cannot be read: {why}", why=why))
    if data is None:
        return SkippedFile(path=path, reason=msg("not a regular file"))
    if len(data) > MAX_BYTES:
        limit = f"{MAX_BYTES:,}"
        return SkippedFile(path=path, reason=msg("larger than {limit} bytes", limit=limit))
    return Unit(path, data)


_TEST_FILE = re.compile(r"(^|/)(tests?/.*|test_[^/]*\.py|[^/]*_test\.py|conftest\.py)$")


def is_test_file(path: str) -> bool:
    """True for files in which asserting is the point: in tests/, test_*.py, conftest.py."""
    return _TEST_FILE.search(path) is not None
