"""Compares token sums, CPU and wall time with ccusage, on a generated tree of Claude Code sessions.

    npm install --prefix DIR ccusage
    python tests/bench/cost_ccusage.py --ccusage DIR/node_modules/.bin/ccusage [--size 1000]

The tree has `--size` MB in a temporary folder: answers written again while they stream, sessions
resumed in another file, side conversations that repeat an answer under a new request id, answers
without a request id (these are not copied: there the two differ on purpose), of a model inside
the call, and of no model at all. Both get no network:
ccusage runs with `--offline`. CPU is that of the process and its children, user and system; both
are started anew, by turns, and the least of each counts. Exits 1 where the sums differ.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

Record = dict[str, object]

CLASSES = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
MODELS = ("claude-sonnet-4-5-20250929", "claude-opus-4-1-20250805", "claude-haiku-4-5-20251001")
OURS = """
import json, sys, tempfile
from pathlib import Path
from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.engine.usage import open_usage
from sdlc_cli.cost.prices.load import catalogue
from sdlc_cli.cost.prices.resolve import Prices

prices = Prices(catalogue())
with tempfile.TemporaryDirectory() as tmp:
    with open_usage([sys.argv[1]], config=CostConfig(), prices=prices, tmp=Path(tmp)) as usage:
        report = usage.report(by=("day",))
tokens = report.totals.tokens
print(json.dumps({
    "inputTokens": tokens["input"],
    "outputTokens": tokens["output"] + tokens["reasoning"],
    "cacheCreationTokens": tokens["cache_write_5m"] + tokens["cache_write_1h"],
    "cacheReadTokens": tokens["cache_read"],
    "calls": report.totals.calls,
    "duplicates": report.duplicates,
    "rejected": report.rejected_count,
}))
"""


class Run(NamedTuple):
    """One run's answer and what it took."""

    sums: dict[str, int]
    cpu: float
    wall: float


