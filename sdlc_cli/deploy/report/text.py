"""Verdict -> text for people at a terminal of any width."""

from collections.abc import Iterator

from sdlc_cli.core.columns import wrap
from sdlc_cli.core.finding import WORDS, Finding, Severity
from sdlc_cli.core.i18n import _, local, ngettext
from sdlc_cli.core.printable import one_line, visible
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.deploy.report import Verdict, words

MOST = 20  # findings, unless all are asked for
_MOST_FILES = 5
_RED, _GREEN, _BOLD, _DIM, _YELLOW, _CYAN = "31", "32", "1", "2", "33", "36"
_STYLES = {
    Severity.CRITICAL: f"{_BOLD};{_RED}",
    Severity.HIGH: _RED,
    Severity.MEDIUM: _YELLOW,
    Severity.LOW: _CYAN,
}


def render(verdict: Verdict, view: View = DEFAULT) -> str:
    """The verdict, what to fix first, and what nobody could judge."""
    return "\n".join(_lines(verdict, view)) + "\n"


def _lines(verdict: Verdict, view: View) -> Iterator[str]:
    style = f"{_BOLD};{_GREEN if verdict.passed else _RED}"
    for line in wrap(words.headline(verdict), view.width):
        yield _styled(line, style, view)
    yield from wrap(words.areas(verdict.checked.looked_at), view.width)
    findings = verdict.checked.findings
    listed = findings if view.verbose else findings[:MOST]
    for finding in listed:
        yield ""
        yield from _finding(finding, view)
    if len(listed) < len(findings):
        yield ""
        more = _("and {n} more").format(n=f"{len(findings) - len(listed):,}")
        yield from wrap(f"{more} (--verbose)", view.width)
    yield from _skipped(verdict, view)


def _finding(finding: Finding, view: View) -> Iterator[str]:
    severity = local(WORDS[finding.severity])
    head = f"{severity} {words.place(finding.location)} {visible(finding.rule)}"
    first, *rest = wrap(head, view.width, hang=2)
    yield first.replace(severity, _styled(severity, _STYLES[finding.severity], view), 1)
    yield from rest
    for text in (finding.message, finding.help):
        if text:
            yield from (f"  {line}" for line in wrap(one_line(local(text)), view.width - 2))


def _skipped(verdict: Verdict, view: View) -> Iterator[str]:
    skipped = verdict.checked.skipped
    if not skipped:
        return
    yield ""
    line = ngettext("{n} file could not be judged", "{n} files could not be judged", len(skipped))
    yield from wrap(line.format(n=f"{len(skipped):,}"), view.width)
    listed = skipped if view.verbose else skipped[:_MOST_FILES]
    for one in listed:
        yield from wrap(f"- {visible(one.path)}: {one_line(local(one.reason))}", view.width, hang=2)
    if len(listed) < len(skipped):
        yield _("and {n} more").format(n=f"{len(skipped) - len(listed):,}")


def _styled(text: str, style: str, view: View) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if view.color else text
