"""What prompt caching would do, as JSON has it in more than one result."""

from sdlc_cli.core import money
from sdlc_cli.cost.prefixes import Caching


def document(found: Caching) -> dict[str, object]:
    """Counts, and the dollars saved after what writes cost more."""
    return {
        "lifetime_seconds": found.lifetime_s,
        "prefixes": found.prefixes,
        "calls": found.calls,
        "writes": found.writes,
        "written_tokens": found.tokens_written,
        "reads": found.reads,
        "read_tokens": found.tokens_read,
        "saved_usd": money.text(found.saved_pico),
    }
