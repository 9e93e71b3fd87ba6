"""Lines around a provider's answer as SQL, as `readers.envelope` has them."""

from collections.abc import Callable, Iterator, Set

from sdlc_cli.cost.engine.shapes import STANDARD, Body, Kind, Shape, Sql, hashed, pm
from sdlc_cli.cost.engine.table import quoted

BODIES = ("response", "response_body", "body", "result")
# What a field says, the better of two names first: as in `readers.envelope`.
_FIELDS: dict[str, tuple[str, ...]] = {
    "time": ("ts", "timestamp", "time", "created_at"),
    "project": ("project", "project_name", "project_id"),
    "user": ("user", "user_id", "end_user"),
    "key": (
        *("key", "key_name", "key_alias", "api_key_name", "api_key_alias", "api_key"),
        "workspace",
    ),
    "model": ("model", "modelId", "model_id", "deployment"),
    "provider": ("provider",),
    "tier": ("service_tier", "tier"),
    "cost": ("cost_usd", "cost", "response_cost", "spend", "total_cost"),
    "asked": ("request_id",),
    "cached": ("cache_hit", "cached", "from_cache"),
}
_TAGS = (
    *("team", "env", "environment", "feature", "service", "app", "application"),
    *("endpoint", "tenant", "customer", "region"),
)
TAGGED = (*_TAGS, "metadata", "tags")
# With a request in the line its hash is wanted, which SQL cannot make.
_REQUESTS = (
    *("request", "request_body", "messages", "input", "contents", "prompt"),
    *("request_hash", "prefix_hash", "prefix_tokens"),
)
_KINDS = {
    "time": Kind.TIME,
    **dict.fromkeys(("project", "user", "key"), Kind.TEXT),
    **dict.fromkeys(("model", "provider", "tier"), Kind.NAME),
    "cost": Kind.AMOUNT,
    "cached": Kind.LOOSE,
}
# What changes the cost is looked for in every line, seen before or not. Of the rest a field that
# no line of a sample has is held to be in none.
_TELLING = ("provider", "tier", "cached")
_SECRET = r"(?:Bearer\s+)?(?:sk|pk|rk|gsk|xai|hf|r8|AIza|AKIA|ya29)[-_.]?[\w.-]{12,}"


def around(seen: Set[str], inner: Callable[[Sql, Set[str]], Body]) -> Shape | None:
    """The shape of such lines; None where they need the exact reader.

    `seen` are the fields in some lines; `inner` makes the answer's body for its path.
    """
    where = [name for name in BODIES if name in seen]
    if len(where) != 1 or not seen.isdisjoint(_REQUESTS):
        return None
    (place,) = where
    body = inner(place, set(_within(place, seen)))
    told = {role: [n for n in names if n in seen] for role, names in _FIELDS.items()}
    roles = dict(_KINDS, asked=Kind.TEXT) if told["cached"] else _KINDS
    kinds = {name: kind for role, kind in roles.items() for name in told[role]}
    rare = [name for role in _TELLING for name in _FIELDS[role] if name not in kinds]
    rare += BODIES[: BODIES.index(place)]
    tagged = [name for name in TAGGED if name in seen]
    return Shape(
        columns={
            **kinds,
            **dict.fromkeys(rare, Kind.NEVER),
            **dict.fromkeys(tagged, Kind.RAW),
            place: body.columns,
        },
        numbers=body.numbers,
        times={"t_line": told["time"]} if told["time"] else {},
        select={**body.select, **_select(body, told)},
        # Without an id the request's stands for it.
        doubt=[*body.doubt, f"{body.name} IS NULL OR {body.name} = ''"],
        mark=lambda name: {place: {"id": name}},
        raw_tags=tuple(tagged),
    )


def _within(place: str, seen: Set[str]) -> Iterator[str]:
    """The paths below a field, as from there."""
    for path in seen:
        sign = "+" if path.startswith("+") else ""
        if path.startswith(f"{sign}{place}."):
            yield sign + path[len(sign) + len(place) + 1 :]


def _said(names: list[str]) -> Sql:
    """What the best of these fields says, NULL for none."""
    parts = [f"nullif({quoted(name)}, '')" for name in names]
    return f"coalesce({', '.join(parts)})" if len(parts) > 1 else parts[0]


def _select(body: Body, told: dict[str, list[str]]) -> dict[str, Sql]:
    provider = body.provider
    if told["provider"]:
        provider = f"coalesce({_said(told['provider'])}, {provider})"
    model, tier, name = body.model, body.tier, body.name
    if told["model"]:
        model = f"coalesce(nullif({model}, ''), {_said(told['model'])})"
    if told["tier"]:
        tier = (
            f"CASE WHEN lower(trim(coalesce({tier}, ''))) IN {STANDARD} "
            f"THEN {_said(told['tier'])} ELSE {tier} END"
        )
    select = {"ts": f"coalesce(t_line, {body.time})" if told["time"] else body.time}
    cached = f"lower({_said(told['cached'])}) = 'true'" if told["cached"] else ""
    if cached:
        asked = _said(told["asked"]) if told["asked"] else "NULL"
        name = f"CASE WHEN {cached} THEN {asked} ELSE {name} END"
        select["status"] = f"CASE WHEN {cached} THEN 2 ELSE 0 END"
        select["rank"] = f"CASE WHEN {cached} THEN -2 ELSE 0 END"
    select["h"] = hashed(name)
    select["pm"] = pm(provider, model, tier)
    for role in ("project", "user"):
        if told[role]:
            select[role] = _said(told[role])
    if told["key"]:
        key = _said(told["key"])
        select["key"] = (
            f"CASE WHEN regexp_full_match({key}, '{_SECRET}') "
            f"THEN 'sha256:' || left(sha256({key}), 16) ELSE {key} END"
        )
    return select
