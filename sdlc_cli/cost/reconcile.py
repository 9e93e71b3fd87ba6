"""Our totals against the provider's: what matches, what one side lacks, what differs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from sdlc_cli.core import when
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.cost.model import COUNTS, OUTPUTS, Group, Row
from sdlc_cli.cost.zones import zone

Status = Literal["matched", "tokens", "price", "not-in-bill", "not-in-log"]
Keys = tuple[tuple[str, str], ...]
Tokens = tuple[int, int, int, int]

BY = ("day", "provider", "model", "tier")  # and project, where the bill tells it
CLASSES = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
MOST_HINTS = 10

_PARTS = (
    ("input", "audio_in", "image_in"),
    ("cache_read", "audio_cached"),
    ("cache_write_5m", "cache_write_1h"),
    OUTPUTS,
)
_NOTHING: Tokens = (0, 0, 0, 0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one side says of a line.

    `pico` is None where it tells tokens but no money, `tokens` where it tells money alone.
    """

    calls: int
    tokens: Tokens | None  # by CLASSES
    pico: int | None
    uncertain_calls: int = 0  # of our side: without a price or without usage

    @property
    def is_nothing(self) -> bool:
        """Neither tokens nor money."""
        return not any(self.tokens or _NOTHING) and not self.pico


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One day, provider, model … on both sides; a side is None that does not have it."""

    keys: Mapping[str, str]
    status: Status
    ours: Side | None
    theirs: Side | None

    @property
    def difference_pico(self) -> int | None:
        """Ours less theirs; None where the bill tells no money."""
        ours = self.ours.pico if self.ours else 0
        theirs = self.theirs.pico if self.theirs else 0
        return None if ours is None or theirs is None else ours - theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What `sdlc cost reconcile` prints."""

    by: tuple[str, ...]
    lines: tuple[Line, ...]  # by day
    ours_pico: int
    theirs_pico: int | None  # None where the bill tells no money
    hints: tuple[Message, ...]

    @property
    def counts(self) -> Mapping[Status, int]:
        """Lines of each status."""
        found: dict[Status, int] = dict.fromkeys(
            ("matched", "tokens", "price", "not-in-bill", "not-in-log"), 0
        )
        for line in self.lines:
            found[line.status] += 1
        return found

    @property
    def money_only(self) -> bool:
        """Whether the bill tells no tokens, so that only amounts were compared."""
        told = [line.theirs for line in self.lines if line.theirs]
        return bool(told) and all(side.tokens is None for side in told)

    @property
    def exit_code(self) -> int:
        """0 when all lines match, 1 when one does not, 4 without any line."""
        if not self.lines:
            return 4
        return 0 if all(line.status == "matched" for line in self.lines) else 1


def bill_of_rows(
    rows: Iterable[Row], name: Callable[[Row], tuple[str, str]], timezone: str
) -> dict[Keys, Side]:
    """The bill from the rows of an export; `name(row)` is its canonical provider and model.

    The bill's money is what the export itself says (`logged_pico`); a line one of whose rows does
    not say it has none. Rows without a time have no day. Raises `zones.UnknownZone`.
    """
    place = zone(timezone)
    found: dict[Keys, Side] = {}
    for row in rows:
        provider, model = name(row)
        day = ""
        if row.ts is not None:
            day = when.local_day(_EPOCH + timedelta(microseconds=row.ts), place).isoformat()
        keys = _keys(
            {"day": day, "provider": provider, "model": model, "tier": row.tier,
             "project": row.project}
        )  # fmt: skip
        side = Side(
            calls=row.calls,
            # A line of unknown usage is one of money alone.
            tokens=_tokens({count: getattr(row, count) for count in COUNTS}) if row.known else None,
            pico=row.logged_pico,
        )
        found[keys] = _sum(found[keys], side) if keys in found else side
    return found


