"""Profiles one Python program or function inside the project's own interpreter, 3.8 or newer.

Its text is handed to that interpreter with `-c`, as the harness's is: it imports the standard
library only.

    python -c TEXT OUT code|module|script TARGET [WORD…]
    python -c TEXT OUT callable MODULE:FUNCTION ITERATIONS WARMUP

OUT gets one JSON list of [file, function, calls, own seconds], for one iteration each. A function's
own seconds hold those of the built-ins that it calls.
"""

from __future__ import annotations

import cProfile
import importlib
import inspect
import json
import os
import runpy
import sys
import time
from typing import Any, Callable, Iterator  # noqa: UP035 - 3.8


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


def own_times(stats: list[Any]) -> Iterator[tuple[list[str], int, float]]:
    """Place, calls and own seconds of each function, with the built-ins that it calls itself.

    What a built-in took when another built-in called it stays its own.
    """
    left = {entry.code: entry.inlinetime for entry in stats if isinstance(entry.code, str)}
    calls = {entry.code: entry.callcount for entry in stats if isinstance(entry.code, str)}
    for entry in stats:
        if isinstance(entry.code, str):
            continue
        own = entry.inlinetime
        for sub in entry.calls or ():
            if isinstance(sub.code, str):
                own += sub.inlinetime
                left[sub.code] -= sub.inlinetime
        yield [entry.code.co_filename, entry.code.co_name], entry.callcount, own
    for name, seconds in left.items():
        if seconds > 0:
            yield ["", name], calls[name], seconds


def main(out: str, mode: str, target: str, *words: str) -> None:
    """Profile and write, also when the program leaves by sys.exit."""
    iterations = 1
    profile = cProfile.Profile(time.process_time)  # what other programs take is not ours
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
        rows = [
            [*place, calls / iterations, own / iterations]
            for place, calls, own in own_times(profile.getstats())
        ]
        with open(out, "w", encoding="utf-8") as file:
            json.dump(rows, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
