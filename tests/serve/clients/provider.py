"""A provider of models on loopback: OpenAI's and Anthropic's answers, with fixed usage.

The OpenAI call: input 1200, of which 1024 cached; output 340, of which 256 reasoning. The Anthropic
call: input 176, cache write 512, cache read 1024; output 340. Each answer has an id of its own.
"""

import itertools
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OPENAI = {
    "prompt_tokens": 1200,
    "completion_tokens": 340,
    "total_tokens": 1540,
    "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 256, "audio_tokens": 0},
}
ANTHROPIC = {
    "input_tokens": 176,
    "cache_creation_input_tokens": 512,
    "cache_read_input_tokens": 1024,
    "output_tokens": 340,
    "service_tier": "standard",
}
_numbers = itertools.count(1)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        number = next(_numbers)
        if asked.get("stream"):
            self._stream(_chunks(self.path, asked, number))
            return
        self._send("application/json", json.dumps(_answer(self.path, asked, number)).encode())

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, chunks: Iterator[str]) -> None:
        self._send("text/event-stream", "".join(chunks).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _answer(path: str, asked: dict[str, object], number: int) -> dict[str, object]:
    if path.endswith("/messages"):
        return {
            "id": f"msg_{number:06}",
            "type": "message",
            "role": "assistant",
            "model": asked["model"],
            "content": [{"type": "text", "text": "An answer."}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": ANTHROPIC,
        }
    return {
        "id": f"chatcmpl-{number:06}",
        "object": "chat.completion",
        "created": 1_780_000_000,
        "model": asked["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "An answer."},
                "finish_reason": "stop",
            }
        ],
        "usage": OPENAI,
    }


def _chunks(path: str, asked: dict[str, object], number: int) -> Iterator[str]:
    whole = _answer(path, asked, number)
    if path.endswith("/messages"):
        begun = {**ANTHROPIC, "output_tokens": 1}
        told: list[dict[str, object]] = [
            {"type": "message_start", "message": {**whole, "content": [], "usage": begun}},
            {"type": "content_block_start", "index": 0,
             "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0,
             "delta": {"type": "text_delta", "text": "An answer."}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
             "usage": {"output_tokens": 340}},
            {"type": "message_stop"},
        ]  # fmt: skip
        for event in told:
            yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
        return
    head = {key: whole[key] for key in ("id", "created", "model")}
    head["object"] = "chat.completion.chunk"
    delta = {"role": "assistant", "content": "An answer."}
    yield _data({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    yield _data({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    options = asked.get("stream_options")
    if isinstance(options, dict) and options.get("include_usage"):
        yield _data({**head, "choices": [], "usage": OPENAI})
    yield "data: [DONE]\n\n"


def _data(event: dict[str, object]) -> str:
    return f"data: {json.dumps(event)}\n\n"


class Provider:
    """`with Provider() as url:`"""

    def __enter__(self) -> str:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


if __name__ == "__main__":  # until its standard input is closed
    with Provider() as address:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        sys.stdin.read()
