"""Real clients make real calls and export their spans; run by the environment of .ci/clients.py.

Run: python call.py CLIENT PROVIDER_URL OTLP_URL CANARY
"""

import sys
from collections.abc import Callable
from typing import Any

CLIENTS: dict[str, Callable[[str, str], None]] = {}
OPENAI, ANTHROPIC = "gpt-4o-2024-08-06", "claude-sonnet-4-5-20250929"


def client(name: str) -> Callable[[Callable[[str, str], None]], Callable[[str, str], None]]:
    def added(work: Callable[[str, str], None]) -> Callable[[str, str], None]:
        CLIENTS[name] = work
        return work

    return added


def _openai(url: str, canary: str, *, stream: bool = True) -> None:
    import openai

    made = openai.OpenAI(base_url=f"{url}/v1", api_key="sk-none")
    asked: dict[str, Any] = {
        "model": OPENAI, "messages": [{"role": "user", "content": f"Say {canary}"}],
    }  # fmt: skip
    made.chat.completions.create(**asked)
    if stream:
        usage = {"include_usage": True}
        for _ in made.chat.completions.create(**asked, stream=True, stream_options=usage):
            pass


def _anthropic(url: str, canary: str) -> None:
    import anthropic

    made = anthropic.Anthropic(base_url=url, api_key="sk-ant-none")
    asked: dict[str, Any] = {
        "model": ANTHROPIC,
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": f"Say {canary}"}],
    }
    made.messages.create(**asked)
    with made.messages.stream(**asked) as stream:
        stream.get_final_message()


@client("openai-v2")
def _(url: str, canary: str) -> None:
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

    OpenAIInstrumentor().instrument()
    _openai(url, canary)


@client("genai-openai")
def _(url: str, canary: str) -> None:
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument()
    _openai(url, canary)


@client("traceloop-openai")
def _(url: str, canary: str) -> None:
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument()
    _openai(url, canary)


@client("openinference-openai")
def _(url: str, canary: str) -> None:
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument()
    _openai(url, canary)


@client("overlap-openai")
def _(url: str, canary: str) -> None:
    from openinference.instrumentation.openai import OpenAIInstrumentor as Inference
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor as Traceloop

    Traceloop().instrument()
    Inference().instrument()
    _openai(url, canary)


@client("anthropic")
def _(url: str, canary: str) -> None:
    _anthropic(url, canary)


@client("genai-anthropic")
def _(url: str, canary: str) -> None:
    from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()
    _anthropic(url, canary)


@client("traceloop-anthropic")
def _(url: str, canary: str) -> None:
    from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()
    _anthropic(url, canary)


@client("openinference-anthropic")
def _(url: str, canary: str) -> None:
    from openinference.instrumentation.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()
    _anthropic(url, canary)


@client("litellm")
def _(url: str, canary: str) -> None:
    import litellm

    litellm.callbacks = ["otel"]
    for _ in range(2):
        litellm.completion(
            model=f"openai/{OPENAI}",
            messages=[{"role": "user", "content": f"Say {canary}"}],
            api_base=f"{url}/v1",
            api_key="sk-none",
        )


def main() -> int:
    name, url, otlp, canary = sys.argv[1:]
    import os

    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = otlp
    os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf"
    os.environ["OTEL_EXPORTER"] = "otlp_http"  # LiteLLM's own words
    os.environ["OTEL_ENDPOINT"] = otlp
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    made = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(made)
    CLIENTS[name](url, canary)
    if name == "litellm":  # its callback works in a thread of its own
        import time

        time.sleep(2)
    made.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
