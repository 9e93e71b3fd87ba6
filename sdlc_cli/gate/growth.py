"""Names the functions that grew: both sides profiled, their own times set side by side."""

import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sdlc_cli.core import proc
from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import pycommand
from sdlc_cli.gate.options import Benchmark
from sdlc_cli.gate.sampling import Side

PROFILER = Path(__file__).with_name("profiler.py")
_RUNS = 5  # of each side; the least counts, since a busy machine only adds
_SECONDS = 60.0  # after which no other run is begun
_MOST = 5
_LEAST = 0.1  # share of the whole growth that a function must have to be named
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")

Profile = Mapping[tuple[str, str], tuple[float, float]]  # (file, function): calls, own seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """A function's own time in one iteration, before and after, as the profiler saw it."""

    function: str
    path: str
    base_s: float
    head_s: float
    base_calls: float
    head_calls: float


def grown(benchmark: Benchmark, base: Side, head: Side) -> tuple[Growth, ...]:
    """At most five functions, the one that grew most first; none for what is not Python.

    Raises WorkError when a profile cannot be taken.
    """
    before: list[Profile] = []
    after: list[Profile] = []
    until = time.monotonic() + _SECONDS
    for number in range(_RUNS):
        if number and time.monotonic() > until:
            break
        for side, profiles in ((base, before), (head, after)):
            seen = profile(benchmark, side)
            if seen is None:
                return ()
            profiles.append(seen)
    return difference(_least(before), _least(after))


def difference(before: Profile, after: Profile) -> tuple[Growth, ...]:
    """The functions whose own time grew, if the whole did."""
    none = (0.0, 0.0)
    rows = [
        Growth(
            function=key[1],
            path=key[0],
            base_s=before.get(key, none)[1],
            head_s=after.get(key, none)[1],
            base_calls=before.get(key, none)[0],
            head_calls=after.get(key, none)[0],
        )
        for key in {**before, **after}
    ]
    whole = sum(row.head_s - row.base_s for row in rows)
    rows.sort(key=lambda row: (row.base_s - row.head_s, row.path, row.function))
    named = [row for row in rows if row.head_s - row.base_s >= _LEAST * whole]
    return tuple(named[:_MOST]) if whole > 0 else ()


def _least(profiles: Sequence[Profile]) -> Profile:
    """Each function's run with the least own time; one that a run did not call is left out."""
    keys = set.intersection(*(set(one) for one in profiles))
    return {key: min((one[key] for one in profiles), key=lambda times: times[1]) for key in keys}


def profile(benchmark: Benchmark, side: Side) -> Profile | None:
    """One run under cProfile; None for what is not Python. Raises WorkError."""
    rows = _run(benchmark, side)
    if rows is None:
        return None
    found: defaultdict[tuple[str, str], tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for file, function, calls, seconds in rows:
        key = (shown(file, side.root), _ADDRESS.sub("", function))
        found[key] = (found[key][0] + calls, found[key][1] + seconds)
    return found


def strays(benchmark: Benchmark, side: Side, project: Path) -> bool:
    """Whether the benchmark runs code of the folder `project` instead of the side's own.

    An editable installation can lead there. Raises WorkError when nothing can be found out.
    """
    rows = _run(benchmark, side) or []
    outside = side.environment.root
    return any(
        Path(file).is_relative_to(project)
        and not (outside and Path(file).is_relative_to(outside))
        and "site-packages" not in Path(file).parts
        for file, *_ in rows
    )


def _run(benchmark: Benchmark, side: Side) -> list[tuple[str, str, float, float]] | None:
    """What the profiler wrote: file, function, calls and own seconds."""
    words = _words(benchmark, side)
    if words is None:
        return None
    interpreter, rest = words
    with tempfile.TemporaryDirectory(prefix="sdlc-") as folder:
        out = Path(folder) / "profile.json"
        text = PROFILER.read_text(encoding="utf-8")
        proc.run(
            (*interpreter, "-c", text, str(out), *rest),
            cwd=side.cwd,
            environment=side.environ(0),
            timeout=benchmark.timeout,
        )
        try:
            return msgspec.json.decode(out.read_bytes(), type=list[tuple[str, str, float, float]])
        except (OSError, msgspec.MsgspecError) as error:
            raise WorkError(
                msg("benchmark {name} could not be profiled", name=benchmark.name)
            ) from error


def _words(benchmark: Benchmark, side: Side) -> tuple[Sequence[str], Sequence[str]] | None:
    """Interpreter with its options, and the profiler's words; None for what is not Python."""
    if benchmark.test:
        return None
    if benchmark.callable:
        numbers = (str(benchmark.iterations), str(benchmark.warmup))
        return (str(side.environment.python),), ("callable", benchmark.callable, *numbers)
    program = pycommand.parse(benchmark.command, side.environment, side.cwd)
    if program is None:
        return None
    return program.interpreter, (program.mode, program.target, *program.arguments)


def shown(file: str, root: Path) -> str:
    """A file's name that is the same on both sides, and short."""
    if not file or file.startswith("<"):
        return ""
    path = Path(file)
    if path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    parts = path.parts
    for mark in ("site-packages", "dist-packages"):
        if mark in parts:
            return "/".join(parts[parts.index(mark) + 1 :])
    return "/".join(parts[-2:])
