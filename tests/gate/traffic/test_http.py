import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sdlc_cli.gate.traffic import http
from sdlc_cli.gate.traffic.http import BrokenAnswerError, Client, Prepared, prepare
from sdlc_cli.gate.traffic.proxy import Proxy

Asked = Callable[[Client], Awaitable[None]]


async def _head_of(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def served(
    answers: list[bytes], do: Callable[[Client, int], Awaitable[None]], *, closes: bool = False
) -> list[tuple[int, bytes]]:
    """What a server saw, as (connection, head), that gives `answers` one after the other."""
    seen: list[tuple[int, bytes]] = []
    left = list(answers)
    numbers = iter(range(1000))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(numbers)
        while left and (head := await _head_of(reader)):
            seen.append((number, head))
            answer = left.pop(0)
            writer.write(answer)
            await writer.drain()
            if closes or not answer:
                break
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = Client("127.0.0.1", port)
        try:
            async with asyncio.timeout(5):
                await do(client, port)
        finally:
            client.close()
            server.close()
            await asyncio.sleep(0.01)

    asyncio.run(main())
    return seen


def ask(answers: list[bytes], request: Prepared, *, closes: bool = False) -> int:
    statuses: list[int] = []

    async def do(client: Client, port: int) -> None:
        statuses.append(await client.ask(request))

    served(answers, do, closes=closes)
    return statuses[0]


GET = prepare("test")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("answer", "closes", "status"),
    [
        pytest.param(OK, False, 200, id="length"),
        pytest.param(b"HTTP/1.1 204 \r\n\r\n", False, 204, id="no body"),
        pytest.param(b"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", False, 404, id="no reason"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nuntil the end", True, 200, id="until closed"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2;x=y\r\nok\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
            False, 200, id="chunked",
        ),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, False, 200, id="after a 100"),
    ],
)  # fmt: skip
def test_answers_are_read_to_their_end(answer: bytes, closes: bool, status: int) -> None:
    assert ask([answer], GET, closes=closes) == status


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"SSH-2.0-OpenSSH\r\n", id="another protocol"),
        pytest.param(b"HTTP/2 200 OK\r\n\r\n", id="another version"),
        pytest.param(b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", id="no header"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", id="length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", id="lengths"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
            id="length and chunks",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", id="huge"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n", id="long line"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="chunk size"
        ),
    ],
)
def test_what_is_no_answer_is_refused(answer: bytes) -> None:
    with pytest.raises(BrokenAnswerError):
        ask([answer], GET)


def test_an_answer_that_breaks_off_is_an_error() -> None:
    with pytest.raises(EOFError):
        ask([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"], GET, closes=True)


def test_a_connection_is_used_again() -> None:
    async def do(client: Client, port: int) -> None:
        for _ in range(3):
            assert await client.ask(GET) == 200

    assert [number for number, _head in served([OK] * 3, do)] == [0, 0, 0]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"), id="close"),
        pytest.param(OK.replace(b"1.1", b"1.0"), id="HTTP/1.0"),
    ],
)
def test_a_connection_is_not_used_again_against_the_servers_word(answer: bytes) -> None:
    async def do(client: Client, port: int) -> None:
        assert await client.ask(GET) == 200
        assert await client.ask(GET) == 200

    assert [number for number, _head in served([answer, answer], do)] == [0, 1]


def test_only_what_may_be_repeated_is_sent_again_over_a_new_connection() -> None:
    async def do(client: Client, port: int) -> None:
        assert await client.ask(GET) == 200
        assert await client.ask(GET) == 200  # the second connection answers it
        with pytest.raises(EOFError):
            await client.ask(prepare("test", method="POST"))

    seen = served([OK, b"", OK, b"", OK], do)

    assert [number for number, _head in seen] == [0, 0, 1, 1]


def test_connections_stand_open_before_a_burst() -> None:
    async def do(client: Client, port: int) -> None:
        await client.open(3)
        assert await asyncio.gather(*(client.ask(GET) for _ in range(3))) == [200] * 3

    assert len({number for number, _head in served([OK] * 3, do)}) == 3


def test_a_request_is_written_as_asked() -> None:
    made = prepare(
        "h:1", method="POST", path="/a?b", headers={"host": "other", "X-Y": "z"}, body=b"{}"
    )

    head, _, body = made.data.partition(b"\r\n\r\n")
    assert body == b"{}"
    assert head.split(b"\r\n")[0] == b"POST /a?b HTTP/1.1"
    assert {b"host: other", b"X-Y: z", b"Content-Length: 2"} < set(head.split(b"\r\n"))
    assert b"Host: h:1" not in head


def test_a_header_cannot_smuggle_a_line() -> None:
    with pytest.raises(ValueError, match="line break"):
        prepare("h", headers={"a": "b\r\nc: d"})


def test_large_bodies_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_BODY", 10)

    with pytest.raises(BrokenAnswerError):
        ask([b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 11], GET, closes=True)


def test_the_proxy_carries_all_and_delays_on_demand() -> None:
    waited: list[float] = []

    async def do(client: Client, port: int) -> None:
        loop = asyncio.get_running_loop()
        async with Proxy("127.0.0.1", port) as proxy:
            client.lead_through(Proxy.HOST, proxy.port)
            for delay in (0, 0.2, 0):
                proxy.delay = delay
                began = loop.time()
                assert await client.ask(GET) == 200
                waited.append(loop.time() - began)
            client.close()

    seen = served([OK, OK, b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 500_000], do)

    assert len(seen) == 3
    assert waited[0] < waited[1]
    assert waited[1] >= 0.2


def test_the_proxy_closes_when_nobody_is_behind_it() -> None:
    async def main() -> None:
        server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        async with Proxy("127.0.0.1", port) as proxy:
            with pytest.raises(EOFError):
                await Client(Proxy.HOST, proxy.port).ask(GET)

    asyncio.run(main())
