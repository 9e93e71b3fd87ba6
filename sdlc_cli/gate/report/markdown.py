"""GateReport -> Markdown, short enough for a comment on a pull request."""

from sdlc_cli.core.finding import Finding
from sdlc_cli.core.i18n import _, local, ngettext
from sdlc_cli.core.render import markdown, markdown_code, markdown_text
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.gate import summary, verdicts
from sdlc_cli.gate.model import GateReport

MOST_CHARACTERS = 65_536  # GitHub refuses a longer comment
MOST_FINDINGS = 100
MOST_FILES = 20
MOST_MESSAGE = 500

_MARK = {0: "✅", 1: "❌", 3: "⚠️", 4: "⚪"}
_ROOM_FOR_REST = 500  # for the sentence that says what was left out, and the closing tags


def render(report: GateReport, view: View = DEFAULT) -> str:
    """Verdict, gates, worst findings, skipped files; nothing in it can ping, link or nest."""
    del view
    head = _head(report) + _compared(report)
    text = head if len(head) < MOST_CHARACTERS // 2 else _clipped(head, MOST_CHARACTERS // 2)
    text += _skipped(report, MOST_CHARACTERS // 8)
    text += _findings(report, MOST_CHARACTERS - len(text) - _ROOM_FOR_REST)
    return text.rstrip("\n") + "\n"


def _head(report: GateReport) -> str:
    mark = _MARK.get(report.exit_code, _MARK[1])
    facts = [summary.judged_line(report), markdown_text(summary.generation_line(report))]
    lines = [
        f"## {mark} {summary.verdict(report)}: {summary.score_line(report)}",
        "",
        f"**{summary.passed_line(report)}**, {', '.join(facts)}, {summary.size_line(report)}",
        "",
    ]
    lines += [f"- {markdown_text(local(reason))}" for reason in report.reasons]
    lines += [""] if report.reasons else []
    table = markdown(summary.gates(report)) if report.results else ""
    return "\n".join(lines) + "\n" + table


def _compared(report: GateReport) -> str:
    title = verdicts.title(report)
    if not title:
        return ""
    rows = "".join(f"- {markdown_text(line)}\n" for line in verdicts.lines(report))
    return f"\n**{markdown_text(title)}**\n\n{rows}"


def _clipped(text: str, most: int) -> str:
    return text[: text.rfind("\n", 0, most) + 1]


def _findings(report: GateReport, room: int) -> str:
    pairs = summary.worst(report)
    if not pairs:
        return ""
    rows: list[str] = []
    for gate, finding in pairs[:MOST_FINDINGS]:
        row = _finding(gate, finding)
        if len(row) > room:
            break
        room -= len(row)
        rows.append(row)
    title = ngettext("{n} finding, worst first", "{n} findings, worst first", len(pairs))
    left_out = len(pairs) - len(rows)
    rest = ngettext("{n} more is not shown here.", "{n} more are not shown here.", left_out)
    more = f"\n{rest.format(n=f'{left_out:,}')}\n" if left_out else ""
    opened = " open" if report.exit_code == 1 else ""
    return (
        f"\n<details{opened}>\n<summary>{title.format(n=f'{len(pairs):,}')}</summary>\n\n"
        f"{''.join(rows)}{more}\n</details>\n"
    )


def _finding(gate: str, finding: Finding) -> str:
    message = local(finding.message)
    if len(message) > MOST_MESSAGE:
        message = f"{message[:MOST_MESSAGE]}…"
    return (
        f"- **{summary.severity_word(finding.severity)}** "
        f"{markdown_code(summary.place(finding.location))} {markdown_text(message)} "
        f"({markdown_text(gate)}, {markdown_code(finding.rule)})\n"
    )


def _skipped(report: GateReport, room: int) -> str:
    if not report.skipped_files:
        return ""
    total = len(report.skipped_files)
    title = ngettext("{n} file could not be judged", "{n} files could not be judged", total)
    rows = []
    for reason, paths in summary.skipped_by_reason(report):
        names = ", ".join(markdown_code(path) for path in paths[:MOST_FILES])
        more = len(paths) - MOST_FILES
        tail = " " + _("and {n} more").format(n=f"{more:,}") if more > 0 else ""
        rows.append(f"- {markdown_text(reason)}: {names}{tail}\n")
    body = _clipped("".join(rows), room)
    return f"\n<details>\n<summary>{title.format(n=f'{total:,}')}</summary>\n\n{body}\n</details>\n"
