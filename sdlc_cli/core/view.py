"""How a reader looks at a report: what a terminal can show, and how much is asked for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Only formats for people at a terminal heed the first four.

    `width` is in columns; `encoding` is the terminal's. `verbose` leaves nothing out. `root` is the
    folder that paths are relative to: with it SARIF reads lines to count columns its way.
    """

    width: int = 80
    color: bool = False
    encoding: str = "utf-8"
    verbose: bool = False
    root: Path | None = None


DEFAULT = View()
