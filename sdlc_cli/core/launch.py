"""Run as a script: starts a program, waits for it, and writes its figures to an open file.

Linux charges a child with the size of whoever started it (its ru_maxrss begins at the parent's
peak). So `core.proc` has this small interpreter (`-I -S`) start what is to be measured.

    launch.py FD PROGRAM [WORD…]

It writes `CODE WALL_NS CPU_NS MAXRSS` (ru_maxrss in the system's unit), or `errno N` when the
program cannot be started. It imports nothing of the package.
"""

import os
import signal
import sys
import time


def main(out: int, command: list[str]) -> int:
    """The launcher's own exit code says nothing: what counts is written to `out`."""
    os.set_inheritable(out, False)
    start = time.perf_counter_ns()
    try:
        pid = os.posix_spawnp(
            command[0], command, os.environ, setsigdef=[signal.SIGPIPE, signal.SIGXFSZ]
        )
    except OSError as error:
        os.write(out, b"errno %d" % (error.errno or 0))
        return 127
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter_ns() - start
    cpu = int((usage.ru_utime + usage.ru_stime) * 1e9)
    code = os.waitstatus_to_exitcode(status)
    os.write(out, b"%d %d %d %d" % (code, wall, cpu, usage.ru_maxrss))
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
