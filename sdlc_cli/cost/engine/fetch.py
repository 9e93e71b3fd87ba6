"""Logs behind an address: copied into the folder of the run, as they are read more than once.

What HTTP serves is copied as it comes. Buckets are read by DuckDB's extension httpfs, where that is
installed: nothing installs it unasked.
"""

import glob
import http.client
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from sdlc_cli.core.errors import UsageError, WorkError
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.cost.duck import duckdb
from sdlc_cli.cost.engine.table import connect, literal

WEB = ("http", "https")
BUCKETS = ("s3", "gs", "r2")
INSTALL = "python -c \"import duckdb; duckdb.sql('INSTALL httpfs')\""
_PATIENCE = 60  # seconds without a byte
_BLOCK = 2**20
_MEMORY_MIB = 1024  # DuckDB holds a whole file of a bucket
_GONE = (404, 410)
# Where the tools of AWS look, and what DuckDB calls it in a secret.
_SECRETS = {
    "AWS_ACCESS_KEY_ID": "KEY_ID",
    "AWS_SECRET_ACCESS_KEY": "SECRET",
    "AWS_SESSION_TOKEN": "SESSION_TOKEN",
    "AWS_REGION": "REGION",
    "AWS_DEFAULT_REGION": "REGION",
}


def scheme_of(path: str) -> str:
    """What stands before :// in lower case."""
    return path.partition("://")[0].lower()


def fetched(address: str, tmp: Path, is_log: Callable[[str], bool]) -> Iterator[tuple[str, Path]]:
    """The logs at an address, each with the name that reports have for it.

    Of a folder those whose names `is_log` finds fit.

    Raises UsageError for an address that cannot be read or where nothing is, WorkError where a
    server does not answer as it should.
    """
    scheme = scheme_of(address)
    try:
        urlsplit(address)
    except ValueError:
        raise UsageError(msg("{path} is no address", path=address)) from None
    if scheme in WEB:
        yield shown(address), _downloaded(address, tmp)
    elif scheme in BUCKETS:
        yield from _copied(address, tmp, is_log)
    else:
        raise UsageError(
            msg(
                "{scheme}:// addresses cannot be read as logs: {path}", scheme=scheme, path=address
            ),
            hint=msg("copy the logs to a folder, and name that"),
        )


def shown(address: str) -> str:
    """The address without what may be a secret: a password, or the signature behind a ?."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host, query="", fragment=""))


def _place(address: str, tmp: Path) -> Path:
    """A file of its own, called like the one at the address: names tell how logs are packed."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", os.path.basename(urlsplit(address).path))[-100:]
    folder = tmp / "fetched"
    folder.mkdir(exist_ok=True)
    return folder / f"{len(os.listdir(folder))}-{name or 'log'}"


def _downloaded(address: str, tmp: Path) -> Path:
    file = _place(address, tmp)
    name = shown(address)
    if "@" in urlsplit(address).netloc:  # which a server could have us send on to another
        raise UsageError(msg("no password is taken from an address: {path}", path=name))
    try:
        asked = urllib.request.Request(address, headers={"Accept-Encoding": "identity"})
        with urllib.request.urlopen(asked, timeout=_PATIENCE) as answer, file.open("wb") as out:
            length = answer.headers.get("Content-Length", "")
            while block := answer.read(_BLOCK):
                out.write(block)
            if length.isdigit() and out.tell() != int(length):
                raise WorkError(msg("{path} ended early", path=name))
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in _GONE:
            raise UsageError(msg("there is no file or folder {path}", path=name)) from None
        raise WorkError(_unread(name, f"HTTP {error.code}")) from None
    except (ValueError, http.client.InvalidURL):
        raise UsageError(msg("{path} is no address", path=name)) from None
    except (OSError, http.client.HTTPException) as error:
        raise WorkError(_unread(name, str(getattr(error, "reason", error)))) from None
    return file


def _unread(name: str, why: str) -> Message:
    return msg("cannot read {path}: {why}", path=name, why=why)


def _copied(address: str, tmp: Path, is_log: Callable[[str], bool]) -> Iterator[tuple[str, Path]]:
    """The objects at an address, by DuckDB."""
    with closing(connect(tmp, threads=1, memory_mib=_MEMORY_MIB)) as con:
        try:
            con.execute("LOAD httpfs")
        except duckdb.Error as error:
            why = str(error).splitlines()[0].rstrip(".")
            raise UsageError(
                msg(
                    "{scheme}:// addresses are read by DuckDB's extension httpfs, which cannot be"
                    " loaded here: {why}",
                    scheme=scheme_of(address),
                    why=why,
                ),
                hint=msg("{command}, or copy the logs to a folder, and name that", command=INSTALL),
            ) from None
        _sign(con)
        try:
            for name in objects(con, address, is_log):
                yield shown(name), copy(con, name, tmp)
        except duckdb.Error as error:
            raise WorkError(_unread(shown(address), str(error).splitlines()[0])) from None


def copy(con: duckdb.DuckDBPyConnection, name: str, tmp: Path) -> Path:
    """First under a name that says nothing of packing: DuckDB would pack what is packed."""
    plain = tmp / "object"
    con.execute(
        f"COPY (SELECT content FROM read_blob({literal(name)})) "
        f"TO {literal(str(plain))} (FORMAT blob)"
    )
    return plain.rename(_place(name, tmp))


def objects(
    con: duckdb.DuckDBPyConnection, address: str, is_log: Callable[[str], bool]
) -> list[str]:
    """What lies at the address: an object, those that fit a glob, or the logs of a folder."""
    if glob.has_magic(address):
        pattern = address
    elif is_log(address):
        return [address]
    else:
        pattern = f"{address.rstrip('/')}/**"
    told = con.execute(f"SELECT file FROM glob({literal(pattern)}) ORDER BY file").fetchall()
    found = [name for (name,) in told if is_log(name)]
    if not found:
        raise UsageError(msg("no file matches {glob}", glob=shown(address)))
    return found


def _sign(con: duckdb.DuckDBPyConnection) -> None:
    """Gives DuckDB the keys in the environment; secrets that it keeps itself it finds alone."""
    told = {_SECRETS[name]: value for name in _SECRETS if (value := os.environ.get(name))}
    if "KEY_ID" not in told:
        return
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        parts = urlsplit(endpoint)
        told |= {"ENDPOINT": parts.netloc, "URL_STYLE": "path"}
        told["USE_SSL"] = "true" if parts.scheme == "https" else "false"
    options = ", ".join(f"{name} {literal(value)}" for name, value in told.items())
    con.execute(f"CREATE SECRET sdlc (TYPE s3, {options})")
