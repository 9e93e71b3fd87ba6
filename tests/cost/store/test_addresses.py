"""What an address means, and what is said where a store cannot be asked."""

import importlib.util
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.machinery import ModuleSpec
from pathlib import Path
from threading import Thread

import pytest

from sdlc_cli.core.errors import SdlcError, UsageError, WorkError
from sdlc_cli.cost import store
from sdlc_cli.cost.engine import remote
from sdlc_cli.cost.model import Row
from sdlc_cli.cost.store import migrate, sqlite

DOCS = Path(__file__).parents[3] / "docs" / "cost-engines.md"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("postgresql://host/db", True),
        ("postgres://host", True),
        ("ClickHouse://host:8123", True),
        ("sqlite:///usage.db", True),
        ("s3://bucket/logs", False),
        ("sqlite", False),
        ("logs/postgresql", False),
        ("-", False),
    ],
)
def test_which_paths_are_stores(path: str, expected: bool) -> None:
    assert remote.is_address(path) is expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("sqlite:///usage.db", "usage.db"),
        ("sqlite:////var/lib/usage.db", "/var/lib/usage.db"),
        ("sqlite:///a%20b.db", "a b.db"),
    ],
)
def test_the_file_of_an_address(address: str, expected: str) -> None:
    assert sqlite.file_of(address) == Path(expected)


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        pytest.param(["sqlite:///"], "names no file", id="no file"),
        pytest.param(["sqlite://usage.db"], "names no file", id="two slashes"),
        pytest.param(["sqlite:///no.db"], "there is no file", id="missing"),
        pytest.param(["sqlite:///a.db", "logs/"], "counted alone", id="beside files"),
        pytest.param(["sqlite:///a.db", "postgres://h"], "counted alone", id="two kinds"),
        pytest.param(["postgres://h/a", "postgres://h/b"], "counted alone", id="two databases"),
        pytest.param(["sqlite:///a.db#x;drop"], "no name of a table", id="table"),
    ],
)
def test_addresses_that_are_refused(paths: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        remote.opened(paths, tmp_path)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("postgresql://ada:secret@host:5432/db?sslmode=require", "postgresql://ada@host:5432/db"),
        ("clickhouse://host/db?secure=true", "clickhouse://host/db"),
    ],
)
def test_a_password_is_never_shown(address: str, expected: str) -> None:
    assert remote.shown(address) == expected


@pytest.mark.parametrize(
    ("address", "package", "extra"),
    [
        ("postgresql://ada:secret@host/db", "psycopg", "postgres"),
        ("postgresql://ada:secret@host/db", "sqlglot", "postgres"),
        ("clickhouse://ada:secret@host/db", "sqlglot", "clickhouse"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str, package: str, extra: str
) -> None:
    found = importlib.util.find_spec

    def without(name: str, parent: str | None = None) -> ModuleSpec | None:
        present = ModuleSpec(name, None) if name in ("psycopg", "sqlglot") else found(name, parent)
        return None if name == package else present

    monkeypatch.setattr(importlib.util, "find_spec", without)

    with pytest.raises(WorkError, match=f"needs the package {package}") as caught:
        remote.opened([address], tmp_path)

    assert caught.value.hint == f"pip install 'sdlc-cli[{extra}]'"
    assert "secret" not in str(caught.value)


def _needs(*packages: str) -> None:
    for package in packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")


@pytest.mark.parametrize("scheme", ["postgresql", "clickhouse"])
def test_a_server_that_does_not_answer(scheme: str, tmp_path: Path) -> None:
    _needs("sqlglot", *(["psycopg"] if scheme == "postgresql" else []))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, so that nobody takes it; nobody listens

        with pytest.raises(WorkError) as caught:
            remote.opened([f"{scheme}://u:secret@127.0.0.1:{closed.getsockname()[1]}/d"], tmp_path)

    assert "refused" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_clickhouse_complains_of_is_told(tmp_path: Path) -> None:
    _needs("sqlglot")
    seen: list[tuple[str | None, str | None]] = []

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            names = ("X-ClickHouse-User", "X-ClickHouse-Key")
            seen.append((self.headers[names[0]], self.headers[names[1]]))
            self.send_response(403)
            self.end_headers()
            self.wfile.write(b"Code: 516. DB::Exception: ada: Authentication failed\nmore")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        with pytest.raises(SdlcError, match=r"ClickHouse says: Code: 516.* failed$"):
            remote.opened([f"clickhouse://ada:p%40ss@127.0.0.1:{server.server_port}/d"], tmp_path)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert seen == [("ada", "p@ss")]


def test_a_row_comes_back_as_it_went_in() -> None:
    row = Row(ts=5, model="m", tier="batch", tags='{"a":"b"}', dedupe="x", rank=-3, status="error")
    row.known, row.input, row.max_output, row.request_hash = False, 7, 9, "r"

    assert store.row(store.record(row)) == row
    assert store.row(store.record(Row())) == Row()


def test_the_hash_of_a_call_never_changes() -> None:
    assert store.digest("chatcmpl-1") == HASH
    assert store.digest("") is None


HASH = int.from_bytes(bytes.fromhex("05ceaaf605966fc6"), "big", signed=True)


def test_a_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    import sqlite3

    file = tmp_path / "usage.db"
    sqlite.load(file, [Row()])
    with sqlite3.connect(file) as con:
        con.execute(f"PRAGMA user_version = {migrate.NEWEST + 1}")
    con.close()

    with pytest.raises(WorkError, match="later sdlc"):
        list(sqlite.read(file))


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    file = tmp_path / "usage.db"
    file.write_text("not a database at all, but long enough to look at" * 20)

    with pytest.raises(WorkError, match="SQLite says"):
        list(sqlite.read(file))


def test_a_load_that_fails_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "usage.db"
    sqlite.load(file, [Row()])

    def torn() -> Iterator[Row]:
        yield Row()
        raise WorkError("the log ends here")

    with pytest.raises(WorkError, match="ends here"):
        sqlite.load(file, torn())

    assert len(list(sqlite.read(file))) == 1


def test_the_example_of_the_page_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (code,) = (
        part.partition("```")[0]
        for part in DOCS.read_text(encoding="utf-8").split("<!-- run -->\n```python\n")[1:]
    )
    (tmp_path / "examples").symlink_to(DOCS.parents[1] / "examples")
    monkeypatch.chdir(tmp_path)

    exec(compile(code, str(DOCS), "exec"), {})

    rows = list(sqlite.read(Path("usage.db")))
    assert capsys.readouterr().out == f"{len(rows)} rows\n"
    assert rows
