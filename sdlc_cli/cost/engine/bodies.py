"""Providers' answers as SQL: the same arithmetic as in `readers`, for the plain cases.

A body is made for the fields that were seen in a file. The others are held to be missing, and
rows that have them are in doubt.
"""

from collections.abc import Iterable, Iterator, Mapping, Set

from sdlc_cli.cost.engine.shapes import Body, Columns, Kind, Sql, at


def _first(numbers: Mapping[str, Sql], *names: str) -> Sql:
    """The first number that is not 0, as `or` in the readers has it."""
    known = [name for name in names if name in numbers]
    if len(known) < 2:
        return known[0] if known else "0"
    cases = " ".join(f"WHEN {name} > 0 THEN {name}" for name in known[:-1])
    return f"CASE {cases} ELSE {known[-1]} END"


def _nested(kinds: Iterable[tuple[tuple[str, ...], Kind]]) -> Columns:
    """Fields by their ways as columns."""
    found: dict[str, Columns | Kind] = {}
    below: dict[str, list[tuple[tuple[str, ...], Kind]]] = {}
    for way, kind in kinds:
        if len(way) == 1:
            found[way[0]] = kind
        else:
            below.setdefault(way[0], []).append((way[1:], kind))
    return found | {name: _nested(inner) for name, inner in below.items()}


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
    asked = {name: way for name, way in _CHAT.items() if ".".join(("usage", *way)) in seen}
    asked |= {name: _CHAT[name] for name in ("n_prompt", "n_completion")}
    reasons = ".".join(("+usage", *_CHAT["n_reasoning"])) in seen
    if reasons:
        asked["n_total"] = _CHAT["n_total"]
    else:  # the total only tells whether reasoning comes on top
        asked.pop("n_total", None)
    numbers = {name: at(u, *way) for name, way in asked.items()}
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
    return Body(
        columns={
            "id": Kind.TEXT,
            "model": Kind.NAME,
            "service_tier": Kind.NAME,
            "request_id": Kind.NEVER,  # of another service, told by that
            "created": Kind.COUNT,
            "usage": _nested(_usage(asked, seen)),
        },
        name=at(path, "id"),
        model=at(path, "model"),
        tier=at(path, "service_tier"),
        time="CASE WHEN n_created BETWEEN 1 AND 9999999999 THEN n_created * 1000000 END",
        provider="''",
        numbers={**numbers, "n_created": at(path, "created")},
        select=select,
        doubt=[
            f"{numbers['n_prompt']} IS NULL OR {numbers['n_completion']} IS NULL",
            *doubt,
            "n_created > 9999999999",  # no more a number of seconds
        ],
    )


def _usage(
    asked: Mapping[str, tuple[str, ...]], seen: Set[str]
) -> Iterator[tuple[tuple[str, ...], Kind]]:
    """What each count in a usage object may be."""
    for name, way in _CHAT.items():
        if name in asked:
            yield way, Kind.COUNT
        elif name != "n_total":
            yield way, Kind.NEVER
    for way in _CHAT_RARE:
        yield way, Kind.ZERO if ".".join(("usage", *way)) in seen else Kind.NEVER
    for way in _CHAT_NEVER:
        yield way, Kind.NEVER
    for name in ("cost", "cost_in_usd_ticks"):
        if f"usage.{name}" in seen:
            yield (name,), Kind.AMOUNT
