import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core import config
from sdlc_cli.core.errors import ConfigError, WorkError
from sdlc_cli.gate.config import GatesFile
from sdlc_cli.gate.engines.service_load import check
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.options import Disturbance, Load, LoadLimits, LoadRequest
from sdlc_cli.gate.source import Project

# A keep-alive server whose paths behave differently. argv: port. `/stall` sleeps once, a second,
# on its 20th request, with a lock held that all other requests need.
SERVER = """
import http.server, itertools, os, sys, threading, time
lock, count = threading.Lock(), itertools.count(1)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def do_GET(self):
        n = next(count)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/stall":
            with lock:
                if n == 20:
                    time.sleep(1)
        if self.path == "/slow":
            time.sleep(0.15)
        self.send_response(503 if self.path == "/half" and n % 2 else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    do_POST = do_GET
    def log_message(self, *args):
        pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
# Keeps one server alive, as a supervisor does. argv: port.
SUPERVISOR = """
import subprocess, sys
while True:
    subprocess.run([sys.executable, "-I", "server.py", sys.argv[1]])
"""
CALM = LoadLimits(p95=1.0)  # these tests share their machine with others


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def drive(tmp_path: Path, port: int) -> Callable[..., Measurement]:
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "supervisor.py").write_text(SUPERVISOR)

    def measure(path: str = "/", program: str = "server.py", **options: object) -> Measurement:
        command = (sys.executable, "-I", program, str(port))
        settings: dict[str, object] = {
            "command": command,
            "url": f"http://127.0.0.1:{port}",
            "python": sys.prefix,
            "requests": (LoadRequest(path=path),),
            "rate": 50,
            "duration": 1,
            "warmup": 0.2,
            "bursts": (),
            "rounds": 1,
            "limits": CALM,
        }
        project = Project(root=tmp_path, base=tmp_path, files=())
        return check(project, "load", Load(**{**settings, **options}))  # type: ignore[arg-type]

    return measure


def phases(measured: Measurement) -> list[dict[str, object]]:
    rows = measured.metrics["phases"]
    assert isinstance(rows, list)
    return rows


def test_a_quick_service_keeps_all_limits(drive: Callable[..., Measurement]) -> None:
    measured = drive(bursts=(25, 50))

    assert (measured.outcome, measured.score, measured.findings) == ("judged", 100.0, ())
    rows = phases(measured)
    assert [row["phase"] for row in rows] == [
        "50 requests a second", "bursts of 25", "bursts of 50",
    ]  # fmt: skip
    assert [row["requests"] for row in rows] == [50, 25, 50]
    assert all(row["errors"] == {} for row in rows)


def test_a_stall_shows_in_all_requests_that_were_due_meanwhile(
    drive: Callable[..., Measurement],
) -> None:
    measured = drive("/stall", duration=2, limits=LoadLimits(p95=0.5))

    row = phases(measured)[0]
    # One second of 100 requests at 50 a second: a closed loop would have sent just one of them
    # into the stall, and shown it in the maximum alone.
    assert float(str(row["p99_s"])) > 0.9
    assert float(str(row["p95_s"])) > 0.7
    assert [finding.rule for finding in measured.findings] == ["over-limit"]
    assert measured.findings[0].context == "50 requests a second p95"
    assert measured.score is not None
    assert 50 < measured.score < 100


def test_errors_are_counted_by_kind_and_judged(drive: Callable[..., Measurement]) -> None:
    measured = drive("/half", warmup=0)

    assert phases(measured)[0]["errors"] == {"status 503": 25}
    (finding,) = measured.findings
    assert finding.message == (
        "50 requests a second: 50 % of the requests failed (25 status 503), 0.5 % is allowed"
    )
    assert measured.score == pytest.approx((100 + 1) / 2)


def test_a_status_that_is_expected_is_no_error(drive: Callable[..., Measurement]) -> None:
    measured = drive(requests=(LoadRequest(path="/half", status=(200, 503)),))

    assert measured.score == 100.0


def test_requests_come_by_their_weights(drive: Callable[..., Measurement]) -> None:
    good, bad = LoadRequest(weight=4), LoadRequest(method="POST", body="{}", status=(418,))
    measured = drive(requests=(good, bad))

    assert phases(measured)[0]["errors"] == {"status 200": 10}


def test_a_slow_service_misses_its_throughput(drive: Callable[..., Measurement]) -> None:
    measured = drive("/half", warmup=0, limits=LoadLimits(p95=None, errors=100, throughput=40))

    (finding,) = measured.findings
    assert finding.context == "50 requests a second throughput"
    assert measured.score is not None
    assert 75 < measured.score < 85  # all errors allowed: 100, and 25 of 40: 62.5


def test_a_service_that_never_answers_is_an_error(tmp_path: Path, port: int) -> None:
    silent = f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(60)"
    options = Load(
        command=(sys.executable, "-c", silent),
        url=f"http://127.0.0.1:{port}",
        python=sys.prefix,
        rate=20, duration=0.5, warmup=0, bursts=(), timeout=0.3,
    )  # fmt: skip

    measured = check(Project(root=tmp_path, base=tmp_path, files=()), "load", options)

    assert measured.outcome == "error"
    assert measured.reason == "no request was answered: timeout"


def test_a_busy_client_proves_nothing(
    drive: Callable[..., Measurement], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdlc_cli.gate.engines.service_load.LAG_SHARE", -1)

    measured = drive()

    assert measured.outcome == "inconclusive"
    assert "too busy to send requests when they were due" in measured.reason


def test_too_many_waiting_requests_prove_nothing(
    drive: Callable[..., Measurement], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdlc_cli.gate.traffic.drive.MOST_OPEN", 2)

    measured = drive("/slow")

    assert measured.outcome == "inconclusive"
    assert "were not sent" in measured.reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "by"),
    [
        pytest.param("supervisor.py", "service", id="a supervisor starts it again"),
        pytest.param("server.py", "gate", id="nobody else does"),
    ],
)
def test_recovery_after_a_kill(drive: Callable[..., Measurement], program: str, by: str) -> None:
    measured = drive(program=program, disturb=(Disturbance(kind="kill", recovery=5),))

    row = phases(measured)[-1]
    assert (measured.outcome, measured.score) == ("judged", 100.0), measured
    assert row["restarted_by"] == by
    assert row["errors"]
    assert 0 < float(str(row["recovery_s"])) < 5


@pytest.mark.slow
def test_recovery_after_a_pause_counts_from_its_end(drive: Callable[..., Measurement]) -> None:
    one = Disturbance(kind="pause", duration=1, recovery=2)
    measured = drive(disturb=(one,), limits=LoadLimits(p95=0.5))

    row = phases(measured)[-1]
    assert (measured.outcome, measured.score) == ("judged", 100.0), measured
    assert row["errors"] == {}
    assert float(str(row["max_s"])) > 0.9
    assert float(str(row["recovery_s"])) < 2


@pytest.mark.slow
def test_recovery_after_a_delay_and_the_way_back(drive: Callable[..., Measurement]) -> None:
    one = Disturbance(kind="delay", duration=0.5, delay=0.6, recovery=2)
    measured = drive(disturb=(one, one), limits=LoadLimits(p95=0.5))

    assert (measured.outcome, measured.score) == ("judged", 100.0), measured
    first, second = phases(measured)[1:]
    assert float(str(first["max_s"])) >= 0.6
    assert (first["phase"], second["phase"]) == ("delay, number 1", "delay, number 2")


@pytest.mark.slow
def test_a_service_that_stays_dead_did_not_recover(
    drive: Callable[..., Measurement], tmp_path: Path, port: int
) -> None:
    mortal = (
        "import pathlib, runpy, sys\n"
        "if pathlib.Path('lived').exists(): sys.exit(1)\n"
        "pathlib.Path('lived').touch()\n"
        "runpy.run_path('server.py')\n"
    )
    (tmp_path / "mortal.py").write_text(mortal)

    measured = drive(program="mortal.py", disturb=(Disturbance(kind="kill", recovery=1),))

    (finding,) = measured.findings
    assert finding.message == "kill, number 1: answers were not good again within 1 s"
    assert measured.score == pytest.approx(100 * 2 / 3)


def test_nothing_runs_without_gates_yaml(tmp_path: Path) -> None:
    project = Project(root=tmp_path, base=tmp_path, files=(), configured=False)

    measured = check(project, "load", Load(url="http://127.0.0.1:1", command=("touch", "ran")))

    assert measured.outcome == "skipped"
    assert not (tmp_path / "ran").exists()


def test_a_service_that_is_not_there_is_named(tmp_path: Path, port: int) -> None:
    project = Project(root=tmp_path, base=tmp_path, files=())

    with pytest.raises(WorkError, match=f"127.0.0.1:{port} cannot be reached"):
        check(project, "load", Load(url=f"http://127.0.0.1:{port}"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("{}", "gates.load.url: missing, and needed here", id="no address"),
        pytest.param("{url: http://h:1}", "gates.load.url: h is not this machine", id="host"),
        pytest.param("{url: http://h:1, allow_host: g}", "gates.load.url: h is not", id="other"),
        pytest.param(
            "{url: http://h:1, allow_host: h, command: run}",
            "gates.load.command: a service that is started here",
            id="started, and elsewhere",
        ),
        pytest.param("{url: 'http://h:x'}", "gates.load.url: must be an address", id="port"),
        pytest.param("{url: http://localhost/x}", "gates.load.url: must be", id="path"),
        pytest.param("{url: http://localhost, requests: []}", "gates.load.requests", id="none"),
        pytest.param(
            "{url: http://localhost, rate: 1000, duration: 101s}",
            "gates.load.duration: rate times duration",
            id="too many",
        ),
        pytest.param(
            "{url: http://localhost, limits: {throughput: 21}}",
            "gates.load.limits.throughput: more than the rate",
            id="throughput",
        ),
        pytest.param(
            "{url: http://localhost, disturb: [{kind: kill}]}",
            "gates.load.disturb[0].kind: needs command",
            id="kill whom",
        ),
        pytest.param(
            '{url: http://localhost, requests: [{headers: {a: "b\\nc"}}]}',
            "gates.load.requests[0].headers.a",
            id="line break in a header",
        ),
    ],
)
def test_mistakes_are_told(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.read(f"version: 1\ngates:\n  load: {text}\n", "gates.yaml", GatesFile, {})

    assert any(problem in one for one in caught.value.problems), caught.value.problems


@pytest.mark.parametrize(
    "text",
    [
        "{url: http://localhost:8000, command: run}",
        "{url: https://load.example.org, allow_host: load.example.org}",
        "{url: 'http://[::1]:1', limits: {p99: 1s}, disturb: [{kind: delay, delay: 50ms}]}",
    ],
)
def test_what_may_be_written(text: str) -> None:
    read = config.read(f"version: 1\ngates:\n  load: {text}\n", "gates.yaml", GatesFile, {})

    assert isinstance(read.gates, dict)
    assert isinstance(read.gates["load"], Load)
