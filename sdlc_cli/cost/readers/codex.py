"""Session files of Codex CLI: one JSON line an event; the model and the tier are told apart."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Parse, Record
from sdlc_cli.cost.readers.counts import count
from sdlc_cli.cost.readers.fields import labels, moment, section, text, tier
from sdlc_cli.cost.readers.overlap import inputs, outputs

_COUNTS = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_input_tokens",
    "output_tokens",
    "reasoning_output_tokens",
)
_Usage = tuple[int, ...]  # in the order of _COUNTS

_EVENTS = frozenset(
    (
        "session_meta",
        "turn_context",
        "event_msg",
        "response_item",
        "compacted",
        "token_usage_record",
    )
)
# A fork whose copied history was dated anew has it in one burst at its start: events that follow
# each other within 40 ms were seen, and a first call of its own after more than 5 s.
_PAUSE = 1_000_000  # microseconds
_PENDING = 1_000  # responses kept until something tells what they were


def _is_ours(record: Record) -> bool:
    return (
        isinstance(kind := record.get("type"), str)
        and kind in _EVENTS
        and isinstance(record.get("payload"), Mapping)
        and "timestamp" in record
    )


class _Session:
    """What the events so far have told: calls carry neither their model nor their tier."""

    def __init__(self) -> None:
        self.session = ""
        self.cwd = ""
        self.model = ""
        self.tier = ""
        self.total: _Usage | None = None
        self.copied_until: int | None = None  # while a fork's copied history goes on
        self.unmatched: dict[str, tuple[_Usage, Row]] = {}  # by response id
        self.compacted = ""  # the response id of the last compaction without its record

    def parse(self, record: Record) -> Iterable[Row]:
        kind = record.get("type")
        payload = record.get("payload")
        if not isinstance(payload, Mapping):
            if isinstance(kind, str) and kind in _EVENTS:
                raise Rejected(msg("{key} is not an object", key="payload"))
            return ()
        if kind == "session_meta":
            self._begin(record, payload)
        elif kind == "turn_context":
            self.model = text(payload, "model") or self.model
            self.cwd = text(payload, "cwd") or self.cwd
        elif kind == "token_usage_record":
            return self._response(record, payload)
        elif kind == "compacted":
            return self._compaction(payload)
        elif kind == "event_msg" and payload.get("type") == "thread_settings_applied":
            self._settings(section(payload, "thread_settings"))
        elif kind == "event_msg" and payload.get("type") == "token_count":
            return self._call(record, payload)
        return ()

    def _begin(self, record: Record, payload: Record) -> None:
        if self.session:
            return  # a copied history begins with its own header
        self.session = text(payload, "id")
        self.cwd = text(payload, "cwd") or self.cwd
        spawned = _inside(payload, "source", "subagent", "thread_spawn")
        if payload.get("forked_from_id") or spawned.get("parent_thread_id"):
            self.copied_until = moment(record.get("timestamp"), "timestamp")

    def _settings(self, settings: Record) -> None:
        told = settings.get("service_tier")
        if isinstance(told, str):  # without one, the tier stays what it was
            self.tier = "priority" if told == "fast" else tier(told)

    def _call(self, record: Record, payload: Record) -> Iterable[Row]:
        if payload.get("info") is None:  # a sign of life that tells of limits only
            return ()
        info = section(payload, "info")
        told, total = _usage(info, "last_token_usage"), _usage(info, "total_token_usage")
        advanced = total is None or total != self.total
        used = told if advanced else None
        if used is None and total is not None:
            used = _difference(total, self.total)
        if total is not None:
            self.total = total
        if used is None or not any(used):
            return ()
        self.model = text(payload, "model") or text(info, "model") or self.model
        ts = moment(record.get("timestamp"), "timestamp")
        if self._is_copy(ts):
            return ()
        self._match(used)
        row = self._row(used, ts, _sum(info))
        when = record.get("timestamp")
        if self.session and isinstance(when, str):
            row.call_id = f"{self.session}:{when}"  # both stand in the file, to be found there
        return (row,)

    def _is_copy(self, ts: int | None) -> bool:
        """Whether a fork wrote this call down again with a new time."""
        if self.copied_until is None or ts is None:
            return False
        if 0 <= ts - self.copied_until <= _PAUSE:
            self.copied_until = ts
            return True
        if ts > self.copied_until:
            self.copied_until = None
        return False  # an older call keeps its time, and its first record's key

    def _row(self, used: _Usage, ts: int | None, total: int) -> Row:
        all_in, cached, written, all_out, reasoning = used
        given = inputs(all_in, read=cached, write=written)
        made = outputs(all_out, reasoning=reasoning)
        counts = ":".join(map(str, used))
        return Row(
            ts=ts,
            provider="openai",
            model=self.model,
            tier=self.tier,
            path=self.cwd,
            tags=labels({"session": self.session}),
            # Forks copy calls with their times, into files of other sessions.
            dedupe=f"codex:{ts}:{self.model}:{counts}:{total}" if ts else "",
            input=given.input,
            cache_read=given.cache_read,
            cache_write_5m=given.cache_write_5m,
            output=made.output,
            reasoning=made.reasoning,
        )

    def _response(self, record: Record, payload: Record) -> Iterable[Row]:
        """A response's own record. It counts only where no token_count tells of the same call."""
        response = text(payload, "response_id")
        used = _usage(payload, "usage")
        if not response or used is None or not any(used):
            return ()
        row = self._row(used, moment(record.get("timestamp"), "timestamp"), 0)
        row.model = text(payload, "model") or row.model
        row.call_id = row.dedupe = response
        if response == self.compacted:
            return (row,)
        self.unmatched[response] = (used, row)
        if len(self.unmatched) > _PENDING:
            del self.unmatched[next(iter(self.unmatched))]
        return ()

    def _match(self, used: _Usage) -> None:
        for response, (told, _) in reversed(self.unmatched.items()):
            if told == used:
                del self.unmatched[response]
                return

    def _compaction(self, payload: Record) -> Iterable[Row]:
        """Summing up a long session is a call that no token_count tells of."""
        response = text(payload, "compaction_response_id")
        if not response:
            return ()
        if response in self.unmatched:
            return (self.unmatched.pop(response)[1],)
        self.compacted = response
        return ()


