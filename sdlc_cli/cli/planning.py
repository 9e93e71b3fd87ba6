"""What `sdlc plan` does, step by step: read, change, search, answer, print."""

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING, cast

from sdlc_cli.cli.plan_words import Asked, changes_of, effort_of, read, refuse_idle
from sdlc_cli.core.console import Console, Progress
from sdlc_cli.core.errors import ConfigError, WorkError
from sdlc_cli.core.i18n import _, msg

if TYPE_CHECKING:
    from sdlc_cli.plan.effort import Effort, Watch
    from sdlc_cli.plan.effort import Progress as Found
    from sdlc_cli.plan.instance import Instance
    from sdlc_cli.plan.model import Objective, Project, Schedule
    from sdlc_cli.plan.relax import Relaxation
    from sdlc_cli.plan.report import Sheet
    from sdlc_cli.plan.whatif import Change

INTERRUPTED = 130
_TRIES = 30  # plans made to find what would help
_SHARE = 0.06  # of the time limit, for each of them; all of them take no longer than it


class Stop:
    """Whether somebody pressed Ctrl-C. The first time the search ends, then the program."""

    def __init__(self, out: Console) -> None:
        self.asked = False
        self._out = out

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self._out.note(_("ending the search; once more leaves at once"))


@contextmanager
def stoppable(out: Console) -> Iterator[Stop]:
    """Ctrl-C sets the flag; an ignored one stays ignored."""
    stop = Stop(out)
    before = signal.getsignal(signal.SIGINT)
    try:
        if before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, stop)
    except ValueError:  # not the main thread
        yield stop
        return
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def run(out: Console, asked: Asked, command: str) -> int:
    """Plan and print; the answer is the exit code."""
    began = time.monotonic()
    refuse_idle(asked, command)
    effort = effort_of(asked, command)
    with out.progress(_("Reading")) as progress:
        progress.begin(_("Reading"))
        project = read(asked, command)
    for note in project.notes:
        out.warn(note)
    if asked.form == "yaml":
        from sdlc_cli.plan.readers import tasks_yaml

        out.deliver(tasks_yaml.write(project), asked.output, machine=True)
        return 0
    _doubted(out, project)
    changes = changes_of(asked, project)
    with stoppable(out) as stop, out.progress(_("Planning")) as progress:
        planner = Planner(out, asked, effort, stop, progress, began)
        sheet = planner.sheet(project, changes)
    deliver(out, sheet, asked)
    from sdlc_cli.plan.report import summary

    if asked.form == "table":
        out.note(summary.search_line(sheet))
    if not sheet.passed and not asked.check:
        out.warn(summary.unkept(sheet))
    if stop.asked:
        out.note(_("interrupted: the best plan so far was printed"))
        return INTERRUPTED
    return 1 if asked.check and not sheet.passed else 0


def _doubted(out: Console, project: "Project") -> None:
    """Warn of what the file says and hardly means."""
    from sdlc_cli.plan.doubts import doubts

    for doubt in doubts(project, datetime.now(UTC)):
        out.warn(doubt)


def deliver(out: Console, sheet: "Sheet", asked: Asked) -> None:
    """Print the sheet in the form that was asked for."""
    from sdlc_cli.core.view import DEFAULT
    from sdlc_cli.plan.report import MACHINE, load

    view = out.view if asked.output is None else DEFAULT
    text = load(asked.form).render(sheet, view)
    out.deliver(text, asked.output, machine=asked.form in MACHINE)


