"""Runs the compiled reader of exports under address and undefined-behaviour sanitizers.

    python tests/bench/otlp_sanitized.py [--bodies N] [--seed N]

It writes exports of random spans and of real libraries, most of them damaged, and lets a small C
program read them, each in memory that ends where it ends. Ends with 1 at the first fault that a
sanitizer tells of. Needs gcc or clang with their sanitizers.
"""

import argparse
import gzip
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from sdlc_cli.cost.engine.native.build import HERE
from sdlc_cli.serve import plain
from tests.serve.test_fuzz import DATA, mutated
from tests.serve.test_plain import export

FLAGS = ("-g", "-O1", "-std=gnu11", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
MAIN = """
#include <stdio.h>
#include "%s/otlp.c"
static const struct Name names[] = {%s};
int main(int count, char **files)
{
    FILE *in = fopen(files[count - 1], "rb");
    long bodies = 0, good = 0, spans = 0;
    int32_t size;
    while (in && fread(&size, sizeof size, 1, in) == 1) {
        uint8_t *body = malloc(size);
        if (fread(body, 1, size, in) != (size_t)size)
            return 2;
        struct Export found;
        good += sdlc_otlp_read(body, size, names, sizeof names / sizeof *names, &found);
        spans += found.spans.rows;
        bodies++;
        sdlc_otlp_free(&found);
        free(body);
    }
    printf("%%ld bodies, %%ld plainly right, %%ld spans\\n", bodies, good, spans);
    return !spans;
}
"""


def main() -> int:
    """0 when no sanitizer found a fault."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bodies", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    whole = [gzip.decompress(file.read_bytes()) for file in sorted(DATA.glob("*.pb.gz"))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = compiled(folder)
        with (folder / "bodies").open("wb") as out:
            for _ in range(asked.bodies):
                body = export(chance) if chance.random() < 0.5 else chance.choice(whole)
                if chance.random() < 0.8:
                    body = mutated(chance, body)
                out.write(len(body).to_bytes(4, sys.byteorder) + body)
        done = subprocess.run(
            [program, folder / "bodies"], capture_output=True, text=True, check=False
        )
    print(done.stdout.strip())
    print(done.stderr, file=sys.stderr)
    return int(bool(done.returncode))


def compiled(folder: Path) -> Path:
    """The reader with a main of its own for the names that are wanted."""
    rows = [f'{{"{n.key.decode()}", {n.length}, {n.slot}, {n.rank}}}' for n in plain._NAMES]
    source = folder / "main.c"
    source.write_text(MAIN % (HERE, ", ".join(rows)))
    program = folder / "main"
    subprocess.run([os.environ.get("CC", "cc"), *FLAGS, "-o", program, source], check=True)
    return program


if __name__ == "__main__":
    sys.exit(main())
