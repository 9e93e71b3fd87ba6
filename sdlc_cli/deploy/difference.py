"""What a render would change, as a unified diff that `patch` understands."""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from sdlc_cli.core.i18n import _
from sdlc_cli.deploy.folder import Folder
from sdlc_cli.deploy.lock import Plan, State, Step
from sdlc_cli.deploy.turns import is_there, opened, wait

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # of a hand-edited file, to a terminal
_BOLD, _RED, _GREEN, _CYAN = "1", "31", "32", "36"


def states() -> dict[State, str]:
    """What became of a file, for people."""
    return {
        "new": _("new"),
        "changed": _("changed"),
        "unchanged": _("unchanged"),
        "edited": _("changed by hand"),
        "foreign": _("not from a render"),
        "stale": _("no longer rendered"),
        "left": _("no longer rendered, changed by hand"),
    }


def unified(plan: Plan, out: Path, *, color: bool = False) -> str:
    """The diff from what lies in `out` to what a render writes there; "" when nothing differs.

    Files that a render would keep although it does not want them are named without their lines.
    """
    lines: list[str] = []
    if not is_there(out):
        lines += (line for step in plan.steps for line in _lines(step, None))
    else:
        with opened(out, "read") as folder:
            wait(folder, "read")
            for step in plan.steps:
                lines += _lines(step, _text(folder, step.path))
    return "".join(f"{_painted(line) if color else line}\n" for line in lines)


def _lines(step: Step, before: str | None) -> Iterator[str]:
    if step.state == "unchanged":
        return
    if step.state in ("edited", "foreign", "left"):
        yield f"# {step.path}: {states()[step.state]}"
    if step.state == "left":
        return
    after = step.artifact.text if step.artifact else None
    if before == after:
        yield f"# {step.path}: {_('becomes executable')}"
        return
    yield from difflib.unified_diff(
        [] if before is None else _split(before),
        [] if after is None else _split(after),
        "/dev/null" if before is None else f"a/{step.path}",
        "/dev/null" if after is None else f"b/{step.path}",
        lineterm="",
    )


def _split(text: str) -> list[str]:
    lines = text.split("\n")
    if lines[-1]:
        lines[-1] += "\n\\ No newline at end of file"
    else:
        del lines[-1]
    return [_CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", line) for line in lines]


def _text(folder: Folder, path: str) -> str | None:
    found = folder.find(path)
    if found is None:
        return None
    if found.kind != "file" or not found.sha256:
        return ""
    return (folder.read(path) or b"").decode("utf-8", "backslashreplace")


def _painted(line: str) -> str:
    styles = {"#": _BOLD, "+++": _BOLD, "---": _BOLD, "@@": _CYAN, "+": _GREEN, "-": _RED}
    style = next((style for start, style in styles.items() if line.startswith(start)), "")
    return f"\x1b[{style}m{line}\x1b[0m" if style else line
