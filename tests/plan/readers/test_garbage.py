"""Whatever is done to a file, each reader answers with a project or with words, never a crash."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdlc_cli.core.errors import SdlcError
from sdlc_cli.plan import readers
from tests.plan.readers.test_benchmarks import MM, RCP, SM
from tests.plan.readers.test_imports import CSV, ISSUES, JIRA

EXAMPLE = Path(__file__).parents[3] / "examples" / "plan" / "tasks.yaml"
FILES = {
    "tasks": EXAMPLE.read_text(encoding="utf-8"),
    "csv": CSV,
    "jira": JIRA,
    "github": json.dumps(ISSUES, indent=1),
    "psplib": SM + MM,
    "patterson": RCP,
}
GARBAGE = (
    "", "NaN", "-1", "-3d", "1e999", "9" * 30, "0", "null", "true", "[", "]", "{", "}", ":", "\0",
    "\u2028", "\u0660", "²", '"', ",", ";", "\t", "\n", "${X}", "&a", "*a", "!!python/name:os",
    "- ", "2026-02-30", "9999-12-31", "2026-03-29 02:30", "a" * 300, "<<", "24:01-25:00",
    "9:00-9:00",
    "always", "∞", "0x10", "\r", "\ufeff", "0%", "200%",
)  # fmt: skip


@st.composite
def broken(draw: st.DrawFn, text: str) -> str:
    """`text` with some words replaced, lines dropped or doubled, or its end cut off."""
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(("word", "word", "word", "insert", "drop", "double", "cut")))
        lines = text.split("\n")
        at = draw(st.integers(0, len(lines) - 1))
        words = list(re.finditer(r"[\w.:%-]+", lines[at]))
        if kind == "word" and words:
            found = draw(st.sampled_from(words))
            lines[at] = lines[at][: found.start()] + draw(st.sampled_from(GARBAGE)) \
                + lines[at][found.end() :]  # fmt: skip
        elif kind == "insert":
            place = draw(st.integers(0, len(lines[at])))
            lines[at] = lines[at][:place] + draw(st.sampled_from(GARBAGE)) + lines[at][place:]
        elif kind == "drop":
            del lines[at]
        elif kind == "double":
            lines.insert(draw(st.integers(0, len(lines))), lines[at])
        else:
            lines = lines[: at + 1]
        text = "\n".join(lines) or "\n"
    return text


def outcome(path: Path, source_format: str) -> tuple[int, tuple[str, ...]]:
    """The exit code that reading ends with, and what is told."""
    try:
        readers.load(path, source_format=source_format, environ={}, today=date(2026, 3, 2))
    except SdlcError as error:
        return error.exit_code, getattr(error, "problems", ())
    return 0, ()


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_broken_file_is_told_in_words(name: str, data: st.DataObject, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(data.draw(broken(FILES[name])), encoding="utf-8", newline="")
    for source_format in ("", name):
        code, problems = outcome(path, source_format)
        assert code in (0, 2, 4)
        assert all("\n" not in one for one in problems)
