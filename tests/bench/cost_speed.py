"""Compares the CPU time (user and system) of cost reports with that of plain loops.

The reports are of `sdlc cost report`, over the same logs.

    python tests/bench/cost_speed.py [--short] [--calls N] [--rounds N] [--ccusage PROGRAM]
                                     [--huge GIGABYTES] [--folder DIR]

All are started anew each time, by turns, so that a busy machine slows all of them; the least time
of each counts. The yardstick is a loop over orjson that adds up tokens and keeps a set of ids: it
neither prices, nor rejects, nor tells projects apart. Compared with it are the first report over a
file, with and without a cache, one over the same file again, and one without prices. Then come
1,000 lines against `import duckdb`, a tree of Claude Code sessions against ccusage where that
program is named, and with --huge a file of that size in whatever memory it takes. Logs are made
up, and deleted after. `--short` is for CI: 100,000 calls, two rounds.
"""

import argparse
import json
import os
import random
import shutil
import string
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

YARDSTICK = """
import orjson, sys
ids = set()
tokens = 0
with open(sys.argv[1], "rb") as lines:
    for line in lines:
        body = orjson.loads(line)["response"]
        if body["id"] in ids:
            continue
        ids.add(body["id"])
        usage = body["usage"]
        tokens += usage["prompt_tokens"] + usage["completion_tokens"]
print(tokens, len(ids))
"""
# The library as the command uses it, with prices or without.
REPORT = """
import sys, tempfile
from pathlib import Path
from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.engine.usage import open_usage
from sdlc_cli.cost.model import Price
from sdlc_cli.cost.prices.resolve import Prices

class None_:
    def price(self, provider, model, tier=""):
        return Price(provider=provider, model=model, rates=(), source="")

priced = sys.argv[2] == "priced"
with tempfile.TemporaryDirectory() as tmp:
    prices = Prices() if priced else None_()
    with open_usage([sys.argv[1]], config=CostConfig(), prices=prices, tmp=Path(tmp)) as usage:
        print(usage.report(("model",)).totals.calls)
"""
MODELS = ("gpt-4o-2024-08-06", "gpt-4o-mini", "gpt-4.1", "o3", "gpt-5", "gpt-5-mini")
CLAUDE = ("claude-sonnet-4-5-20250929", "claude-opus-4-1-20250805", "claude-haiku-4-5-20251001")
LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took."""

    cpu: float  # seconds
    wall: float
    peak: float  # MiB, the largest process of those it started
    out: str


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--calls", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--ccusage", default=shutil.which("ccusage") or "")
    parser.add_argument("--huge", type=float, default=0, metavar="GIGABYTES")
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    calls = asked.calls or (100_000 if asked.short else 2_000_000)
    rounds = asked.rounds or (2 if asked.short else 3)
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ |= {"SDLC_CACHE_DIR": str(folder / "cache"), "TMPDIR": name, "CI": "1"}
        envelopes(folder, calls, rounds, "of lines as teams write them", lines(calls))
        envelopes(folder, calls, rounds, "without spaces, with the answers", dense(calls))
        start_up(folder, rounds * 2)
        if asked.ccusage:
            sessions(folder, calls, rounds, asked.ccusage)
        if asked.huge:
            huge(folder, asked.huge)


def sdlc(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "sdlc_cli", *map(str, words)]


def envelopes(folder: Path, calls: int, rounds: int, title: str, written: Iterator[str]) -> None:
    """One file of lines around chat completions."""
    log = folder / "log.jsonl"
    with log.open("w") as out:
        out.writelines(written)
    cache = folder / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    report = ("cost", "report", log, "--format", "json")
    told = by_turns(
        rounds,
        {
            "orjson loop": [sys.executable, "-c", YARDSTICK, str(log)],
            "first report": sdlc(*report),
            "same again": sdlc(*report),
            "without a cache": sdlc(*report, "--no-cache"),
            "library, priced": [sys.executable, "-c", REPORT, str(log), "priced"],
            "library, unpriced": [sys.executable, "-c", REPORT, str(log), "unpriced"],
        },
        before={"first report": lambda: shutil.rmtree(cache, ignore_errors=True)},
    )
    size = log.stat().st_size / 1e9
    print(f"\n{calls:,} calls {title}, {size:.2f} GB, {size * 1e9 / calls:.0f} bytes each")
    table(told, "orjson loop")
    counted = json.loads(told["first report"].out)["calls"]
    print(f"  same calls as the loop: {counted == int(told['orjson loop'].out.split()[1])}")
    ratio("same again / first report", told, "same again", "first report")
    ratio("priced / unpriced", told, "library, priced", "library, unpriced")
    log.unlink()


def start_up(folder: Path, rounds: int) -> None:
    """A small report."""
    log = folder / "small.jsonl"
    with log.open("w") as out:
        out.writelines(lines(1_000))
    told = by_turns(
        rounds,
        {
            "import duckdb": [sys.executable, "-c", "import duckdb"],
            "1,000 lines": sdlc("cost", "report", log),
        },
    )
    print("\n1,000 calls")
    table(told, "import duckdb")


def sessions(folder: Path, calls: int, rounds: int, ccusage: str) -> None:
    """A tree as Claude Code writes it, each response in several records."""
    home = folder / "claude"
    size = tree(home / "projects", calls // 5)
    cache = folder / "cache"
    os.environ["CLAUDE_CONFIG_DIR"] = str(home)
    report = sdlc("cost", "report", home / "projects", "--format", "json")
    program = [ccusage, "daily", "--json", "--offline"]
    told = by_turns(
        rounds,
        {"ccusage": program, "first report": report, "same again": report},
        before={"first report": lambda: shutil.rmtree(cache, ignore_errors=True)},
    )
    print(f"\nClaude Code sessions, {size / 1e9:.2f} GB")
    table(told, "ccusage")
    print(f"  tokens, ccusage: {ccusage_tokens(told['ccusage'].out)}")
    print(f"  tokens, sdlc:    {our_tokens(told['first report'].out)}")
    shutil.rmtree(home)


def huge(folder: Path, gigabytes: float) -> None:
    """A file of this size: time, memory, temporary disk."""
    log = folder / "huge.jsonl"
    block = "".join(lines(100_000)).encode()
    with log.open("wb") as out:
        while out.tell() < gigabytes * 1e9:  # each time with other ids
            out.write(block.replace(b'"chatcmpl-', b'"chatcmpl-%08x' % (out.tell() >> 8)))
    disk = Disk(folder, log)
    with disk:
        told = cost(sdlc("cost", "report", log, "--no-cache", "--format", "json"))
    print(f"\n{log.stat().st_size / 1e9:.1f} GB, {json.loads(told.out)['calls']:,} calls")
    print(f"  {told.wall:.0f} s, {told.cpu:.0f} CPU s, peak {told.peak:.0f} MiB")
    print(f"  temporary disk {disk.most / 2**20:.0f} MiB")
    log.unlink()


class Disk:
    """The most bytes that other files in a folder took at once."""

    def __init__(self, folder: Path, apart: Path) -> None:
        self.folder, self.apart, self.most = folder, apart, 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.2):
            total = 0
            for here, _, names in os.walk(self.folder):
                for name in names:
                    file = Path(here, name)
                    if file != self.apart and file.exists():
                        total += file.stat().st_size
            self.most = max(self.most, total)


def by_turns(
    rounds: int,
    programs: Mapping[str, Sequence[str]],
    before: Mapping[str, Callable[[], None]] | None = None,
) -> dict[str, Cost]:
    """The least cost of each program over some rounds."""
    best: dict[str, Cost] = {}
    for _ in range(rounds):
        for name, command in programs.items():
            if before and name in before:
                before[name]()
            found = cost(command)
            if name not in best or found.cpu < best[name].cpu:
                best[name] = found
    return best


def cost(command: Sequence[str]) -> Cost:
    """Runs a program to its end."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - start
        if process.returncode:
            raise SystemExit(f"{command[:4]} ended with {process.returncode}")
        out.seek(0)
        text = out.read().decode()
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * unit / 2**20, text)


