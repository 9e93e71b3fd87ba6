"""Verdict -> Markdown, short enough for a comment on a pull request."""

from sdlc_cli.core.finding import WORDS, Finding
from sdlc_cli.core.i18n import _, local, ngettext
from sdlc_cli.core.render import markdown_code, markdown_text
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.deploy.report import Verdict, words

MOST_CHARACTERS = 60_000  # GitHub refuses a comment of more than 65,536
_MOST_FILES = 20
_MOST_MESSAGE = 500


def render(verdict: Verdict, view: View = DEFAULT) -> str:
    """Verdict, findings, skipped files; nothing in it can ping, link or nest."""
    del view
    mark = "✅" if verdict.passed else "❌"
    text = f"## {mark} {markdown_text(words.headline(verdict))}\n"
    text += f"\n{markdown_text(words.areas(verdict.checked.looked_at))}\n"
    rows = [_row(finding) for finding in verdict.checked.findings]
    shown = 0
    for row in rows:
        if len(text) + len(row) > MOST_CHARACTERS:
            break
        text += row if shown else f"\n{row}"
        shown += 1
    if shown < len(rows):
        text += "\n" + _("and {n} more").format(n=f"{len(rows) - shown:,}") + "\n"
    return text + _skipped(verdict)


def _row(finding: Finding) -> str:
    message = local(finding.message)
    if len(message) > _MOST_MESSAGE:
        message = f"{message[:_MOST_MESSAGE]}…"
    return (
        f"- **{local(WORDS[finding.severity])}** {markdown_code(words.place(finding.location))} "
        f"{markdown_text(message)} ({markdown_code(finding.rule)})\n"
    )


def _skipped(verdict: Verdict) -> str:
    skipped = verdict.checked.skipped
    if not skipped:
        return ""
    line = ngettext("{n} file could not be judged", "{n} files could not be judged", len(skipped))
    rows = [
        f"- {markdown_code(one.path[:200])} {markdown_text(local(one.reason)[:200])}\n"
        for one in skipped[:_MOST_FILES]
    ]
    return f"\n{line.format(n=f'{len(skipped):,}')}\n\n{''.join(rows)}"