def sides(groups: Iterable[Group], *, with_money: bool = True) -> dict[Keys, Side]:
    """A side from the groups of a usage, by BY or more.

    For a bill that tells tokens alone `with_money=False`: else our own prices are on both sides.
    """
    found: dict[Keys, Side] = {}
    for group in groups:
        amounts = group.amounts
        side = Side(
            calls=amounts.calls,
            tokens=_tokens(amounts.tokens),
            pico=amounts.pico if with_money else None,
            uncertain_calls=amounts.unknown_calls + amounts.unpriced_calls,
        )
        keys = _keys(group.keys)
        found[keys] = _sum(found[keys], side) if keys in found else side
    return found


def reconcile(
    ours: Mapping[Keys, Side],
    theirs: Mapping[Keys, Side],
    *,
    tolerance: Decimal = Decimal(0),
    elsewhere: Mapping[str, Mapping[Keys, Side]] | None = None,
) -> Reconciliation:
    """Line by line.

    `ours`: `sides(usage.slices(by=(*BY, "project"), where=…, timezone=…))` over the bill's days.
    `theirs`: `bill_of_rows(…)` or `sides` of a usage opened on the export. A key that the bill
    leaves empty throughout (project, tier) is not compared. `tolerance` is a share of the bill's
    figure: 0.01 lets 1 % pass. `elsewhere`: ours by the days of other zones, for the hint that
    the bill's days begin at another hour.
    """
    by = _told(theirs) if theirs else BY
    left, right = _by(ours, by), _by(theirs, by)
    lines = _lines(left, right, tolerance)
    told = [side.pico for side in right.values()]
    billed = sum(pico for pico in told if pico is not None)
    return Reconciliation(
        by=by,
        lines=lines,
        ours_pico=sum(side.pico or 0 for side in left.values()),
        theirs_pico=None if not told or None in told else billed,
        hints=_hints(lines, right, tolerance, by, elsewhere or {}),
    )


def _keys(keys: Mapping[str, str]) -> Keys:
    return tuple(sorted(keys.items()))


def _tokens(tokens: Mapping[str, int]) -> Tokens:
    inputs, reads, writes, outputs = (
        sum(tokens.get(name, 0) for name in names) for names in _PARTS
    )
    return inputs, reads, writes, outputs


def _sum(one: Side, other: Side) -> Side:
    return Side(
        calls=one.calls + other.calls,
        tokens=_added(one.tokens, other.tokens) if one.tokens and other.tokens else None,
        pico=None if one.pico is None or other.pico is None else one.pico + other.pico,
        uncertain_calls=one.uncertain_calls + other.uncertain_calls,
    )


def _added(one: Tokens, other: Tokens, sign: int = 1) -> Tokens:
    return (
        one[0] + sign * other[0],
        one[1] + sign * other[1],
        one[2] + sign * other[2],
        one[3] + sign * other[3],
    )


def _told(theirs: Mapping[Keys, Side]) -> tuple[str, ...]:
    told = {key for keys in theirs for key, value in keys if value}
    return tuple(key for key in (*BY, "project") if key in told)


def _by(found: Mapping[Keys, Side], by: Sequence[str]) -> dict[Keys, Side]:
    kept: dict[Keys, Side] = {}
    for keys, side in found.items():
        short = tuple((key, dict(keys).get(key, "")) for key in by)
        kept[short] = _sum(kept[short], side) if short in kept else side
    return kept


def _lines(
    ours: Mapping[Keys, Side], theirs: Mapping[Keys, Side], tolerance: Decimal
) -> tuple[Line, ...]:
    lines: list[Line] = []
    for keys in sorted({*ours, *theirs}):
        left, right = ours.get(keys), theirs.get(keys)
        if all(side is None or side.is_nothing for side in (left, right)):
            continue
        status = _status(left, right, tolerance)
        lines.append(Line(keys=dict(keys), status=status, ours=left, theirs=right))
    return tuple(lines)


def _status(ours: Side | None, theirs: Side | None, tolerance: Decimal) -> Status:
    if theirs is None:
        return "not-in-bill"
    if ours is None:
        return "not-in-log"
    if ours.tokens and theirs.tokens:
        pairs = zip(ours.tokens, theirs.tokens, strict=True)
        if not all(_near(left, right, tolerance) for left, right in pairs):
            return "tokens"
    if None not in (ours.pico, theirs.pico):
        return "matched" if _near(ours.pico or 0, theirs.pico or 0, tolerance) else "price"
    return "matched"


