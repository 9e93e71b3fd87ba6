"""The answers that stand below a plan: why, which others, how sure, what changed, what helps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sdlc_cli.core.i18n import _, local, msg, ngettext
from sdlc_cli.core.printable import one_line
from sdlc_cli.core.table import Column, Table
from sdlc_cli.plan import whatif
from sdlc_cli.plan.difference import Change, Difference
from sdlc_cli.plan.relax import Relaxation
from sdlc_cli.plan.report import Sheet, summary, tables
from sdlc_cli.plan.report.clock import Clock
from sdlc_cli.plan.risk import Risk
from sdlc_cli.plan.worktime import Worktimes, by_name

MOST_ROWS = 20  # of a table of tasks, among the answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An answer: a title, sentences, a table."""

    key: str
    title: str
    lines: tuple[str, ...] = ()
    table: Table | None = None


def parts(sheet: Sheet) -> Iterator[Part]:
    """All answers that were asked for, in the order in which people read them."""
    if sheet.relaxations:
        yield _relaxed(sheet)
    if sheet.what_if is not None:
        changes = ", ".join(one_line(one.written) for one in sheet.what_if.changes)
        title = _("What if: {changes}").format(changes=changes)
        yield _compared(sheet, sheet.what_if.difference, "what-if", title)
    if sheet.difference is not None:
        yield _compared(sheet, sheet.difference, "difference", _("Against the other plan"))
    if sheet.explained:
        yield _explained(sheet)
    if sheet.front is not None:
        found = tables.front(sheet.front, sheet.project)
        line = (
            _("Every plan of the true front is here.")
            if sheet.front.complete
            else _("There may be more, and better ones.")
        )
        title = _("Plans of which none is better in all")
        yield Part(key="front", title=title, lines=(line,), table=found)
    if sheet.risk is not None:
        yield _risked(sheet, sheet.risk)


def _relaxed(sheet: Sheet) -> Part:
    lines = tuple(relaxation(one, sheet) for one in sheet.relaxations)
    return Part(key="relaxations", title=_("What would help, each by itself"), lines=lines)


def relaxation(one: Relaxation, sheet: Sheet) -> str:
    """What to change, and what comes of it."""
    clock = Clock(sheet.project)
    return _("{changes}: done {moment}, ${cost}").format(
        changes=_(" and ").join(changed(change, clock) for change in one.changes),
        moment=clock.moment(one.schedule.makespan),
        cost=summary.usd(one.schedule.cost_usd),
    )


def changed(one: whatif.Change, clock: Clock) -> str:
    """A change in words: `+1 dev`, `+6 h on the deadline`, `+6 h for review`, `+$12.00`."""
    amount = one.amount
    if one.kind == "budget":
        return f"{one.sign}${summary.usd(amount)}"
    if one.kind == "deadline":
        return _("{amount} on the deadline").format(
            amount=f"{one.sign}{clock.elapsed(int(amount))}"
        )
    if one.kind == "task deadline":
        return _("{amount} for {task}").format(
            amount=f"{one.sign}{clock.elapsed(int(amount))}", task=one_line(one.name)
        )
    if one.kind in ("drop", "duration") or one.sign == "=":
        return one_line(one.written)
    return f"{one.sign}{amount:,} {one_line(one.name)}"


def _explained(sheet: Sheet) -> Part:
    clock = Clock(sheet.project)
    known = sheet.project.by_id
    columns = (
        Column(key="task", title=_("Task")),
        Column(key="start", title=_("Start")),
        Column(key="because", title=_("Because")),
    )
    rows = tuple(
        (
            one_line(step.task),
            clock.short(step.start),
            local(summary.step(step, clock)),
        )
        for step in sheet.explained
    )
    title = _("Why {task} starts {moment}").format(
        task=summary.name(known[sheet.explained[0].task]),
        moment=clock.moment(sheet.explained[0].start),
    )
    return Part(key="explanation", title=title, table=Table(columns=columns, rows=rows))


