"""Sentences about a plan that several formats share."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from sdlc_cli.core import money
from sdlc_cli.core.i18n import Message, _, local, msg, ngettext
from sdlc_cli.core.printable import one_line
from sdlc_cli.plan.explain import Step
from sdlc_cli.plan.model import Placement, Project, Task
from sdlc_cli.plan.report import Sheet
from sdlc_cli.plan.report.clock import Clock
from sdlc_cli.plan.verdict import Miss, penalties

SLOTS_KINDS = ("deadline", "project deadline", "late")


def usd(amount: Decimal) -> str:
    """Dollars for people, without a sign."""
    return money.shown(money.pico(amount))


def usd_text(amount: Decimal) -> str:
    """Dollars for machines."""
    return money.text(money.pico(amount)) or ""


def share(value: float, decimals: int = 1) -> str:
    """A share as a percentage for people."""
    return f"{100 * value:.{decimals}f} %"


def name(task: Task) -> str:
    """The id, and the name where it says more."""
    if not task.name or task.name == task.id:
        return one_line(task.id)
    return one_line(f"{task.id} {task.name}")


def headline(sheet: Sheet) -> str:
    """When it is done, how long that is, and whether anything is missed."""
    clock, plan = Clock(sheet.project), sheet.schedule
    values = {"moment": clock.moment(plan.makespan), "length": clock.elapsed(plan.makespan)}
    if sheet.checked:
        found = _("Passed. {text}") if sheet.passed else _("Failed. {text}")
        return found.format(text=headline(replace(sheet, checked=False)))
    if not clock.dated:
        if sheet.passed:
            return _("Done after {length}").format(**values)
        return _("Done after {length}, and misses a limit").format(**values)
    if sheet.passed:
        return _("Done {moment}, {length} after the start").format(**values)
    return _("Done {moment}, {length} after the start, and misses a limit").format(**values)


def bound_line(sheet: Sheet) -> str:
    """How close to the best possible the plan is known to be."""
    plan, clock = sheet.schedule, Clock(sheet.project)
    if plan.proved_optimal and plan.objective != "makespan":
        return _("Proved: no plan is better by {objective}").format(
            objective=objective(plan.objective)
        )
    if plan.proved_optimal or plan.gap <= 0:
        return _("Proved: no plan is shorter")
    if not plan.lower_bound:
        return _("How short a plan can be is not known")
    above = -(-1000 * (plan.makespan - plan.lower_bound) // plan.lower_bound) / 1000  # at most
    return _("No plan is shorter than {bound}: at most {gap} above the shortest").format(
        bound=clock.elapsed(plan.lower_bound), gap=share(above)
    )


def objective(word: str) -> str:
    """The objective's name for people."""
    names = {
        "makespan": _("makespan"),
        "tardiness": _("tardiness"),
        "cost": _("cost"),
        "quality": _("quality"),
        "balanced": _("balance"),
    }
    return names[word]


def facts(sheet: Sheet) -> list[str]:
    """Cost against the budget, quality, tasks, who and what does them."""
    plan, project = sheet.schedule, sheet.project
    found = [text] if (text := _money(sheet)) else []
    if plan.quality:
        found.append(_("quality {n}").format(n=f"{plan.quality:,.10g}"))
    n = len(project.tasks)
    found.append(ngettext("{n} task", "{n} tasks", n).format(n=f"{n:,}"))
    people = sum(resource.person for resource in project.resources)
    others = len(project.resources) - people
    if people:
        found.append(ngettext("{n} person", "{n} people", people).format(n=f"{people:,}"))
    if others:
        found.append(ngettext("{n} resource", "{n} resources", others).format(n=f"{others:,}"))
    return found


def _money(sheet: Sheet) -> str:
    """The cost: what the budget is held against, and what being late costs."""
    plan, project = sheet.schedule, sheet.project
    late = penalties(project, plan)
    words = {"all": usd(plan.cost_usd), "cost": usd(plan.cost_usd - late), "late": usd(late)}
    if project.budget_usd is None:
        if late:
            return _("${all}, ${late} of it for being late").format(**words)
        return f"${words['all']}" if plan.cost_usd else ""
    words["budget"] = usd(project.budget_usd)
    if late:
        return _("${all}: ${cost} of ${budget}, and ${late} for being late").format(**words)
    return _("${cost} of ${budget}").format(**words)


def search_line(sheet: Sheet) -> str:
    """What was searched, how long, and with what."""
    plan = sheet.schedule
    return ngettext(
        "{n} schedule in {seconds} s ({engine}) after {startup} s of start-up, by {objective},"
        " seed {seed}",
        "{n} schedules in {seconds} s ({engine}) after {startup} s of start-up, by {objective},"
        " seed {seed}",
        plan.schedules_evaluated,
    ).format(
        n=f"{plan.schedules_evaluated:,}",
        seconds=f"{plan.search_seconds:.2f}",
        engine=plan.engine or "-",
        startup=f"{sheet.startup_seconds:.2f}",
        objective=objective(plan.objective),
        seed=plan.seed,
    )