class Tree:
    """Writes sessions until there is as much of them as was asked for."""

    def __init__(self, root: Path, seed: int) -> None:
        self._root = root
        self._random = random.Random(seed)
        self._filler = "".join(self._random.choices("abcdefghij klmnop\n", k=20_000))
        self._messages = 0

    def write(self, size: int) -> int:
        """The number of files that hold `size` bytes."""
        written = files = 0
        before: list[Record] = []
        while written < size:
            session = f"{files:08x}-0000-4000-8000-{files:012x}"
            folder = self._root / "projects" / f"-home-dev-project-{files % 12}"
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{session}.jsonl"
            with path.open("w", encoding="utf-8") as out:
                for record in self._session(session, files, before):
                    out.write(json.dumps(record, separators=(",", ":")) + "\n")
            written += path.stat().st_size
            files += 1
        return files

    def _session(self, session: str, number: int, before: list[Record]) -> Iterator[Record]:
        yield {"type": "summary", "summary": "some work", "leafUuid": session}
        if before and self._random.random() < 0.1:  # resumed: the history is copied
            yield from ({**record, "sessionId": session} for record in before)
        before.clear()
        for turn in range(self._random.randint(50, 150)):
            yield self._line(
                session, number, turn, "user", {"role": "user", "content": self._text()}
            )
            for record in self._answer(session, number, turn):
                # ccusage counts a copied answer without a request id once more for each session.
                if "requestId" in record:
                    before.append(record)
                yield record

    def _answer(self, session: str, number: int, turn: int) -> Iterator[Record]:
        pick = self._random.random()
        self._messages += 1
        name = f"msg_{self._messages:024d}"
        usage = self._usage()
        if pick < 0.01:
            zero = dict.fromkeys(("input_tokens", "output_tokens"), 0)
            message: Record = {"id": name, "model": "<synthetic>", "usage": zero, "content": []}
            yield self._line(session, number, turn, "assistant", message)
            return
        output = int(str(usage["output_tokens"]))
        last: Record = {}
        for part in range(snapshots := self._random.choice((1, 1, 2, 3))):
            partial = {**usage, "output_tokens": max(1, output * (part + 1) // snapshots)}
            message = {
                "id": name,
                "type": "message",
                "role": "assistant",
                "model": MODELS[number % len(MODELS)],
                "content": [{"type": "text", "text": self._text()}],
                "usage": partial,
            }
            last = self._line(session, number, turn, "assistant", message)
            if pick > 0.05:
                last["requestId"] = f"req_{self._messages:024d}"
            yield last
        if pick > 0.93:  # a side conversation repeats the answer
            yield {**last, "isSidechain": True, "requestId": f"req_side_{self._messages:019d}"}

    def _usage(self) -> Record:
        draw = self._random.randint
        five, hour = draw(0, 3_000), draw(0, 1) * draw(0, 2_000)
        usage: Record = {
            "input_tokens": draw(1, 50),
            "cache_creation_input_tokens": five + hour,
            "cache_read_input_tokens": draw(0, 120_000),
            "cache_creation": {
                "ephemeral_5m_input_tokens": five,
                "ephemeral_1h_input_tokens": hour,
            },
            "output_tokens": draw(1, 3_000),
            "service_tier": "standard",
        }
        if draw(1, 200) == 1:
            step = {
                "type": "advisor_message",
                "model": MODELS[0],
                "input_tokens": 9,
                "output_tokens": 7,
            }
            usage["iterations"] = [step]
        return usage

    def _text(self) -> str:
        start = self._random.randrange(10_000)
        return self._filler[start : start + self._random.randint(200, 3_000)]

    def _line(self, session: str, number: int, turn: int, kind: str, message: Record) -> Record:
        day, minute = 1 + number % 28, turn * 7
        return {
            "type": kind,
            "uuid": f"{session}-{turn}-{kind}",
            "sessionId": session,
            "cwd": f"/home/dev/project-{number % 12}",
            "version": "2.1.0",
            "isSidechain": False,
            "timestamp": f"2026-03-{day:02}T{minute // 60 % 24:02}:{minute % 60:02}:00.000Z",
            "message": message,
        }


def _timed(command: list[str], environ: dict[str, str]) -> tuple[str, float, float]:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr[-2_000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, cpu, wall


def _theirs(command: str, tree: Path) -> Run:
    environ = {**os.environ, "CLAUDE_CONFIG_DIR": str(tree)}
    daily = [command, "claude", "daily", "--json", "--offline", "--timezone", "UTC"]
    text, cpu, wall = _timed(daily, environ)
    totals = json.loads(text)["totals"]
    return Run({name: totals[name] for name in CLASSES}, cpu, wall)


def _ours(tree: Path) -> Run:
    text, cpu, wall = _timed([sys.executable, "-c", OURS, str(tree)], dict(os.environ))
    return Run(json.loads(text), cpu, wall)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--ccusage", required=True, help="the command that npm installed")
    parser.add_argument("--size", type=int, default=100, help="MB of the tree (100)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        files = Tree(tree, told.seed).write(told.size * 10**6)
        print(f"{files} files, {told.size} MB")
        pairs = [(_ours(tree), _theirs(told.ccusage, tree)) for _ in range(told.rounds)]
    ours, theirs = pairs[0]
    for name in CLASSES:
        difference = ours.sums[name] - theirs.sums[name]
        print(
            f"{name:20} {ours.sums[name]:>16,} {theirs.sums[name]:>16,}  difference {difference:,}"
        )
    print({name: count for name, count in ours.sums.items() if name not in CLASSES})
    for name in ("cpu", "wall"):
        mine = min(getattr(run, name) for run, _ in pairs)
        other = min(getattr(run, name) for _, run in pairs)
        print(f"{name:5} {mine:7.2f} s {other:7.2f} s  ratio {mine / other:.2f}")
    return int(any(ours.sums[name] != theirs.sums[name] for name in CLASSES))


if __name__ == "__main__":
    sys.exit(main())
