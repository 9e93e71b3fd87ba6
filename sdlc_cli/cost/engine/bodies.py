"""Providers' answers as SQL: the same arithmetic as in `readers`, for the plain cases.

A body is made for the fields that were seen in a file. The others are held to be missing, and
rows that have them are in doubt.
"""

from collections.abc import Mapping, Set

from sdlc_cli.cost.engine.shapes import (
    Body,
    Sql,
    absent,
    at,
    counts,
    odd_amount,
    odd_numbers,
    odd_text,
    texts,
    zero,
)


def _known(numbers: Mapping[str, tuple[str, ...]], u: Sql, seen: Set[str]) -> dict[str, Sql]:
    """Of the counts in a usage object those that were seen, as SQL."""
    return {
        name: at(u, *path) for name, path in numbers.items() if ".".join(("usage", *path)) in seen
    }


def _unseen(numbers: Mapping[str, tuple[str, ...]], u: Sql, seen: Set[str]) -> list[Sql]:
    known = _known(numbers, u, seen)
    return [at(u, *path) for name, path in numbers.items() if name not in known]


def _first(numbers: Mapping[str, Sql], *names: str) -> Sql:
    """The first number that is not 0, as `or` in the readers has it."""
    known = [name for name in names if name in numbers]
    if len(known) < 2:
        return known[0] if known else "0"
    cases = " ".join(f"WHEN {name} > 0 THEN {name}" for name in known[:-1])
    return f"CASE {cases} ELSE {known[-1]} END"


_INTO, _OUT = "prompt_tokens_details", "completion_tokens_details"
_CHAT = {
    "n_prompt": ("prompt_tokens",),
    "n_completion": ("completion_tokens",),
    "n_total": ("total_tokens",),
    "n_read": (_INTO, "cached_tokens"),
    "n_read_2": ("prompt_cache_hit_tokens",),
    "n_read_3": ("cache_read_input_tokens",),
    "n_write": (_INTO, "cache_write_tokens"),
    "n_write_2": (_INTO, "cache_creation_tokens"),
    "n_write_3": ("cache_creation_input_tokens",),
    "n_reasoning": (_OUT, "reasoning_tokens"),
}
_CHAT_RARE = (
    *((_INTO, name) for name in ("audio_tokens", "image_tokens")),
    *((_OUT, name) for name in ("audio_tokens", "image_tokens")),
)
_CHAT_NEVER = (
    (_INTO, "cache_creation_token_details"),
    ("server_tool_use",),
)


def chat(path: Sql, seen: Set[str]) -> Body:
    """Chat completions, as `readers.openai_chat` has them.

    `seen` are paths of fields, and of counts above 0 with a `+` before them.
    """
    u = f"{path}/usage" if path else "usage"
    numbers = _known(_CHAT, u, seen)
    for name in ("n_prompt", "n_completion"):
        numbers.setdefault(name, at(u, *_CHAT[name]))
    reasons = ".".join(("+usage", *_CHAT["n_reasoning"])) in seen
    if reasons:
        numbers.setdefault("n_total", at(u, *_CHAT["n_total"]))
    else:  # the total only tells whether reasoning comes on top
        numbers.pop("n_total", None)
    numbers["n_created"] = at(path, "created")
    read = _first(numbers, "n_read", "n_read_2", "n_read_3")
    write = _first(numbers, "n_write", "n_write_2", "n_write_3")
    kept = "".join(f" - {part}" for part in (read, write) if part != "0")
    select = {"input": f"n_prompt{kept}", "output": "n_completion"}
    select |= {"cache_read": read} if read != "0" else {}
    select |= {"cache_write_5m": write} if write != "0" else {}
    doubt = [f"n_prompt{kept} < 0"] if kept else []
    if "n_reasoning" in numbers and not reasons:
        doubt.append("n_reasoning > 0")
    elif reasons:
        on_top = "n_total = n_prompt + n_completion + n_reasoning"
        on_top = f"{on_top} OR (n_total = 0 AND n_reasoning > n_completion)"
        part = "n_completion - n_reasoning"
        select["output"] = (
            f"CASE WHEN n_reasoning = 0 OR {on_top} THEN n_completion ELSE {part} END"
        )
        select["reasoning"] = "n_reasoning"
        doubt.append("n_reasoning > n_completion")
    costs = [name for name in ("cost", "cost_in_usd_ticks") if f"usage.{name}" in seen]
    rare = [way for way in _CHAT_RARE if ".".join(("usage", *way)) in seen]
    return Body(
        columns={
            **texts("id", "model", "service_tier", "request_id"),
            "created": "JSON",
            "usage": {
                **counts(*(way[0] for way in (*_CHAT.values(), *_CHAT_NEVER) if len(way) == 1)),
                **counts(*costs),
                _INTO: counts(*(n[1] for n in _all_chat() if n[0] == _INTO)),
                _OUT: counts(*(n[1] for n in _all_chat() if n[0] == _OUT)),
            },
        },
        name=at(path, "id"),
        model=at(path, "model"),
        tier=at(path, "service_tier"),
        time="CASE WHEN n_created BETWEEN 1 AND 9999999999 THEN n_created * 1000000 END",
        provider="''",
        numbers=numbers,
        select=select,
        doubt=[
            f"{at(path, 'request_id')} IS NOT NULL",  # of another service, told by that
            f"{numbers['n_prompt']} IS NULL OR {numbers['n_completion']} IS NULL",
            *odd_numbers(numbers),
            zero(*(at(u, *way) for way in rare)),
            absent(
                *(at(u, *way) for way in (*_CHAT_NEVER, *_CHAT_RARE) if way not in rare),
                *_unseen({k: v for k, v in _CHAT.items() if k not in numbers}, u, seen),
            ),
            *(odd_amount(at(u, name)) for name in costs),
            *doubt,
            "n_created > 9999999999",  # no more a number of seconds
            odd_text(at(path, "id")),
        ],
    )


def _all_chat() -> tuple[tuple[str, ...], ...]:
    return (*_CHAT.values(), *_CHAT_RARE, *_CHAT_NEVER)
