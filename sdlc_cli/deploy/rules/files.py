"""Rules on files as such: what a tool will refuse, or read otherwise than it looks."""

from collections.abc import Iterator

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules.parsed import Parsed
from sdlc_cli.deploy.rules.rule import Hit, Rule


def _unreadable(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.problems:
        if not one.duplicate:
            yield Hit(one.path, one.line, one.path.rpartition("/")[2], one.what)


def _duplicate(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.problems:
        if one.duplicate:
            yield Hit(one.path, one.line, one.path.rpartition("/")[2], one.what)


RULES = (
    Rule(
        id="file-unreadable",
        severity=Severity.HIGH,
        title=msg("the file cannot be parsed"),
        why=msg("The tool that it is for will refuse it, or reads something else than it says."
                " No other rule could look at it."),
        fix=msg("Mend the line that is named. Use YAML without tags of its own and UTF-8."),
        check=_unreadable,
    ),
    Rule(
        id="file-duplicate-key",
        severity=Severity.HIGH,
        title=msg("one key is written twice in one mapping"),
        why=msg("Most readers silently keep the last one, so what the first says never holds."),
        fix=msg("Keep one of the two."),
        same_as=("yamllint key-duplicates", "kubernetes-validate strict"),
        check=_duplicate,
    ),
)  # fmt: skip
