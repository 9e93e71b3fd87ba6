"""What a usage needs of the place where the calls are."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from sdlc_cli.cost.model import Rejection, Row, SourceRead

if TYPE_CHECKING:
    from sdlc_cli.cost.duck import duckdb


class Calls(Protocol):
    """Where the calls are: logs read into DuckDB, or the table of a server."""

    con: "duckdb.DuckDBPyConnection"  # what is made of the calls is worked out here

    @property
    def duplicates(self) -> int:
        """Records of calls that another record told of."""
        ...

    @property
    def read(self) -> tuple[SourceRead, ...]:
        """What was read, source by source."""
        ...

    @property
    def pms(self) -> tuple[str, ...]:
        """The distinct provider, model and tier, sorted."""
        ...

    @property
    def counts(self) -> tuple[str, ...]:
        """Those of `model.COUNTS` that any call may have."""
        ...

    @property
    def span(self) -> tuple[int, int]:
        """Microseconds of the first and the last row; (0, 0) where none has a time."""
        ...

    def group(self, sql: str) -> None:
        """Makes the table `grouped` in `con`, of the calls in `counted`."""
        ...

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of an answer about the calls in `counted`."""
        ...

    def find(self, call_id: str) -> Iterator[tuple[Row, str, str]]:
        """Rows of a call, each with the path and the text of its record."""
        ...

    def rejections(self) -> Iterator[Rejection]:
        """All records that were not counted."""
        ...

    def first_rejections(self, most: int) -> tuple[Rejection, ...]:
        """As many as that."""
        ...

    def close(self) -> None:
        """Lets go of memory, files and connections."""
        ...
