"""A Project as arrays: what the kernels, the bounds and CP-SAT work on.

Every way to staff a mode is a mode of its own here, so that people are resources like any other
and a kernel knows nothing of skills. `mode_base` leads back.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sdlc_cli.core.errors import ConfigError

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

FS: Final = 0
SS: Final = 1
FF: Final = 2
SF: Final = 3
KINDS: Final = {"FS": FS, "SS": SS, "FF": FF, "SF": SF}
NEVER: Final = 2**40  # a slot that no plan reaches
MICRO: Final = 1_000_000  # costs are counted in millionths of a dollar


class PlanError(ConfigError):
    """A project that no plan can fulfil, whatever the search."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instance:
    """n tasks, m modes, r renewable and k consumable resources. Lists of lists are CSR.

    `pred_*[pred_ptr[j]:pred_ptr[j+1]]` are the links into task j, `succ_*` the same links seen
    from their other end. `mode_ptr` gives the modes of a task. Calendar 0 is always open and has
    no slots; of calendar c >= 1, `open_slots[open_ptr[c]:open_ptr[c+1]]` are the open ones in
    order. The budget, where there is one, is the last consumable, in millionths of a dollar.
    """

    tasks: tuple[str, ...]
    resources: tuple[str, ...]
    pred_ptr: I32
    pred_task: I32
    pred_kind: I32
    pred_lag: I64
    succ_ptr: I32
    succ_task: I32
    succ_kind: I32
    succ_lag: I64
    mode_ptr: I32  # (n+1)
    mode_base: I32  # (m) index in Task.modes
    mode_duration: I64  # (m) open slots
    mode_calendar: I32  # (m)
    mode_demand: I64  # (m, r)
    mode_use: I64  # (m, k)
    mode_cost: I64  # (m) micro-dollars, hours of resources included
    mode_quality: F64  # (m)
    capacity: I64  # (r)
    budget: I64  # (k)
    open_ptr: I64  # (calendars+1)
    open_slots: I64
    release: I64  # (n) `now` included
    deadline: I64  # (n) NEVER without one
    hard: NDArray[np.bool_]  # (n)
    priority: I64  # (n)
    late_cost: I64  # (n) micro-dollars for each slot late
    fixed_start: I64  # (n) -1: to be planned
    fixed_finish: I64  # (n)
    group: I32  # (n) tasks of one number start together; -1: alone
    mate: I32  # (n) a mode in which a task can start together with its group in theirs; else -1
    order: I32  # (n) a topological order of all links and groups
    horizon: int  # no sensible plan is longer
    unit_seconds: int  # of a slot here
    scale: int = 1  # slots of the project in one slot here
    latest: int = NEVER  # the hard deadline of the whole project

    @property
    def n(self) -> int:
        """How many tasks."""
        return len(self.tasks)

    @property
    def plain(self) -> bool:
        """One mode a task, finish-start without lags, no calendar, fact, group or budget."""
        return bool(
            len(self.mode_base) == self.n
            and not self.pred_kind.any()
            and not self.pred_lag.any()
            and not self.mode_calendar.any()
            and not self.release.any()
            and (self.deadline >= NEVER).all()
            and (self.fixed_start < 0).all()
            and (self.group < 0).all()
            and not self.mode_use.any()
            and self.latest >= NEVER
        )