class Planner:
    """Searches with the limits of one run, and tells how far it is."""

    def __init__(
        self,
        out: Console,
        asked: Asked,
        effort: "Effort",
        stop: Stop,
        progress: Progress,
        began: float,
    ) -> None:
        self.out = out
        self.asked = asked
        self.effort = effort
        self.stop = stop
        self.progress = progress
        self.began = began
        self.startup = 0.0
        self.loaded: set[str] = set()

    def sheet(self, project: "Project", changes: "Sequence[Change]") -> "Sheet":
        """The plan, and every answer that was asked for."""
        from sdlc_cli.plan import difference, whatif

        now = whatif.apply(project, changes)
        old = difference.read(self.asked.diff, project) if self.asked.diff else None
        keep = difference.read(self.asked.keep, project) if self.asked.keep else None
        hint = None if keep is None else difference.kept(keep, project)
        from sdlc_cli.plan import report
        from sdlc_cli.plan.explain import Explainer

        arrays = self._compiled(now)
        unchanged = self._compiled(project) if changes else None
        for one in (arrays, unchanged):
            if one is not None:
                self._load(one, self._objective, hint)
        before = self._searched(project, hint, unchanged) if unchanged else None
        plan = self._searched(now, hint, arrays)
        self.progress.begin(_("Working out slack"))
        sheet = replace(
            report.sheet(now, plan),
            startup_seconds=self.startup,
            made=datetime.now(UTC).replace(microsecond=0),
            checked=self.asked.check,
        )
        if before is not None:
            compared = difference.compare(
                difference.plan_of(project, before), difference.plan_of(now, plan)
            )
            made = whatif.WhatIf(changes=tuple(changes), difference=compared)
            sheet = replace(sheet, what_if=made)
        if old is not None:
            sheet = replace(
                sheet, difference=difference.compare(old, difference.plan_of(now, plan))
            )
        if self.asked.explain:
            sheet = replace(sheet, explained=Explainer(sheet.network).chain(self.asked.explain))
        sheet = self._more(now, sheet, arrays)
        return replace(sheet, interrupted=self.stop.asked)

    def _more(self, project: "Project", sheet: "Sheet", instance: "Instance") -> "Sheet":
        """What needs more searching; nothing once somebody pressed Ctrl-C."""
        if self.asked.risk and not self.stop.asked:
            from sdlc_cli.plan.risk import assess

            self.progress.begin(_("Trying what could come"))
            risk = assess(project, sheet.schedule, seed=self.asked.seed, network=sheet.network)
            sheet = replace(sheet, risk=risk)
        if self.asked.front and not self.stop.asked:
            from sdlc_cli.plan import pareto

            self._load(instance, "cost")
            self.progress.begin(_("Looking for the front"))
            front = pareto.front(project, self.effort, watch=self._watch(project))
            for plan in front.schedules:
                _kept(project, plan)
            sheet = replace(sheet, front=front)
        if not sheet.passed and not self.stop.asked:
            found = self._helps(project, sheet.schedule)
            sheet = replace(sheet, relaxations=() if self.stop.asked else found)
        return sheet

    @property
    def _objective(self) -> "Objective":
        return cast("Objective", self.asked.objective)

    def _load(
        self, instance: "Instance", objective: "Objective", hint: "Schedule | None" = None
    ) -> None:
        """Load the kernel that searches an instance, or compile it: only what is needed."""
        from sdlc_cli.plan.search import compiled, kernel, ready

        which = kernel(instance, objective, hint=hint is not None)
        if which in self.loaded:
            return
        self.loaded.add(which)
        if compiled(which):
            self.progress.begin(_("Loading the search"))
        else:
            self.out.note(_("compiling the search for this machine: this takes a while, once"))
            self.progress.begin(_("Compiling the search"))
        self.out.detail(_("search: {engine}").format(engine=ready(which)))
        self.startup = time.monotonic() - self.began

    def _compiled(self, project: "Project") -> "Instance":
        """The arrays of a project. Raises ConfigError, with what would help, where no plan can be.

        Nothing is searched yet: what no plan fulfils is refused at once.
        """
        from sdlc_cli.plan.compiling import compile_
        from sdlc_cli.plan.instance import PlanError

        if self.asked.exact:
            _needs_exact()
        try:
            return compile_(project)
        except PlanError as error:
            helps = self._helps(project, None)
            words = [f"--what-if '{one.changes[0].written}'" for one in helps]
            raise ConfigError(
                error.message, problems=error.problems, hint=" | ".join(words) or error.hint
            ) from None

    def _searched(
        self, project: "Project", hint: "Schedule | None", instance: "Instance"
    ) -> "Schedule":
        """The best plan found."""
        from sdlc_cli.plan.search import solve

        self.progress.begin(_("Planning"))
        plan = solve(
            project,
            objective=self._objective,
            effort=self.effort,
            exact=self.asked.exact,
            watch=self._watch(project),
            hint=hint,
            stability=self._stability(hint),
            instance=instance,
        )
        _kept(project, plan)
        return plan

    def _stability(self, hint: "Schedule | None") -> float:
        if hint is None:
            return 0.0
        return 1.0 if self.asked.stability is None else self.asked.stability

    def _helps(self, project: "Project", plan: "Schedule | None") -> "tuple[Relaxation, ...]":
        """The smallest changes that help, each planned with a part of the limits."""
        from sdlc_cli.plan.compiling import compile_
        from sdlc_cli.plan.relax import relaxations

        began = time.monotonic()
        tries = 0
        cut = False
        effort = self.effort
        part = replace(
            effort,
            seconds=None if effort.seconds is None else max(0.05, effort.seconds * _SHARE),
            schedules=None if effort.schedules is None else max(50, effort.schedules // 20),
        )

        def again(changed: "Project", objective: "Objective") -> "Schedule":
            nonlocal tries, began
            tries += 1
            arrays = compile_(changed)
            loading = time.monotonic()
            self._load(arrays, objective)
            began += time.monotonic() - loading
            from sdlc_cli.plan.search import solve

            self.progress.begin(_("Looking for what would help: plan {n}").format(n=tries))
            plan = solve(
                changed, objective=objective, effort=part, watch=self._going, instance=arrays
            )
            _kept(changed, plan)
            return plan

        def going() -> bool:
            nonlocal cut
            spent = time.monotonic() - began
            cut = cut or (effort.seconds is not None and spent > effort.seconds)
            return not cut and not self.stop.asked

        found = relaxations(project, plan, again, most=_TRIES, going=going)
        if cut:
            self.out.note(
                _("looking for what would help was cut short: a longer --time-limit finds more")
            )
        return found

    def _going(self, found: "Found") -> bool:
        return not self.stop.asked

    def _watch(self, project: "Project") -> "Watch":
        """Tells makespan, bound and gap on stderr; stops when asked to."""
        from sdlc_cli.plan.report.clock import Clock

        clock = Clock(project)
        words = _("Planning: {makespan}, no plan below {bound}, gap {gap} %")

        def watch(found: "Found") -> bool:
            gap = (found.makespan - found.bound) / found.makespan if found.makespan else 0.0
            self.progress.tell(
                words.format(
                    makespan=clock.elapsed(found.makespan),
                    bound=clock.elapsed(found.bound),
                    gap=f"{100 * gap:.1f}",
                )
            )
            return not self.stop.asked

        return watch


def _kept(project: "Project", plan: "Schedule") -> None:
    """Raise where a plan breaks a rule: what is wrong is told as our mistake, never as a plan."""
    from sdlc_cli.plan.check import MISSES, violations

    for broken in violations(project, plan):
        if plan.feasible or broken.kind not in MISSES:
            raise RuntimeError(f"the plan that was found is wrong: {broken.message}")
    if plan.makespan < plan.lower_bound:
        raise RuntimeError("the plan that was found is shorter than any can be")


def _needs_exact() -> None:
    from importlib.util import find_spec

    if find_spec("ortools") is None:
        raise WorkError(
            msg("--exact needs OR-Tools, which is not installed"),
            hint="pip install 'sdlc-cli[exact]'",
        )
