"""Several files changed as one: all of them, or none.

A folder cannot be swapped in one step while the user's files lie between ours. So the new files
are written and flushed in a hidden folder, the old ones get second names there, and a journal that
tells what is about to happen goes to the disk. Only then are files put into place, each in one
step. When the journal is gone, the new files count. An error before that undoes it at once; after
a kill, `undo` does, in the process that `apart` keeps for it or in the next run.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.folder import HIDDEN, JOURNAL, LOCK, Folder, Found, digest, is_ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One path and the bytes that are to lie there; None takes away what does."""

    path: str
    data: bytes | None
    executable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """What lay at a path and what is to lie there, by their SHA-256; None is nothing.

    `number` names both copies in the hidden folder.
    """

    number: int
    path: str
    old: str | None
    new: str | None

    @property
    def backup(self) -> str:
        return f"{HIDDEN}/old-{self.number}"

    @property
    def staged(self) -> str:
        return f"{HIDDEN}/new-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Journal:
    """All moves, and the folders that have to be made for them."""

    moves: tuple[_Move, ...]
    folders: tuple[str, ...]


def swap(
    folder: Folder, changes: Iterable[Change], *, ready: Callable[[], None] = lambda: None
) -> None:
    """Carry all changes out, in their order. Raises OSError and WorkError, with all undone.

    `ready` is called when everything is prepared and nothing is touched yet; it may raise.
    """
    wanted = tuple(changes)
    if not wanted:
        return
    try:
        folder.make(HIDDEN, 0o700)
        folder.store(f"{HIDDEN}/.gitignore", b"*\n")  # a killed render is nothing to commit
        journal = _staged(folder, wanted)
        ready()
        _begin(folder, journal)
    except BaseException:
        undo(folder)
        raise
    _clear(folder)
    for change in wanted:
        if change.data is None:
            _remove_empty(folder, change.path)


def is_done(folder: Folder, changes: Iterable[Change]) -> bool:
    """Whether everything lies there as the changes want it. Raises OSError."""
    return all(_is_as_wanted(folder.find(one.path), one) for one in changes)


def _is_as_wanted(found: Found | None, change: Change) -> bool:
    if change.data is None or found is None:
        return change.data is None and found is None
    return found.sha256 == digest(change.data) and found.executable >= change.executable


def undo(folder: Folder) -> bool:
    """Take back what a swap did that did not come to its end; False when there was none.

    What somebody changed since then stays as it is. Raises OSError and WorkError.
    """
    data = folder.read(JOURNAL)
    if data is not None:
        journal = _read(data)
        for move in reversed(journal.moves):
            _take_back(folder, move)
        for one in reversed(journal.folders):
            folder.remove_folder(one)
        folder.remove(JOURNAL)
    _clear(folder)
    return data is not None


def _staged(folder: Folder, changes: tuple[Change, ...]) -> _Journal:
    """Write all that is new beside what is old. Nothing of the old is touched."""
    moves: list[_Move] = []
    folders: dict[str, None] = {}
    for number, change in enumerate(changes):
        found = folder.find(change.path)
        if found is not None and found.kind == "other":
            raise WorkError(
                msg("{path} is no file, so it cannot be replaced", path=change.path),
                hint=msg("move it away, then run this again"),
            )
        new = digest(change.data) if change.data is not None else None
        move = _Move(number=number, path=change.path, old=found.sha256 if found else None, new=new)
        moves.append(move)
        if change.data is not None:
            folder.store(move.staged, change.data, executable=change.executable)
            folders |= dict.fromkeys(folder.missing(change.path))
        if found is not None:
            folder.keep(change.path, move.backup)
    return _Journal(moves=tuple(moves), folders=tuple(folders))


def _begin(folder: Folder, journal: _Journal) -> None:
    """Put everything into place. From the journal's appearance to its end, `undo` leads back."""
    draft = f"{JOURNAL}.draft"
    folder.store(draft, json.dumps(asdict(journal)).encode())
    folder.move(draft, JOURNAL)
    folder.flush(HIDDEN)
    for one in journal.folders:
        folder.make(one)
    for move in journal.moves:
        if move.new is None:
            folder.remove(move.path)
        else:
            folder.move(move.staged, move.path)
    folder.remove(JOURNAL)


def _take_back(folder: Folder, move: _Move) -> None:
    found = folder.find(move.path)
    if (found.sha256 if found else None) != move.new:
        return  # not reached yet, or changed since by somebody else
    if move.old is None:
        folder.remove(move.path)
    elif folder.find(move.backup) is not None:
        folder.move(move.backup, move.path)


def _read(data: bytes) -> _Journal:
    try:
        body = json.loads(data)
        moves = tuple(_Move(**move) for move in body["moves"])
        folders = tuple(str(one) for one in body["folders"])
    except (ValueError, TypeError, KeyError, RecursionError):
        moves, folders = (), ("",)
    safe = all(_is_move(move) for move in moves)
    if not safe or not all(is_ours(f"{one}/x") for one in folders):
        raise WorkError(
            msg("{path} cannot be read, so an interrupted render cannot be undone", path=JOURNAL),
            hint=msg("delete the folder {folder}, then render with --force", folder=HIDDEN),
        )
    return _Journal(moves=moves, folders=folders)


def _is_move(move: _Move) -> bool:
    path_is_ours = isinstance(move.path, str) and (move.path == LOCK or is_ours(move.path))
    digests = all(one is None or isinstance(one, str) for one in (move.old, move.new))
    return path_is_ours and digests and isinstance(move.number, int)


def _clear(folder: Folder) -> None:
    """Take the hidden folder away, the journal not: it is the last to go, or the first."""
    for name in folder.names(HIDDEN):
        folder.remove(f"{HIDDEN}/{name}")
    folder.remove_folder(HIDDEN)


def _remove_empty(folder: Folder, path: str) -> None:
    """The folders that a removed file leaves empty go too."""
    while "/" in path:
        path = path.rpartition("/")[0]
        if not folder.remove_folder(path):
            return
