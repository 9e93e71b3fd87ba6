"""Replays a trace of prompt blocks through our cache policies and through libCacheSim's.

    python tests/bench/cost_caches.py TRACE.jsonl.gz

TRACE has a JSON object on each line with `timestamp` (ms) and `hash_ids`, as the Mooncake traces
do. Hits have to be equal; the ratio of CPU time is printed. Needs libcachesim.
"""

import argparse
import gzip
import json
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from sdlc_cli.cost import evictions

PARTS = (200, 20, 2)  # room for one of so many different blocks


def blocks(path: Path) -> list[int]:
    """Every block that a prompt asked for, in order."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [int(block) for line in lines for block in json.loads(line)["hash_ids"]]


def ours(name: str, keys: Sequence[int], size: int) -> int:
    """Hits of our policy."""
    access = evictions.POLICIES[name.lower()](size).access
    return sum(map(access, keys))


def theirs(name: str, keys: Sequence[int], size: int) -> int:
    """Hits of libCacheSim's, which knows no key 0."""
    library = import_module("libcachesim")  # has no types
    cache = getattr(library, name)(size, hashpower=20)
    request = library.Request()
    request.obj_size = 1
    hits = 0
    for key in keys:
        request.obj_id = key + 1
        hits += cache.get(request)
    return hits


def main() -> None:
    """Prints one line a policy and size, and the optimum of each size."""
    parser = argparse.ArgumentParser()
    parser.add_argument("trace", type=Path)
    keys = blocks(parser.parse_args().trace)
    distinct = len(set(keys))
    print(f"{len(keys):,} requests, {distinct:,} different")
    for size in (distinct // part for part in PARTS):
        for name in ("LRU", "LFU", "ARC"):
            begun = time.process_time()
            mine = ours(name, keys, size)
            between = time.process_time()
            other = theirs(name, keys, size)
            ratio = (between - begun) / (time.process_time() - between)
            verdict = "equal" if mine == other else f"NOT EQUAL, libCacheSim {other:,}"
            print(f"{name} {size:>8,}: {mine / len(keys):6.2%} hits, {verdict}, CPU x{ratio:.1f}")
        most = len(evictions.optimum(keys, range(len(keys)), size, None))
        print(f"best {size:>7,}: {most / len(keys):6.2%} hits")


if __name__ == "__main__":
    main()