def table(told: Mapping[str, Cost], yardstick: str) -> None:
    base = told[yardstick]
    print(f"  {'':20} {'CPU s':>8} {'ratio':>6} {'wall s':>8} {'ratio':>6} {'peak MiB':>9}")
    for name, each in told.items():
        print(
            f"  {name:20} {each.cpu:8.2f} {each.cpu / base.cpu:6.2f}"
            f" {each.wall:8.2f} {each.wall / base.wall:6.2f} {each.peak:9.0f}"
        )


def ratio(title: str, told: Mapping[str, Cost], one: str, other: str) -> None:
    print(f"  {title}: {told[one].cpu / told[other].cpu:.2f}")


def lines(calls: int, seed: int = 1) -> Iterator[str]:
    """Lines around chat completions; one in fifty repeats an earlier call."""
    rng = random.Random(seed)
    ids: list[str] = []
    for number in range(calls):
        name = rng.choice(ids) if ids and rng.random() < 0.02 else f"chatcmpl-{word(rng, 29)}"
        if len(ids) < 5_000:
            ids.append(name)
        prompt, out = rng.randint(50, 8_000), rng.randint(1, 2_000)
        body = {
            "id": name,
            "object": "chat.completion",
            "created": 1_764_000_000 + number // 2,
            "model": rng.choice(MODELS),
            "service_tier": "default",
            "usage": {
                "prompt_tokens": prompt,
                "completion_tokens": out,
                "total_tokens": prompt + out,
                "prompt_tokens_details": {
                    "cached_tokens": rng.randint(0, prompt // 2),
                    "audio_tokens": 0,
                },
                "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
            },
        }
        line = {
            "ts": f"2026-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}T0{rng.randint(0, 9)}:12:07Z",
            "project": f"proj-{rng.randint(0, 20)}",
            "user": f"u{rng.randint(0, 999)}",
            "request_id": f"req_{number:09}",
            "provider": "openai",
            "latency_ms": rng.randint(100, 9_000),
            "response": body,
        }
        yield json.dumps(line) + "\n"


def dense(calls: int, seed: int = 3) -> Iterator[str]:
    """Nested calls of about 498 bytes: no spaces, a short answer, all details of the usage."""
    rng = random.Random(seed)
    for line in map(json.loads, lines(calls, seed)):
        body = line["response"]
        message = {"role": "assistant", "content": word(rng, rng.randint(5, 17))}
        body["choices"] = [{"index": 0, "message": message, "finish_reason": "stop"}]
        del line["latency_ms"], line["request_id"], line["provider"], body["service_tier"]
        yield json.dumps(line, separators=(",", ":")) + "\n"


def word(rng: random.Random, length: int) -> str:
    return "".join(rng.choices(LETTERS, k=length))


def tree(root: Path, records: int) -> int:
    """Session files with as many records of usage; their size."""
    rng = random.Random(2)
    text = " ".join(word(rng, 7) for _ in range(600))
    files = max(1, records // 330)
    size = 0
    for number in range(files):
        file = root / f"-home-dev-p{number % 40}" / f"session-{number}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w") as out:
            for line in session(rng, number, records // files, text):
                size += out.write(json.dumps(line, separators=(",", ":")) + "\n")
    return size


def session(
    rng: random.Random, number: int, records: int, text: str
) -> Iterator[Mapping[str, object]]:
    head = {"sessionId": f"s-{number}", "cwd": f"/home/dev/p{number % 40}", "version": "2.0.1"}
    written = 0
    while written < records:
        at = f"2026-{rng.randint(1, 9):02}-1{rng.randint(0, 9)}T1{rng.randint(0, 9)}:00:00.000Z"
        head |= {"timestamp": at}
        content: object = [{"type": "tool_result", "content": text[: rng.randint(0, 4_000)]}]
        yield head | {"type": "user", "message": {"role": "user", "content": content}}
        usage: dict[str, object] = {
            "input_tokens": rng.randint(1, 50),
            "cache_creation_input_tokens": (written_now := rng.randint(0, 5_000)),
            "cache_read_input_tokens": rng.randint(0, 90_000),
            "cache_creation": {
                "ephemeral_5m_input_tokens": written_now,
                "ephemeral_1h_input_tokens": 0,
            },
            "service_tier": "standard",
        }
        message = {"id": f"msg_{word(rng, 22)}", "model": rng.choice(CLAUDE), "role": "assistant"}
        asked = f"req_{word(rng, 22)}"
        out = 0
        for _ in range(rng.randint(1, 2)):
            out += rng.randint(1, 900)
            part = [{"type": "text", "text": text[: rng.randint(0, 3_000)]}]
            body = message | {"content": part, "usage": usage | {"output_tokens": out}}
            yield head | {"type": "assistant", "requestId": asked, "message": body}
            written += 1


def ccusage_tokens(out: str) -> dict[str, int]:
    totals = json.loads(out)["totals"]
    return {
        "input": totals["inputTokens"],
        "cache_read": totals["cacheReadTokens"],
        "cache_write": totals["cacheCreationTokens"],
        "output": totals["outputTokens"],
    }


def our_tokens(out: str) -> dict[str, int]:
    totals = json.loads(out)["totals"]
    names = ("input", "cache_read", "cache_write", "output")
    return {name: totals[f"{name}_tokens"] for name in names}


if __name__ == "__main__":
    main()
