"""API keys: 256 random bits that are shown once, and kept as a keyed hash.

A key is `sdlc_ID_SECRET`. The ID finds it; the secret is compared by its HMAC in constant time. A
slow password hash would add nothing to 256 random bits, but a lever for whoever wants to keep the
service busy.
"""

import hashlib
import hmac
import os
import re
import secrets
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sdlc_cli.core.errors import UsageError, WorkError
from sdlc_cli.core.i18n import msg

SCOPES = ("ingest", "read", "admin")  # admin may do all
_TOKEN = re.compile(r"sdlc_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_PEPPER_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a key may do. Without `projects` it is for all of them."""

    id: str
    scopes: frozenset[str]
    projects: tuple[str, ...] = ()
    note: str = ""
    at: int = 0
    revoked: int | None = None

    def may(self, scope: str) -> bool:
        """Whether it opens `scope`."""
        return scope in self.scopes or "admin" in self.scopes


EVERYBODY = Key(id="", scopes=frozenset(SCOPES))  # who asks a service without keys, on loopback


class Keyring:
    """The keys of a store, in memory."""

    def __init__(self, pepper: bytes, known: Iterable[tuple[Key, bytes]] = ()) -> None:
        found = list(known)
        self._pepper = pepper
        self._known = {key.id: (key, digest) for key, digest in found if key.revoked is None}
        self.used = bool(found)  # a key was made once, be it taken back by now

    def __len__(self) -> int:
        return len(self._known)

    def find(self, token: str) -> Key | None:
        """The key that a request shows; None for one that nobody was given."""
        parts = _TOKEN.fullmatch(token)
        key, kept = self._known.get(parts[1], (None, b"")) if parts else (None, b"")
        told = _digest(self._pepper, parts[2] if parts else "")
        # The same work is done whether the ID exists or not.
        return key if hmac.compare_digest(kept or bytes(32), told) and kept else None


def load(con: sqlite3.Connection, pepper: bytes) -> Keyring:
    """The keys in a ledger that are not revoked."""
    return Keyring(pepper, _rows(con))


def listed(con: sqlite3.Connection) -> list[Key]:
    """All keys, revoked ones too."""
    return [key for key, _ in _rows(con)]


def create(
    con: sqlite3.Connection,
    pepper: bytes,
    *,
    scopes: Iterable[str],
    projects: Iterable[str] = (),
    note: str = "",
) -> str:
    """Makes a key; the text is returned here and kept nowhere."""
    wanted = sorted(set(scopes))
    for scope in wanted:
        if scope not in SCOPES:
            raise UsageError(
                msg("there is no scope '{name}': use {known}", name=scope, known=", ".join(SCOPES))
            )
    bound = sorted(set(projects))
    for project in bound:
        if not project.strip() or not project.isprintable():
            raise UsageError(
                msg("'{name}' is no name of a project", name=project), hint="--project shop"
            )
    name, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    con.execute(
        "INSERT INTO sdlc_key VALUES (?, ?, ?, ?, ?, ?, NULL)",
        (
            name,
            _digest(pepper, secret),
            ",".join(wanted),
            "\n".join(bound),
            note,
            int(time.time()),
        ),
    )
    return f"sdlc_{name}_{secret}"


def revoke(con: sqlite3.Connection, name: str) -> None:
    """From now on the key opens nothing. Raises UsageError where there is none."""
    done = con.execute(
        "UPDATE sdlc_key SET revoked = ? WHERE id = ? AND revoked IS NULL",
        (int(time.time()), name),
    )
    if not done.rowcount:
        raise UsageError(msg("there is no key {name}", name=name), hint="sdlc serve keys")


def pepper_of(store: Path, *, make: bool) -> bytes:
    """The secret of the hashes, from a file beside the store that only its owner may read."""
    file = store.with_name(store.name + ".secret")
    try:
        if make:
            try:
                handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            except FileExistsError:
                pass
            else:
                with os.fdopen(handle, "wb") as made:
                    made.write(secrets.token_bytes(_PEPPER_BYTES))
                    made.flush()
                    os.fsync(made.fileno())
        found = file.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise WorkError(
            msg("{path} cannot be read: {why}", path=str(file), why=error.strerror or str(error))
        ) from None
    if len(found) < _PEPPER_BYTES:
        raise WorkError(msg("{path} holds no secret of 32 bytes", path=str(file)))
    return found


def _digest(pepper: bytes, secret: str) -> bytes:
    return hmac.new(pepper, secret.encode(), hashlib.sha256).digest()


def _rows(con: sqlite3.Connection) -> list[tuple[Key, bytes]]:
    found = con.execute(
        "SELECT id, hash, scopes, projects, note, at, revoked FROM sdlc_key ORDER BY at, id"
    )
    return [
        (
            Key(
                id=name,
                scopes=frozenset(scopes.split(",")),
                projects=tuple(projects.split("\n")) if projects else (),
                note=note,
                at=at,
                revoked=revoked,
            ),
            digest,
        )
        for name, digest, scopes, projects, note, at, revoked in found
    ]
