import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core import proc
from sdlc_cli.core.errors import WorkError

MIB = 2**20


def python(code: str, *words: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code, *words]


def until(true: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


def alive(pid: int) -> bool:
    """A zombie that nobody waits for does not count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self").exists()


# Starts a grandchild that ignores SIGTERM (or not), writes its pid, and waits.
FAMILY = """
import subprocess, sys, time
ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" if sys.argv[2] else ""
sleeper = ignore + "print(1, flush=True); import time; time.sleep(600)"
child = subprocess.Popen([sys.executable, "-I", "-S", "-c", sleeper], stdout=subprocess.PIPE)
child.stdout.read(1)
open(sys.argv[1], "w").write(str(child.pid))
print("started", flush=True)
time.sleep(float(sys.argv[3]))
"""


def test_run_tells_code_output_and_figures(tmp_path: Path) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"

    done = proc.run(python(code), cwd=tmp_path, timeout=60)

    assert (done.code, done.stdout, done.stderr) == (3, "out\n", "err\n")
    assert not done.timed_out
    assert done.seconds > 0
    assert done.peak_bytes > MIB


def test_a_signal_is_a_negative_code(tmp_path: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"

    assert proc.run(python(code), cwd=tmp_path, timeout=60).code == -signal.SIGKILL


def test_no_shell_reads_the_words(tmp_path: Path) -> None:
    code = "import sys; print(sys.argv[1:])"

    done = proc.run(python(code, "a b", "$HOME", "; echo x", "*"), cwd=tmp_path, timeout=60)

    assert done.stdout.strip() == "['a b', '$HOME', '; echo x', '*']"


def test_the_environment_replaces_ours(tmp_path: Path) -> None:
    code = "import os; print(os.environ.get('A'), 'HOME' in os.environ, os.getcwd())"

    done = proc.run(python(code), cwd=tmp_path, environment={"A": "1"}, timeout=60)

    assert done.stdout.split() == ["1", "False", str(tmp_path.resolve())]


@pytest.mark.parametrize("size", [0, 3, 3_000_000])
def test_input_is_written_whole_and_then_closed(size: int, tmp_path: Path) -> None:
    code = "import sys; print(len(sys.stdin.buffer.read()))"

    done = proc.run(python(code), cwd=tmp_path, timeout=60, input=b"x" * size)

    assert done.stdout == f"{size}\n"


def test_without_input_standard_input_is_empty(tmp_path: Path) -> None:
    done = proc.run(python("import sys; print(repr(sys.stdin.read()))"), cwd=tmp_path, timeout=60)

    assert done.stdout == "''\n"


def test_a_child_that_reads_nothing_does_not_stop_us(tmp_path: Path) -> None:
    done = proc.run(python("print('done')"), cwd=tmp_path, timeout=60, input=b"x" * 5_000_000)

    assert (done.code, done.stdout) == (0, "done\n")


def test_large_output_on_both_streams_is_cut_in_the_middle(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "for f in (sys.stdout, sys.stderr):\n"
        "    f.write('begin' + 'x' * 5_000_000 + 'end')\n"
    )

    done = proc.run(python(code), cwd=tmp_path, timeout=60, output_limit=1000)

    for text in (done.stdout, done.stderr):
        assert text.startswith("beginxxx")
        assert text.endswith("xxxend")
        assert f"[{5_000_008 - 1000} bytes left out]" in text
        assert len(text) < 1100


def test_output_at_the_limit_is_whole(tmp_path: Path) -> None:
    done = proc.run(python("print('x' * 999)"), cwd=tmp_path, timeout=60, output_limit=1000)

    assert done.stdout == "x" * 999 + "\n"


def test_bytes_that_are_no_text_are_shown_as_such(tmp_path: Path) -> None:
    code = "import sys; sys.stdout.buffer.write(b'a\\xff\\xc3\\xa9')"

    assert proc.run(python(code), cwd=tmp_path, timeout=60).stdout == "a\ufffdé"


@pytest.mark.parametrize(
    ("words", "cwd", "says"),
    [
        pytest.param(["no-such-program-here"], ".", "was not found", id="missing program"),
        pytest.param([sys.executable], "none", "does not exist", id="missing folder"),
        pytest.param(["./plain"], ".", "could not be started", id="not executable"),
        pytest.param([sys.executable, "a\0b"], ".", "could not be started", id="a NUL"),
    ],
)
@pytest.mark.parametrize("measured", [False, True])
def test_what_cannot_start_is_a_work_error(
    words: list[str], cwd: str, says: str, measured: bool, tmp_path: Path
) -> None:
    (tmp_path / "plain").write_text("text")

    with pytest.raises(WorkError, match=says):
        proc.run(words, cwd=tmp_path / cwd, timeout=60, measured=measured)


@pytest.mark.parametrize("ignores_sigterm", ["", "yes"])
@pytest.mark.parametrize("measured", [False, True])
def test_after_a_timeout_no_grandchild_is_left(
    ignores_sigterm: str, measured: bool, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    command = python(FAMILY, str(pid), ignores_sigterm, "600")

    done = proc.run(command, cwd=tmp_path, timeout=1.5, measured=measured)

    assert done.timed_out
    assert done.code < 0
    assert done.stdout == "started\n"
    assert until(lambda: not alive(int(pid.read_text())))


def test_a_grandchild_that_outlives_the_child_is_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    done = proc.run(python(FAMILY, str(pid), "yes", "0"), cwd=tmp_path, timeout=60)

    assert (done.code, done.timed_out) == (0, False)
    assert until(lambda: not alive(int(pid.read_text())))


def test_a_process_that_left_the_group_and_holds_the_pipe_does_not_hang_us(tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "print('parent', flush=True)\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    open('pid', 'w').write(str(os.getpid()))\n"
        "    time.sleep(30)\n"
        "else:\n"
        "    time.sleep(0.3)\n"
    )
    try:
        done = proc.run(python(code), cwd=tmp_path, timeout=60)

        assert (done.code, done.stdout, done.timed_out) == (0, "parent\n", False)
        assert done.seconds < 20
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_a_child_that_closes_its_output_still_has_its_time(tmp_path: Path) -> None:
    code = "import os, time; os.close(1); os.close(2); time.sleep({}); os._exit(4)"

    ends = proc.run(python(code.format(0.3)), cwd=tmp_path, timeout=60)
    stays = proc.run(python(code.format(600)), cwd=tmp_path, timeout=0.5)

    assert (ends.code, ends.timed_out) == (4, False)
    assert (stays.code, stays.timed_out) == (-signal.SIGTERM, True)


def test_measured_peak_holds_nothing_of_our_own_size(tmp_path: Path) -> None:
    ours = bytearray(b"x") * (200 * MIB)
    small = proc.run(python("pass"), cwd=tmp_path, timeout=60, measured=True)
    large = proc.run(
        python(f"x = bytearray(b'x') * {60 * MIB}"), cwd=tmp_path, timeout=60, measured=True
    )
    del ours

    assert small.peak_bytes < 60 * MIB
    assert 60 * MIB < large.peak_bytes < 120 * MIB


def test_measured_cpu_is_the_childs(tmp_path: Path) -> None:
    code = "import time\nwhile time.process_time() < 0.3: pass\ntime.sleep(0.3)"

    done = proc.run(python(code), cwd=tmp_path, timeout=60, measured=True)

    assert 0.3 <= done.cpu_s < done.seconds
    assert done.code == 0


def test_many_threads_may_run_children(tmp_path: Path) -> None:
    results: list[str] = []

    def work(number: int) -> None:
        done = proc.run(python(f"print({number})"), cwd=tmp_path, timeout=60)
        results.append(done.stdout.strip())

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == [str(n) for n in range(8)]


def test_running_leaves_no_open_file_behind(tmp_path: Path) -> None:
    folder = Path("/dev/fd")
    proc.run(python("pass"), cwd=tmp_path, timeout=60, measured=True)
    before = len(list(folder.iterdir()))
    for measured in (False, True):
        proc.run(python("pass"), cwd=tmp_path, timeout=60, input=b"x", measured=measured)

    assert len(list(folder.iterdir())) == before


OURSELVES = """
import sys, threading
from pathlib import Path
from sdlc_cli.core import proc

def work():
    proc.run([sys.executable, "-c", Path("family.py").read_text(), "pid", "yes", "600"],
             cwd=Path("."), timeout=600)

if sys.argv[1] == "main":
    work()
else:
    with proc.ends_children_on_sigterm():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
"""


@pytest.mark.parametrize(
    ("number", "where", "code"),
    [
        pytest.param(signal.SIGTERM, "main", 143, id="terminated"),
        pytest.param(signal.SIGTERM, "thread", 143, id="terminated, child in a thread"),
        pytest.param(signal.SIGINT, "main", -signal.SIGINT, id="interrupted"),
    ],
)
def test_our_own_end_ends_the_family(
    number: signal.Signals, where: str, code: int, tmp_path: Path
) -> None:
    (tmp_path / "family.py").write_text(FAMILY)
    pid = tmp_path / "pid"
    ourselves = subprocess.Popen(
        [sys.executable, "-c", OURSELVES, where], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    try:
        assert until(lambda: pid.exists() and bool(pid.read_text()))
        ourselves.send_signal(number)

        assert ourselves.wait(30) == code
        assert until(lambda: not alive(int(pid.read_text())))
    finally:
        ourselves.kill()
        ourselves.wait()