def _inside(record: Record, *path: str) -> Record:
    """The object at the end of a path of keys; empty where the path ends before."""
    for key in path:
        value = record.get(key)
        if not isinstance(value, Mapping):
            return {}
        record = value
    return record


def _usage(record: Record, key: str) -> _Usage | None:
    if record.get(key) is None:
        return None
    usage = section(record, key)
    return tuple(count(usage, name) for name in _COUNTS)


def _sum(info: Record) -> int:
    return count(section(info, "last_token_usage"), "total_tokens")


def _difference(total: _Usage, before: _Usage | None) -> _Usage:
    if before is None:
        return total
    return tuple(max(0, now - then) for now, then in zip(total, before, strict=True))


LIVE, ARCHIVED = "sessions", "archived_sessions"  # folders


def superseded(paths: Sequence[PurePath]) -> frozenset[PurePath]:
    """Of archived sessions those that still lie, under the same name, among the live ones.

    Codex moves a session from `sessions` to `archived_sessions`; where both are there, the first
    is the one that is written.
    """
    live = {_place(path, LIVE) for path in paths} - {None}
    return frozenset(path for path in paths if _place(path, ARCHIVED) in live)


def _place(path: PurePath, folder: str) -> tuple[str, ...] | None:
    """The home and the name of a file below `folder`; the dated folders between differ."""
    if folder not in path.parts[:-1]:
        return None
    at = len(path.parts) - 1 - path.parts[::-1].index(folder)
    return (*path.parts[:at], path.name)


def _start() -> Parse:
    return _Session().parse


FORMAT = Format(
    name="codex",
    title=msg("Codex CLI session files"),
    matches=_is_ours,
    start=_start,
    stateful=True,
)
