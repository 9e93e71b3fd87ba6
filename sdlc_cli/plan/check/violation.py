"""One rule that a schedule breaks."""

from dataclasses import dataclass
from typing import Literal

from sdlc_cli.core.i18n import Message

Kind = Literal[
    "tasks",  # one is missing, there twice, or unknown
    "mode",
    "staffing",  # what is held is not what the mode needs
    "fact",  # what has begun or is done lies elsewhere
    "calendar",
    "duration",
    "release",
    "link",
    "together",
    "capacity",
    "deadline",
    "budget",
    "consumable",
    "total",  # a sum in the schedule is not that of its placements
]
MISSES: frozenset[Kind] = frozenset(("deadline", "budget", "consumable"))
"""What a schedule breaks that says of itself that it is infeasible."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that is broken, and the tasks that break it."""

    kind: Kind
    tasks: tuple[str, ...]
    message: Message
