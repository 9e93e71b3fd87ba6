"""Where the points went and what to mend, and what a rule means: for people and as JSON."""

import json
from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from sdlc_cli.core.i18n import _, local, ngettext
from sdlc_cli.core.printable import one_line, visible
from sdlc_cli.core.table import Column, Table
from sdlc_cli.core.terminal import grid, paint
from sdlc_cli.core.view import View
from sdlc_cli.gate import summary
from sdlc_cli.gate.explain import Explanation, Fix
from sdlc_cli.gate.formula import points
from sdlc_cli.gate.model import SCHEMA_VERSION, GateReport
from sdlc_cli.gate.rules import Rule

MOST_FIXES = 20  # shown to people; JSON has all


def render(report: GateReport, explained: Explanation, form: str, view: View) -> str:
    """The explanation of a run as `text` or `json`."""
    if form == "json":
        return _json(report, explained)
    parts = _parts(report, explained, view)
    return paint(parts, width=view.width, color=view.color, encoding=view.encoding)


def rule(found: Rule, form: str, view: View) -> str:
    """What a rule means, as `text` or `json`."""
    if form == "json":
        keys = ("id", "gate", "title", "why", "fix", "url")
        body = {"schema_version": SCHEMA_VERSION, **{key: str(getattr(found, key)) for key in keys}}
        return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
    parts = [Text(f"{found.id}: {local(found.title)}", style="bold")]
    parts += [Text(_("Gate: {gate}").format(gate=found.gate)), Text()]
    if found.why:
        parts += [Text(local(found.why)), Text()]
    if found.fix:
        parts += [Text(_("What to do"), style="bold"), Text(local(found.fix))]
    if found.url:
        parts += [Text(), Text(found.url)]
    return paint(parts, width=view.width, color=view.color, encoding=view.encoding)


def _parts(report: GateReport, explained: Explanation, view: View) -> Iterator[RenderableType]:
    line = f"{summary.verdict(report)}: {summary.score_line(report)}"
    yield Text(line, style="bold green" if report.passed else "bold red")
    yield Text()
    yield Text(_("Points lost, dearest gate first"), style="bold")
    yield grid(_losses(explained), encoding=view.encoding)
    if report.passed:
        return
    yield Text()
    yield Text(_title(explained), style="bold")
    width = max((len(_place(fix)) for fix in explained.fixes[:MOST_FIXES]), default=0)
    for number, fix in enumerate(explained.fixes[:MOST_FIXES], 1):
        yield _fix(number, fix, min(width, view.width // 3))
    left = len(explained.fixes) - MOST_FIXES
    if left > 0:
        more = ngettext("and {n} more: --format json", "and {n} more: --format json", left)
        yield Text(more.format(n=left), style="dim")
    for obstacle in explained.obstacles:
        yield Text(f"- {one_line(local(obstacle))}")


def _title(explained: Explanation) -> str:
    if explained.passes:
        return ngettext(
            "The {n} fix that would pass", "The {n} fixes that would pass", len(explained.fixes)
        ).format(n=len(explained.fixes))
    if explained.fixes:
        return _("These fixes help, and do not suffice")
    return _("No fix of a finding would make it pass")


def _fix(number: int, fix: Fix, width: int) -> Text:
    text = Text(f"{number:>3}. ")
    text.append(_place(fix).ljust(width), style="cyan")
    text.append(f"  {fix.rule}: {one_line(local(fix.what))}")
    text.append(" -> " + _("score {score}").format(score=points(fix.score)), style="dim")
    return text


def _place(fix: Fix) -> str:
    if not fix.path:
        return fix.gate
    return f"{visible(fix.path)}:{fix.line}" if fix.line else visible(fix.path)


def _losses(explained: Explanation) -> Table:
    return Table(
        columns=(
            Column(key="gate", title=_("Gate")),
            Column(key="score", title=_("Score"), kind="number"),
            Column(key="weight", title=_("Weight"), kind="number"),
            Column(key="points", title=_("Points lost"), kind="number", decimals=1),
        ),
        rows=tuple(
            (loss.gate, points(loss.score), f"{loss.weight:g}", loss.points)
            for loss in explained.losses
        ),
    )


def _json(report: GateReport, explained: Explanation) -> str:
    body = {
        "schema_version": SCHEMA_VERSION,
        "passed": report.passed,
        "exit_code": report.exit_code,
        "score": report.score,
        "threshold": report.threshold,
        "generation": report.generation,
        "would_pass": explained.passes,
        "obstacles": [str(obstacle) for obstacle in explained.obstacles],
        "losses": [
            {
                "gate": loss.gate,
                "score": loss.score,
                "weight": loss.weight,
                "points": loss.points,
            }
            for loss in explained.losses
        ],
        "fixes": [
            {
                "gate": fix.gate,
                "rule": fix.rule,
                "severity": fix.severity,
                "path": visible(fix.path),
                "line": fix.line,
                "message": str(fix.what),
                "score": fix.score,
            }
            for fix in explained.fixes
        ],
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