def _risked(sheet: Sheet, risk: Risk) -> Part:
    clock = Clock(sheet.project)
    lines = [
        _("{level} % of {samples} samples are done by {moment} and cost at most ${cost}").format(
            level=level,
            samples=f"{risk.samples:,}",
            moment=clock.moment(finish),
            cost=summary.usd(dict(risk.cost_usd)[level]),
        )
        for level, finish in risk.finish
    ]
    lines.append(_("{share} are done when the plan says").format(share=summary.share(risk.planned)))
    if risk.on_time is not None:
        lines.append(_("{share} keep the deadlines").format(share=summary.share(risk.on_time)))
    if risk.in_budget is not None:
        lines.append(_("{share} keep the budget").format(share=summary.share(risk.in_budget)))
    if not risk.uncertain:
        lines.append(_("No task has p10 and p90: nothing varies"))
    columns = (
        Column(key="task", title=_("Task")),
        Column(key="share", title=_("Share of the spread")),
        Column(key="critical", title=_("Critical in")),
    )
    rows = tuple(
        (one_line(d.task), summary.share(d.share), summary.share(d.critical))
        for d in risk.drivers[:MOST_ROWS]
        if d.share > 0
    )
    return Part(
        key="risk",
        title=_("How sure that is"),
        lines=tuple(lines),
        table=Table(title=_("What drives the finish"), columns=columns, rows=rows),
    )


def _compared(sheet: Sheet, found: Difference, key: str, title: str) -> Part:
    return Part(
        key=key, title=title, lines=tuple(_totals(sheet, found)), table=_changes(sheet, found)
    )


def _totals(sheet: Sheet, found: Difference) -> Iterator[str]:
    clock, old, new = Clock(sheet.project), found.old, found.new
    moved = new.makespan - old.makespan
    moments = {
        "new": clock.moment(new.makespan),
        "old": clock.moment(old.makespan),
        "by": clock.elapsed(abs(moved)),
    }
    if moved > 0:
        yield _("Done {new}, {by} later than {old}").format(**moments)
    elif moved < 0:
        yield _("Done {new}, {by} earlier than {old}").format(**moments)
    else:
        yield _("Done {new}, as before").format(**moments)
    if new.cost_usd != old.cost_usd:
        yield _("${new}, before ${old}").format(
            new=summary.usd(new.cost_usd), old=summary.usd(old.cost_usd)
        )
    if abs(new.quality - old.quality) > 1e-9:
        yield _("quality {new}, before {old}").format(
            new=f"{new.quality:,.10g}", old=f"{old.quality:,.10g}"
        )
    if new.feasible != old.feasible:
        yield _("keeps every limit now") if new.feasible else _("misses a limit now")
    yield ngettext(
        "{n} task is as before, {changed} changed",
        "{n} tasks are as before, {changed} changed",
        found.same,
    ).format(n=f"{found.same:,}", changed=f"{len(found.changed):,}")
    for template, names in (
        (_("new: {names}"), found.added),
        (_("gone: {names}"), found.removed),
    ):
        if names:
            yield template.format(names=", ".join(map(one_line, names[:MOST_ROWS])))


def _changes(sheet: Sheet, found: Difference) -> Table:
    clock = Clock(sheet.project)
    longer = _longer(sheet, found)
    columns = (
        Column(key="task", title=_("Task")),
        Column(key="start", title=_("Start")),
        Column(key="moved", title=_("Moved"), kind="number"),
        Column(key="note", title=_("Note")),
    )
    rows = tuple(
        (
            one_line(c.task),
            clock.short(c.start[1]),
            f"+{clock.elapsed(c.moved)}" if c.moved > 0 else clock.elapsed(c.moved),
            ", ".join(map(local, _notes(c, clock, longer(c.task)))),
        )
        for c in found.changed[:MOST_ROWS]
    )
    more = len(found.changed) - len(rows)
    title = _("and {n} more").format(n=f"{more:,}") if more > 0 else ""
    return Table(title=title, columns=columns, rows=rows)


def _longer(sheet: Sheet, found: Difference) -> Callable[[str], int]:
    """By how many working slots a task takes longer; 0 where the calendars of then are gone."""
    times = Worktimes(sheet.project, max(found.old.makespan, found.new.makespan) + 1)
    known = by_name(sheet.project)

    def longer(task: str) -> int:
        old, new = found.old.tasks[task], found.new.tasks[task]
        if old.start < 0 or any(name not in known for name, _amount in old.resources):
            return 0
        before, after = (times.of(one).count(one.start, one.finish) for one in (old, new))
        return after - before

    return longer


def _notes(change: Change, clock: Clock, longer: int) -> Iterator[str]:
    if change.lost or change.gained:
        yield msg(
            "{new} for {old}",
            new=one_line(", ".join(change.gained)) or "-",
            old=one_line(", ".join(change.lost)) or "-",
        )
    if change.mode[0] != change.mode[1]:
        yield msg(
            "mode {new}, was {old}",
            new=one_line(change.mode[1]) or "-",
            old=one_line(change.mode[0]) or "-",
        )
    if longer:
        yield (
            msg("{by} more work", by=clock.worked(longer))
            if longer > 0
            else msg("{by} less work", by=clock.worked(-longer))
        )
