"""Where a search and CP-SAT, each in a thread of its own, tell each other how far they are.

CP-SAT's bound reaches the search's watch, and so whoever looks on; both end when the search's
makespan meets the bound, when CP-SAT has proved its own plan, or when the watch has seen enough.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sdlc_cli.plan.effort import Progress, Watch
from sdlc_cli.plan.goal import Goal
from sdlc_cli.plan.instance import NEVER

_TICK = 0.05  # seconds between two looks


class Meeting:
    """What both know. `solver` and what it calls are CP-SAT's side, the rest is the search's."""

    def __init__(self, goal: Goal, limits: bool, watch: Watch | None, found: Progress) -> None:
        """`limits`: a plan may break some, and is then no proof, however short."""
        self.goal, self.limits, self.watch = goal, limits, watch
        self.makespan, self.bound, self.schedules = found.makespan, found.bound, found.schedules
        self.theirs = NEVER  # the makespan of CP-SAT's plan
        self.over = False
        self.solver: Any = None
        self.begin = time.monotonic()

    @property
    def met(self) -> bool:
        """Whether a plan is there that nothing is better than."""
        best = self.theirs if self.limits else min(self.makespan, self.theirs)
        return self.goal.only_makespan and best <= self.bound

    def enter(self, solver: Any) -> bool:
        """CP-SAT is about to begin; False where it came too late."""
        self.solver = solver
        return not self.over

    def proved(self, bound: int) -> None:
        """CP-SAT has a bound."""
        self.bound = max(self.bound, bound)
        self._look()

    def planned(self, makespan: int) -> None:
        """CP-SAT has a plan."""
        self.theirs = min(self.theirs, makespan)
        self._look()

    def _look(self) -> None:
        if self.over or self.met:
            self.solver.stop_search()

    def heard(self, progress: Progress) -> bool:
        """The watch of the search."""
        self.makespan = min(self.makespan, progress.makespan)
        if self.goal.objective == "makespan":
            progress = replace(
                progress,
                schedules=max(self.schedules, progress.schedules),
                makespan=min(self.makespan, self.theirs),
                bound=max(self.bound, progress.bound),
            )
        seen = self.watch is None or self.watch(progress)
        return seen and not self.over and not self.met

    @contextmanager
    def beside(self, work: Callable[[], Any]) -> Iterator[Future[Any]]:
        """CP-SAT's work in a thread, which ends when what is done meanwhile does."""
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(work)
            future.add_done_callback(self._left)
            try:
                yield future
            finally:
                self.over = True
                while not future.done():
                    if self.solver is not None:
                        self.solver.stop_search()
                    wait([future], _TICK)

    def _left(self, future: Future[Any]) -> None:
        """CP-SAT has ended: with a proof, or out of time, and then the search may go on."""
        if future.exception() is not None:
            self.over = True
            return
        found, _bound = future.result()
        self.over = self.over or (found is not None and found.proved)

    def wait(self, future: Future[Any]) -> None:
        """Look on while nothing else is done. An interrupt ends it."""
        try:
            while not wait([future], _TICK).done:
                progress = Progress(
                    makespan=self.makespan,
                    bound=self.bound,
                    schedules=self.schedules,
                    seconds=time.monotonic() - self.begin,
                )
                if not self.heard(progress):
                    return
        except KeyboardInterrupt:
            return
