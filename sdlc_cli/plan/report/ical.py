"""Sheet -> iCalendar (RFC 5545): one event a task, for the calendars that teams look at."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

from sdlc_cli import __version__
from sdlc_cli.core.i18n import _, local
from sdlc_cli.core.printable import encodable, visible
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.plan.explain import Explainer
from sdlc_cli.plan.report import Sheet, summary, tables
from sdlc_cli.plan.report.clock import Clock

_WIDEST = 75  # octets of a line, its end not counted; RFC 5545 section 3.1


def render(sheet: Sheet, view: View = DEFAULT) -> str:
    """Times in UTC; lines end in CRLF, as the standard asks. The uids stay from plan to plan."""
    del view
    return "".join(f"{folded(line)}\r\n" for line in _lines(sheet))


def _lines(sheet: Sheet) -> Iterator[str]:
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield f"PRODID:-//sdlc//sdlc plan {__version__}//EN"
    yield "CALSCALE:GREGORIAN"
    if sheet.project.name:
        yield f"X-WR-CALNAME:{escaped(sheet.project.name)}"
    explainer, clock = Explainer(sheet.network), Clock(sheet.project)
    for i in range(len(sheet.project.tasks)):
        yield from _event(sheet, i, local(summary.step(explainer.reason(i), clock)))
    yield "END:VCALENDAR"


def _event(sheet: Sheet, i: int, why: str) -> Iterator[str]:
    project = sheet.project
    task, placed = project.tasks[i], sheet.schedule.placements[i]
    who = summary.people(placed, project)
    yield "BEGIN:VEVENT"
    yield f"UID:{_uid(project.name or project.source, task.id)}"
    yield f"DTSTAMP:{_time(sheet.made)}"
    yield f"DTSTART:{_time(project.at(placed.start))}"
    yield f"DTEND:{_time(project.at(placed.finish))}"
    name = task.name or task.id
    title = f"{name} ({', '.join(who)})" if who else name
    yield f"SUMMARY:{escaped(title)}"
    yield f"DESCRIPTION:{escaped(_about(sheet, i, why))}"
    if tables.is_critical(sheet, i):
        yield f"CATEGORIES:{escaped(_('critical'))}"
    yield "TRANSP:OPAQUE" if who else "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _about(sheet: Sheet, i: int, why: str) -> str:
    project = sheet.project
    task, placed = project.tasks[i], sheet.schedule.placements[i]
    lines = [task.id, _("Starts then because: {why}").format(why=why)]
    if mode := summary.mode(placed, task):
        lines.append(f"{_('Mode')}: {mode}")
    if needs := summary.others(placed, project):
        lines.append(f"{_('Needs')}: {', '.join(needs)}")
    return "\n".join(visible(line) for line in lines)


def _uid(project: str, task: str) -> str:
    text = f"{encodable(project)}\0{encodable(task)}"
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]}@sdlc"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(text: str) -> str:
    """`text` as a TEXT value: section 3.3.11."""
    clean = "\n".join(visible(line) for line in text.split("\n"))
    for letter in "\\;,":
        clean = clean.replace(letter, f"\\{letter}")
    return clean.replace("\n", "\\n")


def folded(line: str) -> str:
    """`line` in pieces of at most 75 octets, never within a letter."""
    pieces: list[str] = []
    piece, used = "", 0
    for letter in line:
        size = len(letter.encode())
        if used + size > _WIDEST:
            pieces.append(piece)
            piece, used = " ", 1
        piece += letter
        used += size
    return "\r\n".join([*pieces, piece])
