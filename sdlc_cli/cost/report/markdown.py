"""CostReport -> Markdown for a pull request or a wiki."""

from sdlc_cli.core.i18n import _
from sdlc_cli.core.render import markdown, markdown_text
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.cost.report import Sheet, summary, tables

MOST_GROUPS = 500  # GitHub refuses comments of more than 65,536 letters


def render(sheet: Sheet, view: View = DEFAULT) -> str:
    """The headline, what the total does not hold, the groups, the unpriced models."""
    del view
    report = sheet.report
    lines = [f"**{markdown_text(summary.headline(report))}**", ""]
    points = [summary.coverage_line(report), *summary.warnings(report), *summary.notes(sheet)]
    lines += [f"- {markdown_text(point)}" for point in points]
    text = (
        "\n".join(lines) + "\n\n" + markdown(tables.groups(report, people=True, most=MOST_GROUPS))
    )
    if len(report.groups) > MOST_GROUPS:
        rest = _("and {n} more").format(n=f"{len(report.groups) - MOST_GROUPS:,}")
        text += f"\n{markdown_text(rest)}\n"
    return text
