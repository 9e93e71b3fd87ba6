"""Templates of users that need more of Jinja2 than ours: printed by it, in a process with limits.

The process may take so much time, memory and output, and no more; a template in it sees the values
and nothing else.
"""

import contextlib
import json
import pickle
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sdlc_cli.core import proc
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy import escape, sources
from sdlc_cli.deploy.template import MOST_LETTERS, MOST_SECONDS, TOO_LARGE, TOO_LONG, Broken

_NAMED = "template "  # begins what Jinja2 calls a template in tracebacks
MOST_BYTES = 1 << 30  # of the process' memory, where the system can hold it to that


def render(folders: Sequence[Path], template: str, values: Mapping[str, object]) -> str:
    """What Jinja2 makes of the template. Raises Broken; WorkError without a new process."""
    asked = pickle.dumps((folders, template, dict(values)))
    done = proc.run(
        [sys.executable, "-P", "-m", "sdlc_cli.deploy.jinja"],
        cwd=folders[0],
        input=asked,
        timeout=MOST_SECONDS,
        output_limit=8 * MOST_LETTERS,
    )
    if done.timed_out:
        raise Broken(TOO_LONG, template, 1)
    try:
        answer: dict[str, str | int] = json.loads(done.stdout)
    except ValueError as error:
        raise Broken(msg("it needs too much memory"), template, 1) from error
    if "text" not in answer:
        raise Broken(str(answer["problem"]), str(answer["template"]), int(answer["line"]))
    return str(answer["text"])


def main() -> None:
    """The child: read what is asked, print the answer as JSON."""
    folders, template, values = pickle.load(sys.stdin.buffer)  # our parent wrote it
    with contextlib.suppress(ValueError, OSError):  # macOS knows the limit and refuses it
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    try:
        answer: dict[str, str | int] = {"text": _printed(folders, template, values)}
    except Broken as error:
        answer = {"problem": str(error), "template": error.template, "line": error.line}
    print(json.dumps(answer))  # noqa: T201 - the answer


def _printed(folders: Sequence[Path], template: str, values: Mapping[str, object]) -> str:
    from jinja2 import FunctionLoader, StrictUndefined
    from jinja2.exceptions import TemplateSyntaxError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def load(name: str) -> tuple[str, str, None]:
        return sources.read(folders, name), f"{_NAMED}{name}", None

    environment = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(load),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_only_written,
    )
    environment.filters.update(escape.FILTERS)
    parts, letters = [], 0
    try:
        for part in environment.get_template(template).generate(values):
            letters += len(part)
            if letters > MOST_LETTERS:
                raise Broken(TOO_LARGE, template, 1)
            parts.append(part)
    except TemplateSyntaxError as error:
        raise Broken(error.message or "", error.name or template, error.lineno) from error
    except MemoryError as error:
        raise Broken("it needs too much memory", template, 1) from error
    except Broken:
        raise
    except RecursionError as error:
        raise Broken("it calls itself", template, 1) from error
    except Exception as error:  # what a template calls may raise anything
        raise Broken(str(error), template, _line(error)) from error
    return "".join(parts)


def _only_written(value: object) -> object:
    if isinstance(value, escape.Written):
        return value
    raise escape.NotWritable(f"printed without a filter: {value!r:.60}")


def _line(error: BaseException) -> int:
    """The last line of a template in the traceback: Jinja2 writes its own lines into it."""
    line, step = 1, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename.startswith(_NAMED):
            line = step.tb_lineno
        step = step.tb_next
    return line


if __name__ == "__main__":
    main()
