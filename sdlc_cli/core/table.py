"""A table of plain values, made by a report and printed by `core.render` in any form."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Cell = str | int | float | Decimal | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`key` names it for machines, `title` for people. Numbers stand at the right.

    `decimals` is how many a number of this column shows to people; machines get it whole.
    """

    key: str
    title: str
    kind: Literal["text", "number"] = "text"
    decimals: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells, one for each column. Raises ValueError on a row of another length."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{len(row)} cells in a table of {len(self.columns)} columns")

    def without(self, keys: Collection[str]) -> "Table":
        """The same table with the columns called `keys` left out."""
        kept = [i for i, column in enumerate(self.columns) if column.key not in keys]
        return Table(
            title=self.title,
            columns=tuple(self.columns[i] for i in kept),
            rows=tuple(tuple(row[i] for i in kept) for row in self.rows),
        )


def shown(cell: Cell, column: Column) -> str:
    """The cell for people: nothing is `-`, numbers have the column's decimals."""
    if cell is None or cell == "":
        return "-"
    if column.decimals is not None and not isinstance(cell, str | bool):
        return f"{cell:,.{column.decimals}f}"
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)
