"""Decision and Replay -> tables, sentences, JSON."""

from datetime import UTC

from sdlc_cli.core import money
from sdlc_cli.core.i18n import Message, _, local, msg
from sdlc_cli.core.table import Column, Table
from sdlc_cli.cost.route import Decision, Replay, Switch, model_of

SCHEMA_VERSION = 1

_STEPS = {
    "primary": msg("primary"),
    "fallback": msg("fallback"),
    "emergency": msg("emergency"),
    "refused": msg("refused"),
}


def headline(decision: Decision) -> Message:
    """The model to use, and why."""
    if decision.step == "refused":
        return msg("No model may be used: {reason}", reason=decision.reason)
    return msg("Use {model}: {reason}", model=decision.model, reason=decision.reason)


def tables(replay: Replay) -> tuple[Table, ...]:
    """What each period cost and would have cost, and when the model would have changed."""
    return _periods(replay), _switches(replay)


def notes(replay: Replay) -> tuple[Message, ...]:
    """What following the ladder would have saved, and what that assumes."""
    found = [
        msg(
            "Following the ladder would have cost ${routed} instead of ${spent},"
            " and saved ${saved}.",
            routed=money.shown(replay.routed_pico),
            spent=money.shown(replay.spent_pico),
            saved=money.shown(replay.saved_pico),
        ),
        msg("Assumes that the other model answers with as many tokens, and well enough."),
    ]
    if replay.refused_pico:
        found.append(
            msg(
                "Calls that cost ${cost} would have been refused; that is not counted as saved.",
                cost=money.shown(replay.refused_pico),
            )
        )
    if replay.unpriced:
        found.append(
            msg(
                "Without a price, so their calls keep what they did cost: {models}.",
                models=", ".join(replay.unpriced),
            )
        )
    return tuple(found)


def document(decision: Decision, replay: Replay | None = None) -> dict[str, object]:
    """The JSON result of `sdlc cost route`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "model": decision.model or None,
        "step": decision.step,
        "budget": decision.budget or None,
        "share": None if decision.share is None else round(float(decision.share), 6),
        "reason": decision.reason,
        "replay": None if replay is None else _replay(replay),
    }


def _periods(replay: Replay) -> Table:
    picos = [pico for one in replay.periods for pico in (one.spent_pico, one.routed_pico)]
    decimals = money.decimals(picos)
    columns = (
        Column(key="period", title=_("Period from")),
        Column(key="spent_usd", title=_("Spent $"), kind="number", decimals=decimals),
        Column(key="routed_usd", title=_("With the ladder $"), kind="number", decimals=decimals),
        Column(key="switches", title=_("Changes"), kind="number"),
    )
    rows = tuple(
        (
            one.first.isoformat() if one.first else _("total"),
            money.usd(one.spent_pico),
            money.usd(one.routed_pico),
            len(one.switches),
        )
        for one in replay.periods
    )
    return Table(title=_("Replay of past usage"), columns=columns, rows=rows)


def _switches(replay: Replay) -> Table:
    columns = (
        Column(key="time", title=_("Time (UTC)")),
        Column(key="step", title=_("Step")),
        Column(key="model", title=_("Model")),
        Column(key="share_percent", title=_("Spent %"), kind="number", decimals=1),
    )
    rows = tuple(
        (
            _time(switch),
            local(_STEPS[switch.after]),
            model_of(switch.after, replay.ladder),
            100 * switch.share,
        )
        for one in replay.periods
        for switch in one.switches
    )
    return Table(title=_("When the model would have changed"), columns=columns, rows=rows)


def _replay(replay: Replay) -> dict[str, object]:
    return {
        "timezone": replay.timezone,
        "spent_usd": money.text(replay.spent_pico),
        "routed_usd": money.text(replay.routed_pico),
        "saved_usd": money.text(replay.saved_pico),
        "refused_usd": money.text(replay.refused_pico),
        "unpriced": list(replay.unpriced),
        "periods": [
            {
                "first": one.first and one.first.isoformat(),
                "spent_usd": money.text(one.spent_pico),
                "routed_usd": money.text(one.routed_pico),
                "switches": [_switch(switch, replay) for switch in one.switches],
            }
            for one in replay.periods
        ],
    }


def _switch(switch: Switch, replay: Replay) -> dict[str, object]:
    return {
        "time": _time(switch),
        "before": switch.before,
        "after": switch.after,
        "model": model_of(switch.after, replay.ladder) or None,
        "share": round(float(switch.share), 6),
    }


def _time(switch: Switch) -> str:
    return switch.moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
