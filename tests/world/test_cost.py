"""The tables of the cost job are closed: what is in one is in all, documented, translated."""

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.cost.options import RATES, Budget, Columns, Ladder, Match, PriceEntry
from sdlc_cli.cost.report import FORMATS
from sdlc_cli.cost.schema import get

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
GOLDEN = ROOT / "tests" / "golden" / "cost"
Tree = Callable[..., Path]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_documented_and_has_a_golden_file(form: str) -> None:
    suffix = {"table": "txt", "markdown": "md", "focus": "focus.csv"}.get(form, form)

    assert f"`{form}`" in PAGE
    assert (GOLDEN / f"report.{suffix}").exists()
    assert (GOLDEN / f"hostile.report.{suffix}").exists()


def test_every_key_of_the_report_is_documented() -> None:
    schema = get("cost-report")
    keys = {*schema["properties"], *schema["$defs"]["figures"]["properties"]}
    own = {"schema_version", "by", "totals", "unpriced_calls"}

    assert [key for key in sorted(keys - own) if f"`{key}`" not in PAGE] == []


@pytest.mark.parametrize("part", [PriceEntry, Match, Budget, Ladder], ids=lambda p: p.__name__)
def test_every_key_of_the_file_is_documented(part: type) -> None:
    section = PAGE.split("## cost.yaml\n")[1].split("\n## ")[0]
    names: tuple[str, ...] = part.__struct_fields__  # type: ignore[attr-defined]

    assert [name for name in names if name != "place" and name not in section] == []


def test_every_rate_is_a_key_of_a_price() -> None:
    assert set(RATES) < set(PriceEntry.__struct_fields__)
    assert {"input_includes_cache", "ts_unit", "fixed"} < set(Columns.__struct_fields__)


def test_every_command_has_its_section(walked: Any) -> None:
    commands = {path.split()[-1] for path in walked.pages if path.startswith("sdlc cost ")}

    assert len(commands) == 12
    assert [name for name in sorted(commands) if f"\n### {name}\n" not in PAGE] == []


USAGE = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
LOG = [
    {
        "ts": 1_767_225_600 + 86_400 * day,
        "project": "xx1" if day else "",
        "user": "xx2@yy3.zz4",
        "response": {
            "id": f"chatcmpl-{n}",
            "object": "chat.completion",
            "created": 1_767_225_600 + 86_400 * day,
            "model": "gpt-4o" if n else "xx3",
            "usage": USAGE,
        },
    }
    for n, day in ((0, 0), (1, 0), (2, 1), (2, 1), (3, 2), (4, 30))
]
CONFIG = """\
version: 1
budgets: [{name: b1, limit_usd: 0.001}, {name: b2, period: week, project: xx1, limit_usd: 9}]
route: {ladders: {l1: {primary: gpt-4o, fallback: gpt-4o-mini}}}
privacy: {users: hash, tags: redact, key: 0123456789abcdef}
"""
FILES = {
    "log1.jsonl": "\n".join([*map(json.dumps, LOG), "{"]),
    "cost.yaml": CONFIG,
    "t1.csv": "created_at,model_name,prompt_tokens,completion_tokens\n2026-01-01,gpt-4o,10,5\n",
}


@pytest.mark.parametrize(
    "words",
    [
        ("report", "log1.jsonl"),
        ("report", "log1.jsonl", "--by", "day", "--by", "project", "--rejects", "r1.jsonl"),
        ("report", "log1.jsonl", "--format", "markdown", "--by", "user"),
        ("report", "log1.jsonl", "--format", "html", "--by", "model"),
        ("budget", "log1.jsonl", "--forecast", "--as-of", "2026-01-02"),
        ("forecast", "log1.jsonl", "--days", "5"),
        ("forecast", "log1.jsonl", "--days", "40"),
        ("whatif", "log1.jsonl", "--model", "gpt-4o=gpt-4o-mini", "--batch", "--cache-prefixes"),
        ("advise", "log1.jsonl"),
        ("cache", "log1.jsonl"),
        ("route", "log1.jsonl", "--model", "l1", "--as-of", "2026-01-02", "--replay"),
        ("explain", "chatcmpl-2", "log1.jsonl"),
        ("explain", "chatcmpl-0", "log1.jsonl"),
        ("prices", "claude-sonnet-4-6"),
        ("map", "t1.csv"),
        ("report", "nowhere"),
        ("report", "log1.jsonl", "--by", "colour"),
    ],
    ids=" ".join,
)
def test_every_sentence_is_translated(
    words: tuple[str, ...], tree: Tree, pseudo: Any, walked: Any
) -> None:
    """Words that stay: names from the logs, of models, formats and zones."""
    done = pseudo("cost", *words, cwd=tree(FILES))
    text = done.stdout + done.stderr
    assert "Traceback" not in text
    if "html" in words or "markdown" in words:
        text = re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
        text = re.sub(r"<[/!]?[a-z][^>]*>", " ", html.unescape(text))

    text = re.sub(r"\b(user|email)-[0-9a-f]{16}\b", "", text)
    own = ["envelope", "genai", "prices", "gpt", "openai", "chatcmpl", "colour", "nowhere", "mini"]
    own += ["claude", "sonnet", "anthropic", "user", "UTC", "LRU", "LFU", "ARC", "sha", "email"]
    own += ["created", "columns", "model", "input", "output", "prompt", "completion", "tokens"]
    assert walked.escaped(text, *own) == []
