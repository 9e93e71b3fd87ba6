"""BudgetStates -> a table, sentences, JSON."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from sdlc_cli.core import money
from sdlc_cli.core.i18n import Message, _, local, msg
from sdlc_cli.core.table import Cell, Column, Table
from sdlc_cli.cost.budget import BudgetState, Spender, exit_code

SCHEMA_VERSION = 1
NOTHING_SEEN = msg("no call in the logs lies in the present period of any budget")

_WORDS = {
    "ok": msg("ok"),
    "warn": msg("at risk"),
    "will_break": msg("will break"),
    "broken": msg("broken"),
    "unknown": msg("unknown"),
}


def tables(states: Sequence[BudgetState]) -> tuple[Table, ...]:
    """One line a budget, then who spent it."""
    spent = money.decimals(state.spent_pico for state in states)
    rate = money.decimals(state.rate_pico for state in states)
    columns = (
        Column(key="budget", title=_("Budget")),
        Column(key="period", title=_("Period")),
        Column(key="status", title=_("Status")),
        Column(key="spent_usd", title=_("Spent $"), kind="number", decimals=spent),
        Column(key="limit_usd", title=_("Limit $"), kind="number", decimals=2),
        Column(key="share_percent", title=_("Spent %"), kind="number", decimals=1),
        Column(key="rate_usd", title=_("$ a day"), kind="number", decimals=rate),
        Column(key="breaks_on", title=_("Breaks on")),
    )
    table = Table(columns=columns, rows=tuple(_row(state) for state in states))
    return (table, _spenders(states)) if any(state.spenders for state in states) else (table,)


def headline(states: Sequence[BudgetState]) -> Message:
    """The worst there is to say."""
    if exit_code(states) == 4 and states:
        return NOTHING_SEEN
    for status, text in (
        ("broken", msg("Budgets broken: {names}", names=_names(states, "broken"))),
        ("will_break", msg("Budgets that will break: {names}", names=_names(states, "will_break"))),
        ("unknown", msg("Budgets not judged: {names}", names=_names(states, "unknown"))),
        ("warn", msg("Budgets at risk: {names}", names=_names(states, "warn"))),
    ):
        if any(state.status == status for state in states):
            return text
    if not states:
        return msg("no budget is set up")
    return msg("All budgets hold: {n}", n=len(states))


def notes(states: Sequence[BudgetState]) -> tuple[Message, ...]:
    """Of each budget that needs it: why it is unknown, when it broke, what is not certain."""
    found: list[Message] = []
    for state in states:
        found += [msg("{budget}: {what}", budget=state.budget.name, what=w) for w in _facts(state)]
    return tuple(found)


def document(states: Sequence[BudgetState]) -> dict[str, object]:
    """The JSON result of `sdlc cost budget`."""
    code = exit_code(states)
    return {
        "schema_version": SCHEMA_VERSION,
        "passed": code == 0,
        "exit_code": code,
        "budgets": [_one(state) for state in states],
    }


def _row(state: BudgetState) -> tuple[Cell, ...]:
    breaks = state.broke_on or state.outlook.breaks_on
    return (
        state.budget.name,
        _period(state),
        local(_WORDS[state.status]),
        money.usd(state.spent_pico),
        money.usd(state.limit_pico),
        None if state.share is None else 100 * state.share,
        None if state.rate_pico is None else money.usd(state.rate_pico),
        breaks.isoformat() if breaks else None,
    )


def _period(state: BudgetState) -> str:
    first = state.window.first
    words = {
        "day": _("day {first}"),
        "week": _("week of {first}"),
        "month": _("month of {first}"),
        "quarter": _("quarter of {first}"),
        "year": _("year of {first}"),
        "total": _("total"),
    }
    return words[state.budget.period].format(first=first)


def _spenders(states: Sequence[BudgetState]) -> Table:
    pairs = [(state, spender) for state in states for spender in state.spenders]
    columns = (
        Column(key="budget", title=_("Budget")),
        Column(key="key", title=_("By")),
        Column(key="name", title=_("Who")),
        Column(
            key="spent_usd",
            title=_("Spent $"),
            kind="number",
            decimals=money.decimals(spender.pico for _state, spender in pairs),
        ),
        Column(key="share_percent", title=_("Of spent %"), kind="number", decimals=1),
    )
    rows = tuple(
        (
            state.budget.name,
            _key(spender),
            spender.name,
            money.usd(spender.pico),
            100 * spender.pico / state.spent_pico if state.spent_pico else None,
        )
        for state, spender in pairs
    )
    return Table(title=_("Who spent it"), columns=columns, rows=rows)


def _key(spender: Spender) -> str:
    words = {
        "user": _("user"),
        "model": _("model"),
        "project": _("project"),
        "team": _("team"),
        "key": _("key"),
        "provider": _("provider"),
    }
    return words.get(spender.key, spender.key)


def _names(states: Sequence[BudgetState], status: str) -> str:
    return ", ".join(state.budget.name for state in states if state.status == status)


def _facts(state: BudgetState) -> list[Message]:
    found = [state.reason] if state.reason else []
    if state.broke_on:
        found.append(msg("it broke on {day}", day=state.broke_on))
    elif state.outlook.breaks_on and state.status != "will_break":
        found.append(
            msg("at the rate of the last week it breaks on {day}", day=state.outlook.breaks_on)
            if state.outlook.basis == "rate"
            else msg("by the forecast it breaks on {day}", day=state.outlook.breaks_on)
        )
    if state.uncertain_calls and state.status != "unknown":
        found.append(_uncertain(state))
    return found


def _uncertain(state: BudgetState) -> Message:
    if state.at_most_pico is None:
        return msg(
            "calls of unknown cost are not in it, and nothing bounds what they cost: {n}",
            n=state.uncertain_calls,
        )
    return msg(
        "calls of unknown cost are not in it: {n}; with them it is at most ${most}",
        n=state.uncertain_calls,
        most=money.shown(state.at_most_pico),
    )


def _one(state: BudgetState) -> dict[str, object]:
    budget, window = state.budget, state.window
    conditions = {
        "project": budget.project,
        "team": budget.team,
        "user": budget.user,
        "provider": budget.provider,
        "model": budget.model,
        "tag": dict(budget.tag),
    }
    return {
        "name": budget.name,
        "period": budget.period,
        "since": _time(window.since),
        "until": _time(window.until),
        "as_of": _time(window.now),
        "conditions": {key: value for key, value in conditions.items() if value},
        "status": state.status,
        "reason": state.reason,
        "limit_usd": money.text(state.limit_pico),
        "calls": state.calls,
        "spent_usd": money.text(state.spent_pico),
        "spent_at_most_usd": money.text(state.at_most_pico),
        "uncertain_calls": state.uncertain_calls,
        "share": None if state.share is None else round(float(state.share), 6),
        "warn_at": float(budget.warn_at),
        "rate_usd_per_day": money.text(state.rate_pico),
        "broke_on": _day(state.broke_on),
        "breaks_on": _day(state.outlook.breaks_on),
        "expected_usd": money.text(state.outlook.expected_pico),
        "expected_by": state.outlook.basis or None,
        "spenders": [
            {"key": one.key, "name": one.name, "cost_usd": money.text(one.pico)}
            for one in state.spenders
        ],
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
