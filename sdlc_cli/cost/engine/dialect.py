"""The query's SQL, written for DuckDB, in the words of the servers that keep logs.

sqlglot does the work. What stands here is what it cannot know: that no number may overflow or
become a fraction, and how ClickHouse wants joins and tables of values.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

import sqlglot
from sqlglot import exp

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

Dialect = Literal["postgres", "clickhouse", "spark"]

# A whole number for sums and money. DuckDB's HUGEINT has 128 bits and tells of an overflow;
# ClickHouse's Int128 would wrap around in silence, so that it gets more bits than can be filled.
_HUGE: dict[Dialect, str] = {
    "postgres": "NUMERIC",
    "clickhouse": "Nullable(Int256)",
    "spark": "DECIMAL(38, 0)",
}
_BITS = ((31, "Int32"), (63, "Int64"), (255, "Int256"))


def translate(sql: str, dialect: Dialect, views: Mapping[str, str]) -> str:
    """One statement of DuckDB's SQL in another dialect.

    `views` are the names that stand for a SELECT, in DuckDB's SQL too, each over tables or views
    before it: no server is asked to make a view.
    """
    tree = sqlglot.parse_one(sql, read="duckdb")
    parsed = {name: sqlglot.parse_one(view, read="duckdb") for name, view in views.items()}
    for name in reversed(parsed):
        tree = tree.transform(partial(_expanded, name, parsed[name]))
    for node in reversed(list(tree.walk())):  # what is inside first: rules move it into new words
        new = _exact(dialect, node)
        if new is not node:
            node.replace(new)
    return str(tree.sql(dialect=dialect))


def _expanded(name: str, view: "Expr", node: "Expr") -> "Expr":
    if not isinstance(node, exp.Table) or node.name != name or node.db:
        return node
    alias = node.alias or name
    query = cast(exp.Query, view.copy())
    return query.subquery(alias)


def _exact(dialect: Dialect, node: "Expr") -> "Expr":
    if isinstance(node, exp.DataType) and node.is_type("int128"):
        return exp.DataType.build(_HUGE[dialect], dialect=dialect)
    rule = _RULES.get((dialect, type(node)))
    return rule(node) if rule else node


def _whole(node: "Expr") -> "Expr":
    """DIV gives `numeric` in PostgreSQL, slowly; `/` of whole numbers is whole."""
    return exp.Div(this=node.this, expression=node.expression, typed=True, safe=False)


def _int_div(node: "Expr") -> "Expr":
    """Not by way of a fraction."""
    return exp.Anonymous(this="intDiv", expressions=[node.this, node.expression])


def _as_json(node: "Expr") -> "Expr":
    """Tags are text; PostgreSQL looks into JSON only."""
    if not isinstance(node.this, exp.Cast):
        node.set("this", exp.cast(node.this, exp.DataType.Type.JSON))
    return node


def _huge_sum(node: "Expr") -> "Expr":
    """ClickHouse sums in 64 bits, and wraps around."""
    if isinstance(node.this, exp.Cast):
        return node
    return exp.Sum(
        this=exp.cast(node.this, exp.DataType.build(_HUGE["clickhouse"], dialect="clickhouse"))
    )


def _global(node: "Expr") -> "Expr":
    """Where a table lies in parts, each part joins with all of the other."""
    node.set("global_", True)
    return node


def _values(node: "Expr") -> "Expr":
    """`(VALUES …) AS v(a, b)` as ClickHouse's function `values`, each column of one type.

    sqlglot would write thousands of SELECTs.
    """
    alias = node.args["alias"]
    rows = [row.expressions for row in node.expressions]
    columns = zip(alias.columns, zip(*rows, strict=True), strict=True)
    kinds = ", ".join(f"{column.name} {_kind(cells)}" for column, cells in columns)
    called = exp.Anonymous(
        this="values",
        expressions=[exp.Literal.string(kinds), *(exp.Tuple(expressions=row) for row in rows)],
    )
    return exp.Table(this=called, alias=exp.TableAlias(this=alias.this))


def _kind(cells: "tuple[Expr, ...]") -> str:
    if any(cell.is_string for cell in cells):
        return "Nullable(String)"
    largest = max((abs(int(cell.to_py())) for cell in cells if cell.is_number), default=0)
    return next(f"Nullable({kind})" for bits, kind in _BITS if largest < 2**bits)


_RULES: "dict[tuple[Dialect, type[Expr]], Callable[[Expr], Expr]]" = {
    ("postgres", exp.IntDiv): _whole,
    ("postgres", exp.JSONExtractScalar): _as_json,
    ("clickhouse", exp.IntDiv): _int_div,
    ("clickhouse", exp.Sum): _huge_sum,
    ("clickhouse", exp.Join): _global,
    ("clickhouse", exp.Values): _values,
}
