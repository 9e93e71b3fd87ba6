"""Profiles one Python program or function inside the project's own interpreter, 3.8 or newer.

Its text is handed to that interpreter with `-c`, as the harness's is: it imports the standard
library only.

    python -c TEXT OUT code|module|script TARGET [WORD…]
    python -c TEXT OUT callable MODULE:FUNCTION ITERATIONS WARMUP

OUT gets one JSON list of [file, function, calls, own seconds], for one iteration each.
"""

from __future__ import annotations

import cProfile
import importlib
import inspect
import json
import os
import runpy
import sys
from typing import Any, Callable  # noqa: UP035 - 3.8


def run(mode: str, target: str) -> Callable[[], object]:
    """What Python itself would do with `-m` or a file's name."""
    if mode == "module":
        return lambda: runpy.run_module(target, run_name="__main__", alter_sys=True)
    if not getattr(sys.flags, "safe_path", False) and not sys.flags.isolated:
        sys.path[0] = os.path.dirname(os.path.abspath(target))
    return lambda: runpy.run_path(target, run_name="__main__")


def find(target: str) -> Callable[[], object]:
    """The function named `module:function`, made to run to its end when it is async."""
    module, _, names = target.partition(":")
    found: Any = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    if inspect.iscoroutinefunction(found):
        import asyncio  # slow to import, and seldom needed

        loop = asyncio.new_event_loop()
        return lambda: loop.run_until_complete(found())
    return found  # type: ignore[no-any-return]


def main(out: str, mode: str, target: str, *words: str) -> None:
    """Profile and write, also when the program leaves by sys.exit."""
    iterations = 1
    profile = cProfile.Profile()
    try:
        if mode == "callable":
            call, iterations = find(target), int(words[0])
            for _ in range(int(words[1])):
                call()
            for _ in range(iterations):
                profile.runcall(call)
        elif mode == "code":
            sys.argv = ["-c", *words]
            space: dict[str, Any] = {"__name__": "__main__"}
            profile.runctx(target, space, space)
        else:
            sys.argv = [target, *words]
            profile.runcall(run(mode, target))
    finally:
        rows = []
        for entry in profile.getstats():
            code: Any = entry.code
            place = ["", code] if isinstance(code, str) else [code.co_filename, code.co_name]
            rows.append([*place, entry.callcount / iterations, entry.inlinetime / iterations])
        with open(out, "w", encoding="utf-8") as file:
            json.dump(rows, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
