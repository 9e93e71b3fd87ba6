"""Who may ask what, and what a hostile client can do: nothing that lasts."""

import gzip
import json
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.core.errors import UsageError, WorkError
from sdlc_cli.serve import keys
from sdlc_cli.serve.settings import Settings, check_bind, is_loopback

JSON = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}
CALL = {"model": "gpt-4o", "provider": "openai", "input_tokens": 1000, "output_tokens": 5}
CANARY = "CANARY-7f3a91"


def command(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "sdlc_cli", "serve", *words],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def new_key(folder: Path, *scopes: str, project: str = "") -> dict[str, str]:
    words = [word for scope in scopes for word in ("--new", scope)]
    done = command(folder, "keys", *words, *(["--project", project] if project else []))
    assert done.returncode == 0, done.stderr
    return {"Authorization": f"Bearer {done.stdout.strip()}"}


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.3.2.1", True), ("::1", True), ("[::1]", True), ("localhost", True),
     ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("example.org", False), ("", False)],
)  # fmt: skip
def test_which_addresses_are_this_machine_alone(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_an_address_that_others_reach_is_refused_without_keys(tmp_path: Path) -> None:
    done = command(tmp_path, "--host", "0.0.0.0", "--port", "0")

    assert done.returncode == 2
    assert "0.0.0.0" in done.stderr
    assert "sdlc serve keys --new" in done.stderr
    with pytest.raises(UsageError):
        check_bind(Settings(store=tmp_path / "x", host="::"), keys=0)
    check_bind(Settings(store=tmp_path / "x", host="::"), keys=1)


def test_a_key_is_kept_as_a_keyed_hash_alone(tmp_path: Path) -> None:
    token = new_key(tmp_path, "ingest")["Authorization"].removeprefix("Bearer ")
    secret = token.rpartition("_")[2] if token.count("_") == 2 else token.split("_", 2)[2]

    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())

    assert secret.encode() not in kept
    assert (tmp_path / "usage.db.secret").stat().st_mode & 0o777 == 0o600
    ring = keys.Keyring(b"p" * 32)
    assert ring.find(token) is None
    assert len(secret) == 43  # 256 bits in base64


