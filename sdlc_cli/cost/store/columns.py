"""Many rows as columns of the table: those that are empty, as two thirds are, cost nothing."""

from collections.abc import Sequence

from sdlc_cli.cost import store
from sdlc_cli.cost.model import Row
from sdlc_cli.cost.store import COLUMNS, STATUSES, Value

_EMPTY = store.record(Row())
_PLACES = {name: place for place, name in enumerate(COLUMNS)}


def filled(rows: Sequence[Row]) -> dict[str, Sequence[Value]]:
    """The columns in which any row has a value, as `store.record` gives them, by their names."""
    found: dict[str, Sequence[Value]] = {}
    every = zip(*map(store.held, rows), strict=True)
    for (name, kind), values in zip(COLUMNS.items(), every, strict=True):
        if kind == "hash":
            if values.count("") < len(values):
                found[name] = [store.digest(one) for one in values]
        elif name == "status":
            if values.count("ok") < len(values):
                found[name] = [STATUSES.index(one) for one in values]
        elif kind in ("name", "text"):
            if values.count("") < len(values):
                found[name] = _texts(name, kind, values)
        elif values.count(_EMPTY[_PLACES[name]]) < len(values):
            found[name] = values
    return found


def _texts(name: str, kind: str, values: Sequence[str]) -> Sequence[Value]:
    joined = "".join(values)
    if "\0" in joined or (name == "tags" and "\\u0000" in joined):
        values = [store.sound(name, one) for one in values]
    return [one or None for one in values] if kind == "text" and "" in values else values
