"""Sheet -> tables: the tasks of a plan, the points of a front, and other answers."""

from decimal import Decimal

from sdlc_cli.core.i18n import _
from sdlc_cli.core.printable import one_line, visible
from sdlc_cli.core.table import Cell, Column, Table
from sdlc_cli.plan.model import Front, Placement, Project, Resource, Task
from sdlc_cli.plan.rates import hourly
from sdlc_cli.plan.report import Sheet, summary
from sdlc_cli.plan.report.clock import Clock
from sdlc_cli.plan.worktime import by_name


def order(sheet: Sheet) -> list[int]:
    """The places of the tasks as people read them: by start, then finish, then the file."""
    placed = sheet.schedule.placements
    return sorted(range(len(placed)), key=lambda i: (placed[i].start, placed[i].finish, i))


def tasks(sheet: Sheet, most: int | None = None) -> Table:
    """One row a task for people, the first `most` of them; what is always empty is left out."""
    clock, project = Clock(sheet.project), sheet.project
    columns = (
        Column(key="task", title=_("Task")),
        Column(key="start", title=_("Start")),
        Column(key="finish", title=_("Finish")),
        Column(key="people", title=_("Who")),
        Column(key="mode", title=_("Mode")),
        Column(key="resources", title=_("Needs")),
        Column(key="slack", title=_("Slack"), kind="number"),
        Column(key="note", title=_("Note")),
    )
    rows: list[tuple[Cell, ...]] = []
    for i in order(sheet)[:most]:
        task, placed = project.tasks[i], sheet.schedule.placements[i]
        rows.append(
            (
                summary.name(task),
                clock.moment(placed.start),
                clock.moment(placed.finish),
                ", ".join(summary.people(placed, project)),
                summary.mode(placed, task),
                ", ".join(summary.others(placed, project)),
                slack_text(sheet, i, clock),
                note(task, placed, clock),
            )
        )
    table = Table(columns=columns, rows=tuple(rows))
    empty = {
        column.key
        for k, column in enumerate(columns)
        if k > 2 and not any(row[k] for row in table.rows)
    }
    return table.without(empty)


def resource_name(resource: Resource) -> str:
    """The name of a person; of another resource its id and how many there are."""
    name = one_line(resource.name or resource.id)
    return name if resource.capacity == 1 else f"{name} ({resource.capacity:,})"


def slack_text(sheet: Sheet, i: int, clock: Clock) -> str:
    """How much later the task could start; a word where it could not."""
    slack = sheet.slack[i]
    if slack is None:
        return ""
    return clock.worked(slack) if slack > 0 else _("critical")


def note(task: Task, placed: Placement, clock: Clock) -> str:
    """Its status, and by how much it is late."""
    words: list[str] = []
    if task.status == "done":
        words.append(_("done"))
    elif task.status == "running":
        words.append(_("running"))
    if task.deadline is not None and placed.finish > task.deadline:
        words.append(_("{by} late").format(by=clock.elapsed(placed.finish - task.deadline)))
    return ", ".join(words)


def machine(sheet: Sheet) -> Table:
    """One row a task for machines, in the project's order."""
    clock, project = Clock(sheet.project), sheet.project
    keys = (
        "id", "name", "start", "finish", "start_time", "finish_time", "mode", "people",
        "resources", "status", "slack", "critical", "deadline_time", "cost_usd", "quality",
    )  # fmt: skip
    numbers = {"start", "finish", "slack", "cost_usd", "quality"}
    columns = tuple(
        Column(key=key, title=key, kind="number" if key in numbers else "text") for key in keys
    )
    known = {r.id for r in project.resources if r.person}
    rows: list[tuple[Cell, ...]] = []
    for i, (task, placed) in enumerate(zip(project.tasks, sheet.schedule.placements, strict=True)):
        held = [(visible(one), amount) for one, amount in placed.resources]
        mode = task.modes[placed.mode]
        rows.append(
            (
                visible(task.id),
                visible(task.name),
                placed.start,
                placed.finish,
                clock.utc(placed.start),
                clock.utc(placed.finish),
                visible(mode.id),
                ";".join(one for one, _amount in held if one in known),
                ";".join(f"{one}={amount}" for one, amount in held if one not in known),
                task.status,
                sheet.slack[i],
                is_critical(sheet, i),
                None if task.deadline is None else clock.utc(task.deadline),
                Decimal(summary.usd_text(cost(sheet, i))),
                mode.quality,
            )
        )
    return Table(columns=columns, rows=tuple(rows))


def is_critical(sheet: Sheet, i: int) -> bool:
    """Whether the project ends later when this task starts a slot later."""
    slack = sheet.slack[i]
    return slack is not None and slack <= 0


def cost(sheet: Sheet, i: int) -> Decimal:
    """What a task costs as it is planned: its mode, and the hours of what it holds."""
    task, placed = sheet.project.tasks[i], sheet.schedule.placements[i]
    hours = Decimal(sheet.network.duration[i] * sheet.project.unit_seconds) / 3600
    return task.modes[placed.mode].cost_usd + hours * hourly(placed, by_name(sheet.project))


def front(found: Front, project: Project) -> Table:
    """One row for each plan of the front."""
    clock = Clock(project)
    columns = (
        Column(key="plan", title=_("Plan"), kind="number"),
        Column(key="finish", title=_("Done")),
        Column(key="makespan", title=_("Length")),
        Column(key="cost_usd", title=_("Cost $"), kind="number", decimals=2),
        Column(key="quality", title=_("Quality"), kind="number"),
        Column(key="note", title=_("Note")),
    )
    rows = tuple(
        (
            number,
            clock.moment(plan.makespan),
            clock.elapsed(plan.makespan),
            plan.cost_usd,
            plan.quality,
            "" if plan.feasible else _("misses a limit"),
        )
        for number, plan in enumerate(found.schedules, 1)
    )
    table = Table(columns=columns, rows=rows)
    gone = set() if any(row[5] for row in rows) else {"note"}
    if not any(plan.quality for plan in found.schedules):
        gone.add("quality")
    return table.without(gone)
