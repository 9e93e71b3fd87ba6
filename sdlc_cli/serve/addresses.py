"""Addresses on the command line, looked at before anything is opened."""

from importlib.util import find_spec
from urllib.parse import urlsplit

from sdlc_cli.core.errors import UsageError, WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost import store

_SCHEMES = ("postgresql://", "postgres://")
_MOST_PORT = 65_535


def check_web(url: str) -> None:
    """Raises UsageError for what is no address of the web with a host."""
    try:
        at = urlsplit(url)
        sound = at.scheme in ("http", "https") and bool(at.hostname) and at.port != 0
    except ValueError:  # brackets without end, or a port that is no number
        sound = False
    if not sound:
        raise UsageError(
            msg("'{word}' is no address of the web", word=url),
            hint="--trace-to http://localhost:4319",
        )


def check_forward(address: str) -> None:
    """Raises UsageError for what is no address of PostgreSQL, WorkError without its package.

    The address is not shown: a password may be in it.
    """
    where, _, table = address.partition("#")
    store.checked(table or store.TABLE)
    if not where.startswith(_SCHEMES):
        raise _no_server()
    if find_spec("psycopg") is None:
        raise WorkError(
            msg("{option} needs the package {package}", option="--forward", package="psycopg"),
            hint="pip install 'sdlc-cli[postgres]'",
        )
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        ports = str(conninfo_to_dict(where).get("port") or "").split(",")
    except psycopg.Error:
        raise _no_server() from None
    if not all(_is_port(port) for port in ports):
        raise _no_server()


def _is_port(told: str) -> bool:
    return not told or (told.isascii() and told.isdigit() and 0 < int(told[:6]) <= _MOST_PORT)


def _no_server() -> UsageError:
    return UsageError(
        msg("what --forward names is no address of PostgreSQL"),
        hint="--forward postgresql://user@host/db",
    )
