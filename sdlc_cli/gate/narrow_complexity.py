"""Which functions a change made more complex: the file as it is against the file as it was."""

import ast
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sdlc_cli.core.files import read_regular
from sdlc_cli.core.finding import Finding
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import changes as git_changes
from sdlc_cli.gate.changes import Changes
from sdlc_cli.gate.source import MAX_BYTES, Unit

BROKEN = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class _Function:
    """A function of one version of a file. `body` is its text as a tree, wherever it stands."""

    qualname: str
    line: int
    complexity: int
    body: str

    @property
    def name(self) -> str:
        return self.qualname.rpartition(".")[2]


class Raised:
    """Tells of a `complexity` finding whether the change raised it; made for one change."""

    def __init__(self, root: Path, changes: Changes, findings: Collection[Finding]) -> None:
        """Compare the files that hold `findings`. Raises WorkError where git has no old text."""
        paths = sorted({f.location.path for f in findings if changes.touches(f.location)})
        old = git_changes.old_texts(root, changes, paths)
        self._before: dict[tuple[str, int], int] = {}
        for path in paths:
            if path in old:
                self._before |= _before(root, path, old[path])

    def __call__(self, finding: Finding) -> Finding | None:
        """The finding, with what it was before; None when it was as complex already."""
        before = self._before.get((finding.location.path, finding.location.line))
        if before is None:
            return finding  # a new function
        if finding.amount <= before:
            return None
        worded = msg("{what}; it was {before}", what=finding.message, before=before)
        return replace(finding, message=worded)


def _before(root: Path, path: str, old: bytes) -> Mapping[tuple[str, int], int]:
    """The former complexity of the functions in the file, by path and their present line."""
    try:
        was = _functions(path, old)
        now = _functions(path, read_regular(root / path, MAX_BYTES) or b"")
    except (*BROKEN, OSError):
        return {}  # without a comparison, all are as good as new
    pairs = _pair(now, was)
    return {(path, one.line): other.complexity for one, other in pairs}


def _functions(path: str, data: bytes) -> list[_Function]:
    from sdlc_cli.gate.analysis import complexity

    measured = complexity.measure(Unit(path, data).tree)
    return [
        _Function(
            block.qualname,
            block.lineno,
            block.complexity,
            ast.dump(ast.Module(body=block.node.body, type_ignores=[])),
        )
        for block in complexity.functions(measured.blocks)
    ]


def _pair(
    now: Iterable[_Function], was: Collection[_Function]
) -> list[tuple[_Function, _Function]]:
    """Each function with what it was: by its place, else by its text, else by its bare name.

    Of several that are called alike (overloads, properties) the first goes with the first.
    """
    pairs: list[tuple[_Function, _Function]] = []
    left, free = list(now), list(was)
    for alike in (_same_place, _same_text, _same_name):
        unpaired: list[_Function] = []
        for one in left:
            other = next((other for other in free if alike(one, other)), None)
            if other is None:
                unpaired.append(one)
            else:
                free.remove(other)
                pairs.append((one, other))
        left = unpaired
    return pairs


def _same_place(one: _Function, other: _Function) -> bool:
    return one.qualname == other.qualname


def _same_text(one: _Function, other: _Function) -> bool:
    return one.body == other.body


def _same_name(one: _Function, other: _Function) -> bool:
    return one.name == other.name
