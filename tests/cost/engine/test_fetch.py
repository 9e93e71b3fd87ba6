"""Logs behind an address, from a server on this machine."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sdlc_cli.core.errors import SdlcError, UsageError, WorkError
from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.engine import fetch, table
from sdlc_cli.cost.engine.usage import open_usage
from sdlc_cli.cost.model import Price

CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_764_000_000,
    "model": "gpt-4o",
    "usage": {"prompt_tokens": 7, "completion_tokens": 1},
}
LINES = json.dumps(CHAT).encode() + b"\nnonsense\n"


class NoPrices:
    """Of no interest here."""

    def price(self, provider: str, model: str, tier: str = "") -> Price:
        return Price(provider=provider, model=model, rates=(), source="")


class Answers(BaseHTTPRequestHandler):
    """A server of a few paths."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/log.jsonl")
            self.end_headers()
            return
        code = {"/gone": 404, "/secret": 403, "/broken": 500}.get(path, 200)
        body = gzip.compress(LINES) if path.endswith(".gz") else LINES
        self.send_response(code)
        self.send_header("Content-Length", str(len(body) + 5 * (path == "/cut")))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["log.jsonl", "log.jsonl.gz", "moved", "log", "log.jsonl?key=x"])
def test_what_a_server_gives_is_read_as_a_file_is(server: str, tmp_path: Path, path: str) -> None:
    address = f"{server}/{path}"
    with open_usage([address], config=CostConfig(), prices=NoPrices(), tmp=tmp_path) as usage:
        report = usage.report()
        (found,) = usage.find("chatcmpl-1")

    shown = address.partition("?")[0]
    assert report.totals.tokens["input"] == 7
    assert [(one.path, one.line) for one in report.rejected] == [(shown, 2)]
    assert (found.path, found.line) == (shown, 1)


@pytest.mark.parametrize(
    ("address", "error", "told"),
    [
        pytest.param("{server}/gone", UsageError, "there is no file or folder {server}/gone"),
        pytest.param("{server}/secret?key=x", WorkError, "cannot read {server}/secret: HTTP 403"),
        pytest.param("{server}/broken", WorkError, "cannot read {server}/broken: HTTP 500"),
        pytest.param("{server}/cut", WorkError, "{server}/cut ended early"),
        pytest.param("http://127.0.0.1:1/a", WorkError, "cannot read http://127.0.0.1:1/a: "),
        pytest.param("http://me:key@127.0.0.1:1/a", UsageError, "no password is taken from"),
        pytest.param("http://[a", UsageError, "http://[a is no address"),
        pytest.param("http://127.0.0.1:1/a b", UsageError, "is no address"),
        pytest.param("http:///a", WorkError, "cannot read http:///a: no host given"),
        pytest.param("http://127.0.0.1:no/a", UsageError, "http://127.0.0.1:no/a is no address"),
        pytest.param("ftp://h/a", UsageError, "ftp:// addresses cannot be read as logs: ftp://h/a"),
        pytest.param("file:///a", UsageError, "file:// addresses cannot be read as logs"),
    ],
)
def test_what_cannot_be_read_is_told_without_a_secret(
    server: str, tmp_path: Path, address: str, error: type[SdlcError], told: str
) -> None:
    with pytest.raises(error) as raised:
        open_usage(
            [address.format(server=server)], config=CostConfig(), prices=NoPrices(), tmp=tmp_path
        )

    assert told.format(server=server) in str(raised.value)
    assert "key" not in str(raised.value)


@pytest.mark.parametrize("scheme", ["s3", "S3", "gs", "r2"])
def test_a_bucket_is_refused_with_the_reason_where_duckdb_cannot_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where extensions are installed

    with pytest.raises(
        UsageError, match="DuckDB's extension httpfs, which cannot be loaded here"
    ) as raised:
        list(fetch.fetched(f"{scheme}://bucket/logs/", tmp_path, lambda _: True))

    assert "httpfs.duckdb_extension" in str(raised.value)
    assert "INSTALL httpfs" in (raised.value.hint or "")
    assert not list(tmp_path.glob(".duckdb/extensions/*/*/*")), "nothing is installed unasked"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("a.jsonl", ["a.jsonl"], id="an object"),
        pytest.param("", ["a.jsonl", "b.jsonl.gz", "deep/c.jsonl"], id="a folder"),
        pytest.param("*.gz", ["b.jsonl.gz"], id="a glob"),
    ],
)
def test_what_an_address_in_a_bucket_stands_for(
    tmp_path: Path, address: str, expected: list[str]
) -> None:
    bucket = tmp_path / "bucket"
    (bucket / "deep").mkdir(parents=True)
    packed = gzip.compress(LINES)
    for name in ("a.jsonl", "b.jsonl.gz", "deep/c.jsonl", "note.txt"):
        (bucket / name).write_bytes(packed if name.endswith(".gz") else LINES)
    with closing(table.connect(tmp_path, threads=1, memory_mib=100)) as con:
        found = fetch.objects(con, f"{bucket}/{address}", lambda name: "json" in name)
        copies = [fetch.copy(con, name, tmp_path) for name in found]

    assert found == [f"{bucket}/{name}" for name in expected]
    for name, copied in zip(expected, copies, strict=True):
        assert copied.read_bytes() == (bucket / name).read_bytes()
        assert copied.suffix == Path(name).suffix


def test_an_empty_folder_of_a_bucket_is_told(tmp_path: Path) -> None:
    with (
        closing(table.connect(tmp_path, threads=1, memory_mib=100)) as con,
        pytest.raises(UsageError, match="no file matches"),
    ):
        fetch.objects(con, f"{tmp_path}/none", lambda name: name.endswith(".jsonl"))
