"""Runs the compiled reader of lines under address and undefined-behaviour sanitizers.

    python tests/bench/scan_sanitized.py [--rounds N] [--seed N]

Each round writes 20,000 lines of a format, most of them damaged at random, some very long, some
without their end, and lets a small C program read them, compiled with `-fsanitize`. Ends with 1 at
the first fault that a sanitizer tells of. Needs gcc or clang with their sanitizers.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from sdlc_cli.cost.engine import bodies, claude, lines, shapes
from sdlc_cli.cost.engine.native.build import HERE
from sdlc_cli.cost.engine.shapes import Kind, Shape
from tests.cost.engine.test_bulk import MAKERS
from tests.cost.engine.test_scan import damaged

FLAGS = ("-g", "-O1", "-std=gnu11", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
MAIN = """
#include "%s/scan.c"
static const struct Field fields[] = {%s};
int main(int count, char **files)
{
    struct Repeat repeat = {%s};
    struct ArrowArrayStream *stream = sdlc_scan_open((const char *const *)files + 1, count - 1,
        fields, sizeof fields / sizeof *fields, %dULL, %dULL, &repeat);
    struct ArrowArray rows;
    long found = 0;
    while (!stream->get_next(stream, &rows) && rows.release) {
        found += rows.length;
        rows.release(&rows);
    }
    sdlc_scan_close(stream);
    printf("%%ld rows\\n", found);
    return 0;
}
"""
BARE = (Kind.AMOUNT, Kind.ZERO, Kind.NEVER)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        for kind in MAKERS:
            program = compiled(shape_of(kind, rng), Path(folder))
            for _ in range(asked.rounds):
                log = written(kind, rng, Path(folder))
                done = subprocess.run([program, log], capture_output=True, text=True, check=False)
                print(kind, f"{log.stat().st_size:,} bytes", done.stdout.strip())
                if done.returncode:
                    print(done.stderr)
                    return 1
    return 0


def shape_of(kind: str, rng: random.Random) -> Shape:
    records = [MAKERS[kind](rng, number) for number in range(100)]
    seen = {path for record in records for path in shapes.paths_of(record)}
    around = lines.around(seen, bodies.chat)
    alone = shapes.alone(bodies.chat("", seen))
    return claude.SHAPE if kind == "claude" else around if around and kind != "chat" else alone


def compiled(shape: Shape, folder: Path) -> Path:
    """The reader with a main of its own for the fields of a shape."""
    named = list(shapes.fields(shape.columns))
    places = {path: place for place, (path, _) in enumerate(named)}
    rows = []
    for path, kind in named:
        parent, _, key = path.rpartition("/")
        title = "NULL" if kind in BARE else json.dumps(path)
        rows.append(f"{{{json.dumps(key)}, {title}, {kind:d}, {places.get(parent, -1)}}}")
    repeat = ", ".join(str(places[path]) for path in shape.repeat) or "-1, -1, -1"
    told, usual = (sum(1 << places[path] for path in paths) for paths in (shape.told, shape.usual))
    source = folder / "main.c"
    source.write_text(MAIN % (HERE, ", ".join(rows), repeat, told, usual))
    program = folder / "main"
    subprocess.run([os.environ.get("CC", "cc"), *FLAGS, "-o", program, source], check=True)
    return program


def written(kind: str, rng: random.Random, folder: Path) -> Path:
    log = folder / "log.jsonl"
    with log.open("wb") as out:
        for number in range(20_000):
            line = damaged(rng, json.dumps(MAKERS[kind](rng, number)).encode())
            if rng.random() < 0.001:
                line *= rng.randint(2, 3_000)
            out.write(line + rng.choice((b"\n",) * 99 + (b"\r\n\n",)))
        out.write(b'{"id": "' + rng.randbytes(rng.choice((0, 9, 300_000))))
    return log


if __name__ == "__main__":
    sys.exit(main())
