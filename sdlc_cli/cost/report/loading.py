"""What `sdlc cost load` added to a store -> sentences, JSON."""

from sdlc_cli.core.i18n import Message, msg

SCHEMA_VERSION = 1


def headline(records: int, store: str) -> Message:
    """How many records went where."""
    return msg("records added to {store}: {n}", n=f"{records:,}", store=store)


def notes(without_id: int, rejected: int) -> tuple[Message, ...]:
    """What was left out, and what may not be loaded again."""
    found: list[Message] = []
    if rejected:
        found.append(msg("records that could not be counted: {n}", n=f"{rejected:,}"))
    if without_id:
        found.append(
            msg("records without an id: {n}; loaded again, they count again", n=f"{without_id:,}")
        )
    return tuple(found)


def document(records: int, rejected: int, without_id: int, store: str) -> dict[str, object]:
    """The JSON result of `sdlc cost load`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "store": store,
        "records": records,
        "rejected_count": rejected,
        "without_id": without_id,
    }