def miss(one: Miss, project: Project) -> Message:
    """What is missed, by how much."""
    clock = Clock(project)
    if one.kind in SLOTS_KINDS:
        words = {
            "name": one_line(one.name),
            "by": clock.elapsed(int(one.by)),
            "limit": clock.moment(int(one.limit)),
            "got": clock.moment(int(one.got)),
        }
        if one.kind == "project deadline":
            return msg("The project misses its deadline {limit} by {by}: done {got}", **words)
        if one.kind == "late":
            return msg("{name} is {by} late: done {got}, wanted by {limit}", **words)
        return msg("{name} misses its deadline {limit} by {by}: done {got}", **words)
    if one.kind == "budget":
        return msg(
            "The budget of ${limit} is exceeded by ${by}: the plan costs ${got}",
            limit=usd(one.limit),
            by=usd(one.by),
            got=usd(one.got),
        )
    return msg(
        "{name}: {got} are used up, {by} more than there are",
        name=one_line(one.name),
        got=f"{one.got:,}",
        by=f"{one.by:,}",
    )


def unkept(sheet: Sheet) -> str:
    """What a plan misses that was not to be checked: the worst of it, and how CI would know."""
    first, *others = [one for one in sheet.misses if one.fails]
    worst = local(miss(first, sheet.project))
    if not others:
        return _("{miss} (--check makes this exit code 1)").format(miss=worst)
    n = len(others)
    return ngettext(
        "{miss}, and {n} limit more is missed (--check makes this exit code 1)",
        "{miss}, and {n} limits more are missed (--check makes this exit code 1)",
        n,
    ).format(miss=worst, n=f"{n:,}")


def people(placed: Placement, project: Project) -> tuple[str, ...]:
    """Who does it, by name."""
    known = {r.id: r for r in project.resources if r.person}
    return tuple(
        one_line(known[one].name or one) for one, _amount in placed.resources if one in known
    )


def others(placed: Placement, project: Project) -> tuple[str, ...]:
    """What else it holds, with how much of it."""
    known = {r.id: r for r in project.resources if r.person}
    return tuple(
        one_line(one if amount == 1 else f"{one} ×{amount:,}")
        for one, amount in placed.resources
        if one not in known
    )


def mode(placed: Placement, task: Task) -> str:
    """The mode's id, where there are several."""
    if len(task.modes) == 1:
        return ""
    return one_line(task.modes[placed.mode].id or str(placed.mode + 1))


def step(one: Step, clock: Clock) -> Message:
    """Why a task starts when it does."""
    words: dict[str, object] = {
        "of": one_line(one.of),
        "resource": one_line(one.resource),
        "ready": clock.short(one.ready),
        "start": clock.short(one.start),
    }
    if one.because == "resource":
        words["until"] = clock.short(one.until)
        if one.others:
            words["others"] = _named(one.others)
            return msg(
                "{resource} is taken by {of} until {until}, and by {others}; all else was ready"
                " {ready}",
                **words,
            )
        return msg("{resource} is taken by {of} until {until}; all else was ready {ready}", **words)
    if one.because == "link":
        return _link(one, words, clock)
    text = {
        "start": msg("the project starts then"),
        "now": msg("nothing that is not begun may start before {start}", start=words["ready"]),
        "release": msg("it may not start before {ready}", ready=words["ready"]),
        "fact": msg("it began then"),
        "calendar": msg("there is no working time before"),
        "together": msg("it starts together with {of}", of=words["of"]),
        "choice": msg("nothing holds it: it could start {ready}", ready=words["ready"]),
    }[one.because]
    if one.because in ("now", "release") and one.closed:
        return msg(
            "{why}, and there is no working time until {start}", why=text, start=words["start"]
        )
    return text


def _link(one: Step, words: dict[str, object], clock: Clock) -> Message:
    texts = {
        "FS": msg("{of} has to be finished first", **words),
        "SS": msg("{of} has to have started", **words),
        "FF": msg("it may not finish before {of} does", **words),
        "SF": msg("it may not finish before {of} has started", **words),
    }
    text = texts[one.kind]
    if one.lag > 0:
        text = msg("{why}, and {lag} have to pass", why=text, lag=clock.elapsed(one.lag))
    elif one.lag < 0:
        text = msg("{why}, less a lead of {lag}", why=text, lag=clock.elapsed(-one.lag))
    if one.closed:
        return msg(
            "{why}; there is no working time from {ready} to {start}",
            why=text,
            ready=words["ready"],
            start=words["start"],
        )
    return text


def _named(names: Iterable[str], most: int = 3) -> str:
    listed = [one_line(one) for one in names]
    more = len(listed) - most
    return ", ".join(listed[:most]) + (f" (+{more})" if more > 0 else "")


def notes(sheet: Sheet) -> list[str]:
    """What is missed, worst first, in the reader's language."""
    return [local(miss(one, sheet.project)) for one in sheet.misses]
