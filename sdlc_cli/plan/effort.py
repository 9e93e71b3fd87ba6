"""How long a search may go on, what it tells on its way, and what it finds."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sdlc_cli.plan.instance import I32, I64


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """The limits of a search: wall seconds from the loaded kernel on, or a number of schedules.

    With `schedules` the result depends on the seed alone, never on `jobs` or on the machine.
    """

    seconds: float | None = 5.0
    schedules: int | None = None
    seed: int = 0
    jobs: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a search stands. `bound` is of the makespan."""

    makespan: int
    bound: int
    schedules: int
    seconds: float


Watch = Callable[[Progress], bool]
"""Called every 50 ms or so; False stops the search, which then answers with its best."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """A schedule as arrays: the start of each task and its mode's index in the Instance."""

    start: I64
    finish: I64
    mode: I32
    schedules: int = 0
    proved: bool = False  # nothing is better by the objective asked for

    @property
    def makespan(self) -> int:
        """The last finish."""
        return int(np.max(self.finish)) if len(self.finish) else 0
