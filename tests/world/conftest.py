"""The pseudo-locale: a run in which every translated letter has an accent."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

# Walks the real app in a process of its own, because help texts are made on import.
_WALK = """
import json, sys
from sdlc_cli.core import i18n
i18n.use(sys.argv[1])
from sdlc_cli.cli import app, front
from sdlc_cli.cli.values import metavar

pages, words = {}, set(front.SHELLS) | set(i18n.LANGUAGES)

def walk(command, path, parent):
    ctx = command.make_context(path.split()[-1], [], parent=parent, resilient_parsing=True)
    pages[path] = command.get_help(ctx)
    words.update(path.split())
    for param in command.get_params(ctx):
        words.update(param.opts + param.secondary_opts + [metavar(param), str(param.default)])
        if param._custom_shell_complete:
            words.update(item.value for item in param.shell_complete(ctx, ""))
    for name, child in getattr(command, "commands", {}).items():
        walk(child, path + " " + name, ctx)

walk(app.build(), "sdlc", None)
print(json.dumps({"pages": pages, "words": sorted(words)}))
"""
_NOT_PROSE = re.compile(
    r"""
    https?://\S+                # addresses
    | `[^`]*`                   # code
    | --?[a-z][\w-]*            # options
    | \b[A-Z][A-Z0-9_]+\b       # stand-ins for values, variables
    | [\w.~-]*/[\w./~-]*        # paths
    | \b[\w-]+\.[a-z]{2,5}\b    # file names
    | \b\d+[a-zA-Z]+\b          # amounts with their units
    """,
    re.VERBOSE,
)
_PLAIN_WORD = re.compile(r"(?<![^\W\d_])[A-Za-z]{3,}(?![^\W\d_])")


@dataclass(frozen=True)
class Walked:
    """Every help page in the pseudo-locale, and the words that the program itself defines."""

    pages: Mapping[str, str]
    words: frozenset[str]

    def escaped(self, text: str, *more: str) -> list[str]:
        """The words of 3 letters and more that no translator could reach.

        `more` are words that the test's own data brought in: names, ids, another tool's English.
        """
        known = {part for word in (*self.words, *more) for part in re.findall(r"[A-Za-z]+", word)}
        return [w for w in _PLAIN_WORD.findall(_NOT_PROSE.sub(" ", text)) if w not in known]


@pytest.fixture(scope="session")
def walked() -> Walked:
    """The whole command table in the pseudo-locale."""
    return walk("en-XA")


def walk(language: str) -> Walked:
    """The command table, with help pages in `language`."""
    done = subprocess.run(
        [sys.executable, "-c", _WALK, language],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "100", "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return Walked(pages=answer["pages"], words=frozenset(answer["words"]))


Pseudo = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def pseudo(tmp_path: Path) -> Pseudo:
    """`pseudo("gate", "run", cwd=root)` runs sdlc in the pseudo-locale."""

    def run(*words: str, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sdlc_cli", *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd,
            encoding="utf-8",
            env=os.environ
            | {"SDLC_LANG": "en-XA", "COLUMNS": "200", "PYTHONIOENCODING": "utf-8"}
            | {"SDLC_CACHE_DIR": str(tmp_path / "cache")},
        )

    return run
