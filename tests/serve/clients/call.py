"""Real clients make real calls and export their spans; run by the environment of .ci/clients.py.

Run: python call.py CLIENT|all PROVIDER_URL OTLP_URL CANARY
"""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

OPENAI, ANTHROPIC = "gpt-4o-2024-08-06", "claude-sonnet-4-5-20250929"


def _openai(url: str, canary: str) -> None:
    import openai

    made = openai.OpenAI(base_url=f"{url}/v1", api_key="sk-none")
    asked: dict[str, Any] = {
        "model": OPENAI, "messages": [{"role": "user", "content": f"Say {canary}"}],
    }  # fmt: skip
    made.chat.completions.create(**asked)
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


def _litellm(url: str, canary: str) -> None:
    import time

    import litellm

    litellm.callbacks = ["otel"]
    for _ in range(2):
        litellm.completion(
            model=f"openai/{OPENAI}",
            messages=[{"role": "user", "content": f"Say {canary}"}],
            api_base=f"{url}/v1",
            api_key="sk-none",
        )
    time.sleep(3)  # its callback works in a thread of its own


# What instruments the library, outermost last, and who calls.
CLIENTS: dict[str, tuple[tuple[str, ...], Callable[[str, str], None]]] = {
    "genai-openai": (("opentelemetry.instrumentation.genai.openai.OpenAIInstrumentor",), _openai),
    "traceloop-openai": (("opentelemetry.instrumentation.openai.OpenAIInstrumentor",), _openai),
    "openinference-openai": (("openinference.instrumentation.openai.OpenAIInstrumentor",), _openai),
    "overlap-openai": (
        (
            "opentelemetry.instrumentation.openai.OpenAIInstrumentor",
            "openinference.instrumentation.openai.OpenAIInstrumentor",
        ),
        _openai,
    ),
    "anthropic": ((), _anthropic),
    "genai-anthropic": (
        ("opentelemetry.instrumentation.genai.anthropic.AnthropicInstrumentor",),
        _anthropic,
    ),
    "traceloop-anthropic": (
        ("opentelemetry.instrumentation.anthropic.AnthropicInstrumentor",),
        _anthropic,
    ),
    "openinference-anthropic": (
        ("openinference.instrumentation.anthropic.AnthropicInstrumentor",),
        _anthropic,
    ),
    "litellm": ((), _litellm),
}


def run(name: str, url: str, canary: str) -> None:
    """The calls of one client."""
    instrumentors, calls = CLIENTS[name]
    made = []
    for path in instrumentors:
        module, _, kind = path.rpartition(".")
        made.append(getattr(import_module(module), kind)())
        made[-1].instrument()
    calls(url, canary)
    for one in reversed(made):
        one.uninstrument()


def main() -> int:
    name, url, otlp, canary = sys.argv[1:]
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
    for one in CLIENTS if name == "all" else [name]:
        run(one, url, canary)
    made.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
