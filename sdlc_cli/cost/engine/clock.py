"""Calendar days in SQL: integer arithmetic on microseconds, the zone's jumps worked out before."""

from datetime import UTC, date, datetime, timedelta

from sdlc_cli.cost.zones import zone

SECOND = 10**6
HOUR = 3600 * SECOND
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = 6 * DAY  # no zone changed its clock twice within so few days since 1970
_CASES = 8  # jumps that are asked one after the other; of more the half that matters
Jumps = tuple[tuple[int, int], ...]  # (from this microsecond on, the offset in microseconds)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of a moment that knows its offset."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """The moment `at` microseconds after 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=at)


# Where no zone's clock is known any more; its last offset goes on.
END = micros(datetime(2150, 1, 1, tzinfo=UTC))


def jumps(timezone: str, first: int, last: int) -> Jumps:
    """The zone's offsets from microsecond `first` to `last`; the first entry is in force there."""
    place = zone(timezone)

    def offset(at: int) -> int:
        told = datetime.fromtimestamp(min(at, END) // SECOND, place).utcoffset() or timedelta()
        return told // timedelta(microseconds=1)

    now = offset(first)
    found = [(first, now)]
    if timezone == "UTC":
        return tuple(found)
    end = min(last, END)
    at = first
    while at < end:
        after = min(at + _STEP, end)
        then = offset(after)
        if then != now:
            low, high = at, after  # the jump lies in (low, high]
            while high - low > SECOND:
                middle = (low + high) // 2
                if offset(middle) == now:
                    low = middle
                else:
                    high = middle
            now = then
            found.append((high - high % SECOND, now))
        at = after
    return tuple(found)


def local(steps: Jumps, ts: str = "ts") -> str:
    """SQL for the microseconds that the clock of the zone shows at `ts`."""
    if len(steps) == 1:
        return f"({ts} + {steps[0][1]})" if steps[0][1] else ts
    return f"({ts} + {_offset(steps, ts)})"


def _offset(steps: Jumps, ts: str) -> str:
    """SQL for the offset at `ts`: a tree, so that many jumps take no longer than few."""
    if len(steps) > _CASES:
        middle = len(steps) // 2
        early, late = _offset(steps[:middle], ts), _offset(steps[middle:], ts)
        return f"CASE WHEN {ts} < {steps[middle][0]} THEN {early} ELSE {late} END"
    if len(steps) == 1:
        return str(steps[0][1])
    cases = " ".join(f"WHEN {ts} >= {at} THEN {offset}" for at, offset in reversed(steps[1:]))
    return f"CASE {cases} ELSE {steps[0][1]} END"


def label(kind: str, number: int | None) -> str:
    """What a report calls a day, week, month or hour that `number` counts from 1970; "" for none.

    `number` counts hours for `hour` and days for the others.
    """
    if number is None:
        return ""
    if kind == "hour":
        return f"{_day(number // 24)}T{number % 24:02}:00"
    day = _day(number)
    if kind == "month":
        return f"{day:%Y-%m}"
    if kind == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02}"
    return day.isoformat()


def _day(number: int) -> date:
    return date.fromordinal(min(_EPOCH.toordinal() + number, date.max.toordinal()))
