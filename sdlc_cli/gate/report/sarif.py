"""GateReport -> SARIF 2.1.0, a run for each gate that was judged or broke."""

from functools import lru_cache
from pathlib import Path

from sdlc_cli import __version__
from sdlc_cli.core.files import read_regular
from sdlc_cli.core.findings_out import sarif
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.gate import summary
from sdlc_cli.gate.model import GateReport
from sdlc_cli.gate.source import MAX_BYTES, Unit


def render(report: GateReport, view: View = DEFAULT) -> str:
    """With `view.root` columns are UTF-16 code units, as code scanning reads them."""
    return sarif.render(
        summary.finding_sets(report),
        tool=summary.TOOL,
        version=__version__,
        not_read=summary.not_read(report),
        line_of=_reader(view.root) if view.root else None,
    )


def _reader(root: Path) -> sarif.LineOf:
    @lru_cache(maxsize=8)  # results are sorted by severity first, then by path
    def lines(path: str) -> list[str]:
        try:
            return Unit(path, read_regular(root / path, MAX_BYTES) or b"").lines
        except (OSError, ValueError):  # gone since, or a name no file can have
            return []

    def line_of(path: str, line: int) -> str:
        found = lines(path)
        return found[line - 1] if 0 < line <= len(found) else ""

    return line_of
