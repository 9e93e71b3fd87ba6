"""DuckDB's binding without the package around it, whose import takes as long as a small report."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb as duckdb
else:
    try:
        import _duckdb as duckdb
    except ImportError:  # of another name in other versions
        import duckdb

__all__ = ["duckdb"]
