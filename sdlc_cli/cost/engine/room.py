"""Memory and disk that ran out while DuckDB worked, told as what they are."""

from collections.abc import Iterator
from contextlib import contextmanager

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.duck import duckdb

# In the words of systems, of which DuckDB keeps no number.
_FULL = ("no space left", "file too large", "quota exceeded")


@contextmanager
def needed() -> Iterator[None]:
    """Raises WorkError where what is done inside had no room, or could not read or write."""
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        why = str(error).splitlines()[0]
        if isinstance(error, duckdb.IOException) and not any(w in why.lower() for w in _FULL):
            raise WorkError(msg("the logs could not be worked on: {why}", why=why)) from error
        raise WorkError(
            msg("the logs need more memory or temporary disk than there is"),
            hint=msg("set TMPDIR and SDLC_CACHE_DIR to folders with more space, or use --no-cache"),
        ) from error
