"""Measures one Python function inside the project's own interpreter, 3.8 or newer.

Its text is handed to that interpreter with `-c`: it imports the standard library only, and
nothing of ours stands on the import path.

    python -c TEXT MODULE:FUNCTION ITERATIONS WARMUP OUT [memory] [objects]

OUT gets one JSON object: `wall_ns` and `cpu_ns` (process time) for each iteration; `memory`, the
peaks in bytes above the start of a call, of calls of their own under tracemalloc; `objects`, how
many more objects are alive after a call; or `error`.
"""

from __future__ import annotations  # 3.8 cannot read `list[int]` at run time

import gc
import importlib
import inspect
import json
import sys
import time
import tracemalloc
from typing import Any, Callable  # noqa: UP035 - 3.8

MEMORY_CALLS = 3
LAZY = (
    "it returns a {} that nobody runs: let it do its work itself, for instance with list() or"
    " asyncio.run()"
)


class Refused(Exception):
    """The function cannot be measured, and the user can be told why."""


def find(target: str) -> Callable[[], object]:
    """The function named `module:function`, made to run to its end when it is async."""
    module, _, names = target.partition(":")
    found: Any = importlib.import_module(module)
    for name in names.split("."):
        if not hasattr(found, name):
            raise Refused(f"{module} has no {names}")
        found = getattr(found, name)
    if not callable(found):
        raise Refused(f"{target} cannot be called")
    if inspect.iscoroutinefunction(found):
        import asyncio  # slow to import, and seldom needed

        loop = asyncio.new_event_loop()
        return lambda: loop.run_until_complete(found())
    return found  # type: ignore[no-any-return]


def timed(call: Callable[[], object], iterations: int, warmup: int) -> dict[str, list[int]]:
    """Wall and CPU nanoseconds of each iteration; what is returned is dropped at once."""
    wall, cpu = [], []
    for _ in range(warmup):
        call()
    gc.collect()
    for _ in range(iterations):
        cpu_start, start = time.process_time_ns(), time.perf_counter_ns()
        result = call()
        end, cpu_end = time.perf_counter_ns(), time.process_time_ns()
        if inspect.isgenerator(result) or inspect.isawaitable(result):
            raise Refused(LAZY.format(type(result).__name__))
        del result
        wall.append(end - start)
        cpu.append(cpu_end - cpu_start)
    return {"wall_ns": wall, "cpu_ns": cpu}


def peaks(call: Callable[[], object]) -> list[int]:
    """The most memory that Python objects took at one time during a call, above its start."""
    found = []
    for _ in range(MEMORY_CALLS):
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        call()
        found.append(tracemalloc.get_traced_memory()[1] - before)
        tracemalloc.stop()
    return found


def kept(call: Callable[[], object], iterations: int) -> float:
    """How many more objects are alive after a call, as the mean of `iterations` calls."""
    before = alive()
    for _ in range(iterations):
        call()
    return (alive() - before) / iterations


def alive() -> int:
    """Objects that the collector knows, and those it does not (text, numbers) that they hold."""
    gc.collect()
    known = gc.get_objects()
    seen = set(map(id, known))
    layer = known
    while layer:
        untracked = []
        for start in range(0, len(layer), 1000):
            for held in gc.get_referents(*layer[start : start + 1000]):
                if id(held) not in seen:
                    seen.add(id(held))
                    if not gc.is_tracked(held):
                        untracked.append(held)
        layer = untracked
    return len(seen)


def main(target: str, iterations: int, warmup: int, out: str, *also: str) -> int:
    """Measure and write; 1 when the function cannot be measured."""
    found: dict[str, Any] = {}
    try:
        call = find(target)
        found.update(timed(call, iterations, warmup))
        found["memory"] = peaks(call) if "memory" in also else []
        found["objects"] = kept(call, iterations) if "objects" in also else None
    except Refused as error:
        found = {"error": str(error)}
    with open(out, "w", encoding="utf-8") as file:
        json.dump(found, file)
    return 1 if "error" in found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]))
