"""Session files of Claude Code as SQL, as `readers.claude_code` has them."""

from sdlc_cli.cost.engine.shapes import STANDARD, Kind, Shape, at, hashed, pm

_U = "message/usage"
_ID = "coalesce(\"message/id\", '')"
_REQUEST = "coalesce(\"requestId\", '')"
_LIVES = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
_NUMBERS = {
    "n_input": at(_U, "input_tokens"),
    "n_read": at(_U, "cache_read_input_tokens"),
    "n_written": at(_U, "cache_creation_input_tokens"),
    "n_short": at(_U, "cache_creation", _LIVES[0]),
    "n_long": at(_U, "cache_creation", _LIVES[1]),
    "n_output": at(_U, "output_tokens"),
    "n_thinking": at(_U, "output_tokens_details", "thinking_tokens"),
    "n_searches": at(_U, "server_tool_use", "web_search_requests"),
}
_WRITTEN = _NUMBERS["n_written"]
_DEDUPE = (
    f"CASE WHEN {_ID} = '' THEN CASE WHEN {_REQUEST} <> '' THEN 'claude-code:' || {_REQUEST} END "
    f"WHEN starts_with({_ID}, 'msg_') OR {_REQUEST} = '' THEN {_ID} "
    f"ELSE 'claude-code:' || {_ID} || ':' || {_REQUEST} END"
)
_TAGS = 'CASE WHEN "sessionId" <> \'\' THEN \'{"session":"\' || "sessionId" || \'"}\' END'
# A subagent's event that is passed on holds a message of its own: the exact reader takes it out.
_PASSED_ON = '(NOT "message/?" AND contains(data, \'"message"\'))'
_PROVIDER = (
    f"CASE WHEN starts_with({_ID}, 'msg_bdrk_') THEN 'bedrock' "
    f"WHEN starts_with({_ID}, 'msg_vrtx_') THEN 'vertex_ai' ELSE 'anthropic' END"
)
_TIER = (
    "CASE WHEN \"message/usage/speed\" = 'fast' AND "
    f"lower(trim(coalesce(\"message/usage/service_tier\", ''))) IN {STANDARD} THEN 'fast' "
    'ELSE "message/usage/service_tier" END'
)
_NOTHING = 'type IS NULL AND "sessionId" IS NULL'  # a line that is `null`, say
_DOUBT = (
    "n_thinking > n_output",
    f"{_WRITTEN} IS NOT NULL AND n_short + n_long > n_written",
    f'"message/usage/?" AND {_NUMBERS["n_input"]} IS NULL AND {_NUMBERS["n_output"]} IS NULL',
    "contains(\"message/usage/iterations\"::VARCHAR, 'advisor_message')",
)
_SPENT = " OR ".join(f"{leaf}::VARCHAR <> '0'" for leaf in list(_NUMBERS.values())[:6])
_CALL = (
    "\"message/?\" AND coalesce(\"message/model\", '') <> '<synthetic>' AND "
    "CASE WHEN NOT \"message/usage/?\" THEN type = 'assistant' AND \"message/model\" <> '' "
    f"WHEN \"isApiErrorMessage\" = 'true' THEN {_SPENT} ELSE true END"
)

SHAPE = Shape(
    columns={
        "type": Kind.NAME,
        "timestamp": Kind.TIME,
        "sessionId": Kind.PLAIN,
        **dict.fromkeys(("cwd", "requestId"), Kind.TEXT),
        **dict.fromkeys(("isSidechain", "isApiErrorMessage"), Kind.LOOSE),
        "data": Kind.RAW,
        "costUSD": Kind.AMOUNT,
        "message": {
            "id": Kind.TEXT,
            "model": Kind.NAME,
            "usage": {
                **dict.fromkeys(("input_tokens", "output_tokens"), Kind.COUNT),
                "cache_read_input_tokens": Kind.COUNT,
                "cache_creation_input_tokens": Kind.COUNT,
                "iterations": Kind.RAW,
                **dict.fromkeys(("service_tier", "speed"), Kind.NAME),
                "cache_creation": dict.fromkeys(_LIVES, Kind.COUNT),
                "output_tokens_details": {"thinking_tokens": Kind.COUNT},
                "server_tool_use": {"web_search_requests": Kind.COUNT},
            },
        },
    },
    numbers=_NUMBERS,
    times={"t_line": ("timestamp",)},
    select={
        "ts": "t_line",
        "pm": pm(_PROVIDER, at("message", "model"), _TIER),
        "path": "nullif(cwd, '')",
        "tags": _TAGS,
        "h": hashed(f"({_DEDUPE})"),
        "rank": "CASE WHEN \"isSidechain\" = 'true' THEN -1 ELSE 0 END",
        "known": '"message/usage/?"',
        "input": "n_input",
        "cache_read": "n_read",
        "cache_write_5m": f"CASE WHEN {_WRITTEN} IS NULL THEN n_short ELSE n_written - n_long END",
        "cache_write_1h": "n_long",
        "output": "n_output - n_thinking",
        "reasoning": "n_thinking",
        "web_searches": "n_searches",
    },
    doubt=(_PASSED_ON, _NOTHING, *_DOUBT),
    there=("message", "message/usage"),
    told=("message/model", "message/usage", "data"),
    usual=("type", "sessionId"),
    repeat=(
        "message/id",
        f"{_U}/output_tokens",
        f"{_U}/output_tokens_details/thinking_tokens",
    ),
    mark=lambda name: {  # the session's name is none: in doubt
        "type": "assistant",
        "sessionId": "{",
        "message": {"id": f"msg_{name}", "model": "-"},
    },
    keep=f"({_CALL}) OR {_PASSED_ON} OR ({_NOTHING})",
)
