"""Counts how often a comparison cries wolf, and how often it finds +10 %.

    python tests/bench/performance_trial.py            # the full trial: an hour or more
    python tests/bench/performance_trial.py --short    # under a minute, for CI

The workload is a Python command of about 50 ms of CPU time, start-up included, run once for each
side of a pair. 200 comparisons of it with itself and 100 with one that does 10 % more are made,
on the machine as it is and beside a process that keeps one core busy. Exit code 1 when more than
1 % of the first are called slower, or fewer than 85 % of the second.
"""

import argparse
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sdlc_cli.gate.environment import Environment
from sdlc_cli.gate.options import Benchmark
from sdlc_cli.gate.paired import Comparison, Sampler, Terms, compare
from sdlc_cli.gate.sampling import Side, sampler

CODE = """
import sys
kept, total = {}, 0
for number in range(int(sys.argv[1])):
    total += number * number % 7
    kept[number & 255] = str(total)
"""
TARGET_S = 0.050
MORE = 0.10
FALSE_ALARMS = 0.01
FOUND = 0.85
HERE = Path(__file__).resolve().parent


def workload(rounds: int) -> Sampler:
    """One run of the workload with so many rounds, as the gate would take it."""
    python = Path(sys.executable)
    side = Side(
        root=HERE,
        cwd=HERE,
        environment=Environment(python=python, bin=python.parent, label="trial"),
    )
    words = ("python", "-I", "-S", "-c", CODE, str(rounds))
    return sampler(Benchmark(name="workload", command=words), side)


def calibrate() -> tuple[int, int]:
    """How many rounds take the target, and how many 10 % more, by the least of several runs."""

    def least(rounds: int) -> float:
        return min(workload(rounds)(0).cpu_s for _ in range(15))

    empty, probe = least(1), 200_000
    for_each = (least(probe) - empty) / probe
    return round((TARGET_S - empty) / for_each), round((TARGET_S * (1 + MORE) - empty) / for_each)


@contextmanager
def another_process(busy: bool) -> Iterator[None]:
    """While open, one core is kept busy, or nothing is."""
    if not busy:
        yield
        return
    process = subprocess.Popen([sys.executable, "-c", "while True: sum(range(10000))"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def trial(base: int, head: int, count: int, label: str, terms: Terms) -> list[Comparison]:
    """So many comparisons, told while they happen."""
    found: list[Comparison] = []
    for number in range(count):
        one = compare(workload(base), workload(head), terms)
        found.append(one)
        end = "\n" if number % 10 == 9 or number == count - 1 else "\r"
        tally = Counter(each.verdict for each in found)
        print(f"{label}: {number + 1} of {count}: {dict(tally)}", end=end, file=sys.stderr)
    return found


def row(name: str, found: list[Comparison]) -> str:
    """One line of the table."""
    verdicts = Counter(one.verdict for one in found)
    pairs = sorted(one.pairs for one in found)
    ratios = sorted(one.interval.ratio for one in found)
    shown = "".join(f"{verdicts[v]:>14}" for v in ("slower", "not slower", "inconclusive"))
    middle = len(found) // 2
    return f"{name:<34}{len(found):>6}{shown}{pairs[middle]:>8}{pairs[-1]:>6}{ratios[middle]:>8.3f}"


def main() -> int:
    """Make the comparisons and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--short", action="store_true", help="2 and 2 comparisons of 10 s at most, not busy"
    )
    parser.add_argument("--same", type=int, default=200, help="comparisons of identical code")
    parser.add_argument("--slower", type=int, default=100, help="comparisons with +10 %%")
    parser.add_argument("--only", choices=("busy", "alone"), help="one half of the trial")
    options = parser.parse_args()
    same, slower = (2, 2) if options.short else (options.same, options.slower)
    terms = Terms(seconds=10) if options.short else Terms()
    loads = [False] if options.short else [False, True]
    if options.only:
        loads = [options.only == "busy"]
    print(
        f"{'':<34}{'':>6}{'slower':>14}{'not slower':>14}{'inconclusive':>14}"
        f"{'pairs':>8}{'most':>6}{'ratio':>8}"
    )
    failed = False
    for busy in loads:
        beside = "beside a busy process" if busy else "the machine as it is"
        with another_process(busy):
            start = time.monotonic()
            base, head = calibrate()
            alike = trial(base, base, same, f"identical, {beside}", terms)
            print(row(f"identical, {beside}", alike), flush=True)
            grown = trial(base, head, slower, f"+10 %, {beside}", terms)
            print(row(f"+10 %, {beside}", grown), flush=True)
            print(f"  {time.monotonic() - start:.0f} s, {base} and {head} rounds", flush=True)
        alarms = sum(one.verdict == "slower" for one in alike)
        finds = sum(one.verdict == "slower" for one in grown)
        failed |= alarms > FALSE_ALARMS * len(alike)
        if options.short:  # the time may be too short to find it, never to deny it
            failed |= any(one.verdict == "not slower" for one in grown)
        else:
            failed |= finds < FOUND * len(grown)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