@pytest.fixture(scope="module")
def guarded(start_once: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A service with keys: of all scopes, and of one project each."""
    folder = tmp_path_factory.mktemp("guarded")
    made = {
        "admin": new_key(folder, "admin"),
        "ingest": new_key(folder, "ingest"),
        "read": new_key(folder, "read"),
        "shop": new_key(folder, "ingest", "read", project="shop"),
        "search": new_key(folder, "ingest", "read", project="search"),
    }
    (folder / "cost.yaml").write_text(
        "version: 1\nbudgets:\n  - {name: of shop, project: shop, limit_usd: 1}\n"
        "  - {name: of all, limit_usd: 1}\n"
    )
    service = start_once(folder, "--cache-seconds", "0")
    service.keys = made
    return service


READS = ("/api/v1/cost/report", "/api/v1/budgets", "/metrics", "/api/v1/quantum/demo")


@pytest.mark.parametrize("path", [*READS, "/api/v1/cost/track", "/v1/traces"])
@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer sdlc_0_0", "Basic YTpi", "Bearer x\xff"])
def test_without_a_key_nothing_is_done(guarded: Any, path: str, token: str) -> None:
    method = "GET" if path in READS else "POST"

    answer = guarded.ask(method, path, b"{}", {**JSON, "Authorization": token} if token else JSON)

    assert answer.status == 401


@pytest.mark.parametrize(
    ("key", "path", "status"),
    [("ingest", "/api/v1/cost/report", 403), ("read", "/api/v1/cost/report", 200),
     ("admin", "/api/v1/cost/report", 200), ("read", "/metrics", 200), ("shop", "/metrics", 403)],
)  # fmt: skip
def test_a_key_opens_its_scopes(guarded: Any, key: str, path: str, status: int) -> None:
    assert guarded.get(path, **guarded.keys[key]).status == status
    assert guarded.track(CALL, **guarded.keys["read"]).status == 403
    assert guarded.track(CALL, **guarded.keys["ingest"]).status == 200


def test_health_is_open_and_tells_nothing_of_calls(guarded: Any) -> None:
    for path in ("/health", "/health/live", "/health/ready", "/api/v1/openapi.json"):
        assert guarded.get(path).status == 200


def test_a_key_of_one_project_sees_and_touches_no_other(guarded: Any, otlp: Any) -> None:
    shop, search = guarded.keys["shop"], guarded.keys["search"]
    guarded.track({**CALL, "call_id": "same", "project": "shop"}, **shop)
    stolen = {**CALL, "call_id": "same", "project": "shop", "input_tokens": 10**6}
    guarded.track(stolen, **search)
    span = otlp.export(otlp.span(1, otlp.chat("same", **{"gen_ai.usage.input_tokens": 10**7})))
    guarded.ask("POST", "/v1/traces", json.dumps(span), {**JSON, **search})

    mine = guarded.get("/api/v1/cost/report?by=project", **shop).data
    theirs = guarded.get("/api/v1/cost/report?by=project", **search).data

    assert [group["keys"]["project"] for group in mine["groups"]] == ["shop"]
    assert mine["totals"]["input_tokens"] == 1000
    assert [group["keys"]["project"] for group in theirs["groups"]] == ["search"]
    assert guarded.get("/api/v1/cost/report?project=shop", **search).status == 403
    names = [one["name"] for one in guarded.get("/api/v1/budgets", **shop).data["budgets"]]
    assert names == ["of shop"]
    assert guarded.get("/api/v1/budgets", **search).data["budgets"] == []
    asked = json.dumps({"project": "shop", "model": "gpt-4o"})
    assert guarded.ask("POST", "/api/v1/route", asked, {**JSON, **search}).status == 403


def test_a_key_that_is_taken_back_opens_nothing(guarded: Any, otlp: Any) -> None:
    fresh = new_key(guarded.folder, "read")
    name = fresh["Authorization"].split("_")[1]
    otlp.until(lambda: guarded.get("/api/v1/budgets", **fresh).status == 200)

    assert command(guarded.folder, "keys", "--revoke", name).returncode == 0

    otlp.until(lambda: guarded.get("/api/v1/budgets", **fresh).status == 401)
    assert command(guarded.folder, "keys", "--revoke", name).returncode == 2


def test_a_wrong_scope_is_a_wrong_word(tmp_path: Path) -> None:
    assert command(tmp_path, "keys", "--new", "write").returncode == 2


def test_a_secret_that_is_too_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "usage.db.secret").write_bytes(b"short")

    with pytest.raises(WorkError, match="32 bytes"):
        keys.pepper_of(tmp_path / "usage.db", make=True)


def test_answers_have_headers_that_keep_them_to_themselves(service: Any) -> None:
    headers = service.get("/health").headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


def test_pages_of_other_sites_get_nothing(service: Any) -> None:
    origin = {"Origin": "https://evil.example"}

    assert service.get("/api/v1/cost/report", **origin).status == 403
    assert service.track(CALL, **origin).status == 403
    preflight = service.ask("OPTIONS", "/api/v1/cost/track", None, origin)
    assert (preflight.status, preflight.headers.get("access-control-allow-origin")) == (405, None)
    assert service.get("/api/v1/cost/report", Host="evil.example").status == 403
    for broken in ("http://[", "http://[::1", "null", "x"):
        assert service.get("/health", Origin=broken).status == 403
    own = f"127.0.0.1:{service.port}"
    assert service.get("/health", Origin=f"http://{own}", Host=own).status == 200


def test_too_many_requests_are_sent_away(start: Any, tmp_path: Path) -> None:
    service = start(tmp_path, "--rate-limit", "5")

    answers = [service.get("/health/live") for _ in range(30)]

    limited = [answer for answer in answers if answer.status == 429]
    assert 10 <= len(limited) < 25
    assert int(limited[0].headers["retry-after"]) >= 1


def test_a_bomb_is_refused_and_costs_no_memory(start: Any, tmp_path: Path) -> None:
    service = start(tmp_path, "--rate-limit", "0")
    part = gzip.compress(b"\0" * 2**24)  # members one after the other make 1 GiB of a megabyte
    bomb = part * 64
    service.track({**CALL, "call_id": "warm"})
    before = service.memory()
    peak: list[float] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            peak.append(service.memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    headers = {**PROTOBUF, "Content-Encoding": "gzip"}
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(
            lambda _: service.ask("POST", "/v1/traces", bomb, headers).status, range(20)
        ))  # fmt: skip
    over.set()
    watcher.join()

    assert 10**6 <= len(bomb) <= 1.2 * 10**6
    assert set(answers) == {413}
    assert max(peak) - before <= 40
    assert service.get("/health/ready").status == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_100_mb_is_refused_before_20_mib_are_read(service: Any, chunked: bool) -> None:
    sent = 0
    with socket.create_connection(("127.0.0.1", service.port), 30) as connection:
        length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 100000000"
        head = f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\n{length}\r\n"
        connection.sendall(f"{head}Content-Type: application/x-protobuf\r\n\r\n".encode())
        piece = b"\0" * 65_536
        try:
            while sent < 100_000_000:
                connection.sendall(b"10000\r\n" + piece + b"\r\n" if chunked else piece)
                sent += len(piece)
        except OSError:
            pass
        try:
            answer = connection.recv(4096)
        except OSError:
            answer = b""

    # What the system itself buffers between the two comes on top of what was read.
    assert sent < 20 * 2**20 + 8 * 2**20
    assert answer == b"" or b" 413 " in answer.partition(b"\r\n")[0]
    assert service.get("/health/ready").status == 200


def quick(service: Any, number: int) -> list[float]:
    """How long good clients wait, in seconds."""
    times = []
    for place in range(number):
        began = time.perf_counter()
        assert service.track({**CALL, "call_id": f"q-{began}-{place}"}).status == 200
        times.append(time.perf_counter() - began)
    return sorted(times)


def test_half_open_connections_do_not_hold_up_others(service: Any) -> None:
    alone = quick(service, 40)
    open_: list[socket.socket] = []
    try:
        for number in range(500):
            made = socket.create_connection(("127.0.0.1", service.port), 10)
            made.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            if number % 2:
                made.sendall(
                    b"a\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{"
                )
            open_.append(made)
        beside = quick(service, 40)
    finally:
        for made in open_:
            made.close()

    # The median bears the noise of a shared machine; bench/serve_faults.py tells the p99.
    assert beside[20] <= 2 * alone[20] + 0.02


def test_a_request_that_never_ends_is_ended(service: Any) -> None:
    with socket.create_connection(("127.0.0.1", service.port), 30) as slow:
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        began = time.monotonic()
        slow.settimeout(25)
        answer = slow.recv(4096)

    assert b" 408 " in answer.partition(b"\r\n")[0]
    assert 8 <= time.monotonic() - began <= 20


@pytest.mark.parametrize("headers", [b"X-Long: " + b"a" * 40_000, b"X: y\r\n" * 8_000])
def test_a_head_that_is_too_large_is_refused(service: Any, headers: bytes) -> None:
    with socket.create_connection(("127.0.0.1", service.port), 10) as connection:
        try:
            connection.sendall(
                b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n\r\n"
            )
            answer = connection.recv(4096)
        except OSError:
            answer = b""

    assert answer == b"" or b" 431 " in answer.partition(b"\r\n")[0]


@pytest.mark.parametrize("words", [b"\x16\x03\x01\x02\0\1", b"GET\r\n\r\n", b"\0" * 100])
def test_what_is_no_http_is_400(service: Any, words: bytes) -> None:
    with socket.create_connection(("127.0.0.1", service.port), 10) as connection:
        connection.sendall(words)
        assert b" 400 " in connection.recv(4096)


def test_the_content_of_prompts_is_nowhere(start: Any, tmp_path: Path, otlp: Any) -> None:
    service = start(tmp_path)
    secret = {
        "gen_ai.prompt.0.content": CANARY,
        "gen_ai.input.messages": json.dumps([{"content": CANARY}]),
        "llm.input_messages.0.message.content": CANARY,
        "input.value": CANARY,
        "gen_ai.system_instructions": CANARY,
    }
    span = otlp.span(1, otlp.chat("canary", **secret), events=[{"name": CANARY}])
    span["name"] = CANARY
    bodies = [json.dumps(otlp.export(span)).encode()]
    bodies += [bodies[0][:-20], bodies[0].replace(b'"1000"', b'"-1"')]
    for body in bodies:
        service.ask("POST", "/v1/traces", body, JSON)
        packed = gzip.compress(body)
        service.ask("POST", "/v1/traces", packed, {**JSON, "Content-Encoding": "gzip"})
    service.track({**CALL, "prompt": CANARY})
    service.track(f"{CANARY}")
    service.get(f"/{CANARY}?{CANARY}=1", **{"X-Canary": CANARY, "User-Agent": CANARY})
    live = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    metrics = service.get("/metrics").body
    service.stop()

    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    assert len(service.rows()) == 1
    for place in (live, kept, metrics, json.dumps(service.log).encode()):
        assert CANARY.encode() not in place


HOSTILE = (
    "=cmd()|' /C calc'!A0",
    "<script>alert(1)</script>",
    'a"b\\c',
    "two\nlines",
    "\x1b[31mred\x1b[0m",
    "a\0b",
    "ünï-☃-😀",
    "'; DROP TABLE sdlc_usage; --",
    "a" * 400,
)


def test_hostile_names_are_harmless(start: Any, tmp_path: Path) -> None:
    service = start(tmp_path, "--cache-seconds", "0")
    for number, name in enumerate(HOSTILE):
        call = {**CALL, "model": name, "project": name, "user": name, "call_id": f"h-{number}",
                "tags": {name: name}, "provider": name}  # fmt: skip
        assert service.track(call).status == 200, name

    report = service.get("/api/v1/cost/report?by=model&by=project")
    text = service.get("/metrics").body.decode()
    done = subprocess.run(
        [sys.executable, "-m", "sdlc_cli", "cost", "report", "sqlite:///usage.db",
         "--by", "project", "-f", "csv"], cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert report.data["calls"] == len(HOSTILE)
    assert report.headers["content-type"] == "application/json"
    for line in text.splitlines():
        assert line.isprintable(), line
        assert line.startswith("#") or line.rpartition(" ")[2].replace(".", "").isdigit(), line
    assert "<script>" not in text
    assert not any(cell.startswith("=") for cell in done.stdout.replace('"', "").split(","))
    assert "\x1b" not in done.stdout


def test_label_values_are_bounded(start: Any, tmp_path: Path) -> None:
    service = start(tmp_path)
    many = [{**CALL, "model": f"m-{i}", "project": f"p-{i}"} for i in range(400)]
    assert service.track(many).status == 200

    text = service.get("/metrics").body.decode()

    models = {line.split('"')[1] for line in text.splitlines() if line.startswith("llm_cost_usd")}
    assert len(models) <= 101
    assert "other" in models


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from sdlc_cli.serve import run

    monkeypatch.setattr(run, "NEEDED", ("no_such_package.at_all",))

    with pytest.raises(WorkError) as caught:
        run.check_installed()

    assert caught.value.hint == "pip install 'sdlc-cli[serve]'"


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        done = command(tmp_path, "--port", str(taken.getsockname()[1]))

    assert done.returncode == 3
    assert "cannot be bound" in done.stderr


def test_a_store_is_kept_by_one_service(start: Any, tmp_path: Path) -> None:
    service = start(tmp_path)

    done = command(tmp_path, "--port", "0")

    assert done.returncode == 3
    assert "another `sdlc serve` keeps usage.db" in done.stderr
    assert service.stop() == 143
    assert start(tmp_path).get("/health/ready").status == 200


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = command(tmp_path, "--port", "0", "--store", "sqlite:///no/such/usage.db")

    assert done.returncode == 3
    assert "cannot be written" in done.stderr


def test_options_come_from_the_environment(start: Any, tmp_path: Path) -> None:
    service = start(tmp_path, SDLC_SERVE_STORE="sqlite:///other.db", SDLC_SERVE_NO_METRICS="1")

    assert service.get("/metrics").status == 404
    assert (tmp_path / "other.db").exists()
