"""Reconciliation -> a table, sentences, JSON."""

from sdlc_cli.core import money
from sdlc_cli.core.i18n import Message, _, local, msg
from sdlc_cli.core.table import Cell, Column, Table
from sdlc_cli.cost.reconcile import CLASSES, Line, Reconciliation, Side

SCHEMA_VERSION = 1

_STATUS = {
    "matched": msg("matched"),
    "tokens": msg("other tokens"),
    "price": msg("other price"),
    "not-in-bill": msg("not in the bill"),
    "not-in-log": msg("not in the log"),
}


def tables(result: Reconciliation, *, matched: bool = False) -> tuple[Table, ...]:
    """The lines that differ, with `matched` all of them; then how many there are of each kind."""
    shown = [line for line in result.lines if matched or line.status != "matched"]
    return (_lines(result, shown), _kinds(result)) if shown else (_kinds(result),)


def headline(result: Reconciliation) -> Message:
    """How many lines match, and both totals."""
    facts: dict[str, object] = {
        "matched": f"{result.counts['matched']:,}",
        "lines": f"{len(result.lines):,}",
        "ours": money.shown(result.ours_pico),
    }
    if result.theirs_pico is None:
        return msg(
            "{matched} of {lines} lines match; the bill tells no money, the log says ${ours}",
            **facts,
        )
    return msg(
        "{matched} of {lines} lines match; the log says ${ours}, the bill ${theirs}",
        **facts,
        theirs=money.shown(result.theirs_pico),
    )


def notes(result: Reconciliation) -> tuple[Message, ...]:
    """What the differences may come from."""
    told = [*result.hints]
    if result.money_only:
        told.append(msg("the bill tells money, no tokens: only the amounts are compared"))
    uncertain = sum(line.ours.uncertain_calls for line in result.lines if line.ours)
    if not uncertain:
        return tuple(told)
    return (
        *told,
        msg("calls of the log without a price or without usage: {n}", n=f"{uncertain:,}"),
    )


def document(result: Reconciliation) -> dict[str, object]:
    """The JSON result of `sdlc cost reconcile`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "passed": result.exit_code == 0,
        "exit_code": result.exit_code,
        "by": list(result.by),
        "counts": {status.replace("-", "_"): n for status, n in result.counts.items()},
        "log_usd": money.text(result.ours_pico),
        "bill_usd": money.text(result.theirs_pico),
        "lines": [
            {
                "keys": dict(line.keys),
                "status": line.status,
                "log": line.ours and _side(line.ours),
                "bill": line.theirs and _side(line.theirs),
                "difference_usd": money.text(line.difference_pico),
            }
            for line in result.lines
        ],
        "hints": list(notes(result)),
    }


def _lines(result: Reconciliation, shown: list[Line]) -> Table:
    titles = {
        "day": _("Day"),
        "provider": _("Provider"),
        "model": _("Model"),
        "tier": _("Tier"),
        "project": _("Project"),
    }
    decimals = money.decimals(
        side.pico for line in shown for side in (line.ours, line.theirs) if side
    )
    amounts = {
        "log_tokens": (_("Tokens, log"), None),
        "bill_tokens": (_("Tokens, bill"), None),
        "log_usd": (_("Log $"), decimals),
        "bill_usd": (_("Bill $"), decimals),
        "difference_usd": (_("Log less bill $"), decimals),
    }
    columns = (
        *(Column(key=key, title=titles.get(key, key)) for key in result.by),
        Column(key="status", title=_("Status")),
        *(
            Column(key=key, title=title, kind="number", decimals=places)
            for key, (title, places) in amounts.items()
        ),
    )
    rows = tuple(
        (
            *(line.keys.get(key, "") for key in result.by),
            local(_STATUS[line.status]),
            _all_tokens(line.ours),
            _all_tokens(line.theirs),
            _usd(line.ours.pico if line.ours else None),
            _usd(line.theirs.pico if line.theirs else None),
            _usd(line.difference_pico),
        )
        for line in shown
    )
    return Table(columns=columns, rows=rows)


def _kinds(result: Reconciliation) -> Table:
    columns = (
        Column(key="status", title=_("Status")),
        Column(key="lines", title=_("Lines"), kind="number"),
        Column(
            key="difference_usd",
            title=_("Log less bill $"),
            kind="number",
            decimals=money.decimals(line.difference_pico for line in result.lines),
        ),
    )
    rows = tuple(
        (local(_STATUS[status]), n, _usd(_difference(result, status)))
        for status, n in result.counts.items()
    )
    return Table(title=_("All lines"), columns=columns, rows=rows)


def _difference(result: Reconciliation, status: str) -> int | None:
    found = [line.difference_pico for line in result.lines if line.status == status]
    known = [pico for pico in found if pico is not None]
    return sum(known) if len(known) == len(found) else None


def _side(side: Side) -> dict[str, object]:
    return {
        "calls": side.calls,
        **dict(zip(CLASSES, side.tokens or (None,) * len(CLASSES), strict=True)),
        "cost_usd": money.text(side.pico),
        "uncertain_calls": side.uncertain_calls,
    }


def _all_tokens(side: Side | None) -> int | None:
    return sum(side.tokens) if side and side.tokens else None


def _usd(pico: int | None) -> Cell:
    return None if pico is None else money.usd(pico)