def _near(ours: int, theirs: int, tolerance: Decimal) -> bool:
    return abs(ours - theirs) <= tolerance * theirs


def _hints(
    lines: Sequence[Line],
    theirs: Mapping[Keys, Side],
    tolerance: Decimal,
    by: Sequence[str],
    elsewhere: Mapping[str, Mapping[Keys, Side]],
) -> tuple[Message, ...]:
    hints = _zone_hints(lines, theirs, tolerance, by, elsewhere)
    if not hints and _days_cancel(lines):
        hints = [
            msg(
                "the differences cancel out over the days: the bill's days may begin at another"
                " hour; compare with --timezone UTC"
            )
        ]
    hints += _split_hints(lines)
    hints += _name_hints(lines)
    return tuple(hints[:MOST_HINTS])


def _zone_hints(
    lines: Sequence[Line],
    theirs: Mapping[Keys, Side],
    tolerance: Decimal,
    by: Sequence[str],
    elsewhere: Mapping[str, Mapping[Keys, Side]],
) -> list[Message]:
    """The zone in which more lines match than now."""
    most, best = sum(line.status == "matched" for line in lines), ""
    for name, ours in elsewhere.items():
        matched = sum(line.status == "matched" for line in _lines(_by(ours, by), theirs, tolerance))
        if matched > most:
            most, best = matched, name
    if not best:
        return []
    return [
        msg(
            "with the days of {zone}, {n} lines match: compare with --timezone {zone}",
            zone=best,
            n=most,
        )
    ]


def _days_cancel(lines: Iterable[Line]) -> bool:
    """Days differ on two days or more, and over all days a tenth of that is left at most."""
    by_name: dict[Keys, list[Tokens]] = {}
    for line in lines:
        name = tuple((key, value) for key, value in line.keys.items() if key != "day")
        ours = line.ours.tokens if line.ours else _NOTHING
        theirs = line.theirs.tokens if line.theirs else _NOTHING
        if ours and theirs and ours != theirs and "day" in line.keys:
            by_name.setdefault(name, []).append(_added(ours, theirs, -1))
    changes = [differences for differences in by_name.values() if len(differences) > 1]
    whole = sum(abs(count) for days in changes for tokens in days for count in tokens)
    left = sum(abs(sum(column)) for days in changes for column in zip(*days, strict=True))
    return whole > 0 and left * 10 <= whole


def _split_hints(lines: Iterable[Line]) -> list[Message]:
    """Equal input in all, but not equally split between plain and cached."""
    split = [
        line
        for line in lines
        if line.status == "tokens"
        and line.ours
        and line.theirs
        and line.ours.tokens
        and line.theirs.tokens
        and sum(line.ours.tokens[:3]) == sum(line.theirs.tokens[:3])
        and line.ours.tokens[3] == line.theirs.tokens[3]
    ]
    if not split:
        return []
    return [
        msg(
            "lines with the same tokens in all, but differently split into plain, cache read and"
            " cache write: {n}",
            n=len(split),
        )
    ]


def _name_hints(lines: Sequence[Line]) -> list[Message]:
    """Lines that would match if two models were one."""
    ours: dict[tuple[Keys, Tokens], str] = {}
    for line in lines:
        if (
            line.status == "not-in-bill"
            and line.ours
            and line.ours.tokens
            and any(line.ours.tokens)
        ):
            ours[_nameless(line), line.ours.tokens] = line.keys.get("model", "")
    pairs = {
        (ours[_nameless(line), line.theirs.tokens], line.keys.get("model", ""))
        for line in lines
        if line.status == "not-in-log"
        and line.theirs
        and line.theirs.tokens
        and (_nameless(line), line.theirs.tokens) in ours
    }
    return [
        msg(
            "'{ours}' of the log and '{theirs}' of the bill have the same tokens: if they are one,"
            " say so under aliases in cost.yaml",
            ours=mine,
            theirs=other,
        )
        for mine, other in sorted(pairs)
    ]


def _nameless(line: Line) -> Keys:
    return tuple(
        (key, value) for key, value in line.keys.items() if key not in ("model", "provider")
    )
