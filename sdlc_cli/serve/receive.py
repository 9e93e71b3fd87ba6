"""What clients send: OTLP exports, and calls by REST. Answered once the disk has it."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row, Told
from sdlc_cli.cost.readers import strict
from sdlc_cli.cost.readers.fields import labels, moment, tier
from sdlc_cli.cost.store.ledger import Mark, Owner
from sdlc_cli.serve import otlp
from sdlc_cli.serve.app import Request
from sdlc_cli.serve.body import SMALL
from sdlc_cli.serve.ingest import Answer, Conflict, Refused, Unavailable
from sdlc_cli.serve.keys import Key
from sdlc_cli.serve.otlp import Export
from sdlc_cli.serve.proto import Malformed
from sdlc_cli.serve.reply import JSON, Problem, Reply, envelope
from sdlc_cli.serve.service import Service
from sdlc_cli.serve.sound import LONGEST_NAME, MOST_TOKENS, check

_RETRY_S = 2
_LARGE = 4 * 2**20  # bytes; of larger bodies one is decoded at a time: they take ten times as much
_CALLS = 10_000  # in one request by REST

Count = Annotated[int, Meta(ge=0, lt=MOST_TOKENS)]
Text = Annotated[str, Meta(max_length=LONGEST_NAME)]
Worked = Callable[..., Any]


class Call(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A call as `POST /api/v1/cost/track` takes it. `input_tokens` are the uncached ones alone.

    `output_tokens` contain the reasoning tokens. Where neither is told the usage is unknown, which
    is not the same as none. `call_id` is the provider's id of the answer, where there is one: the
    same call told by a span is then known to be the same.
    """

    model: Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
    provider: Text = ""
    time: str | int | float | None = None
    tier: Text = ""
    project: Text = ""
    user: Text = ""
    key: Text = ""
    tags: Annotated[dict[Text, Text], Meta(max_length=32)] = {}
    call_id: Text = ""
    status: Literal["ok", "error", "cached"] = "ok"
    input_tokens: Count | None = None
    cache_read_tokens: Count = 0
    cache_write_tokens: Count = 0
    cache_write_1h_tokens: Count = 0
    output_tokens: Count | None = None
    reasoning_tokens: Count = 0
    web_searches: Count = 0
    max_output_tokens: Count | None = None


class Intake:
    """Takes what comes."""

    def __init__(self, service: Service, worked: Worked) -> None:
        self._service = service
        self._worked = worked
        self._one = asyncio.Semaphore(1)

    def otlp(self, signal: str) -> Callable[[Request], Any]:
        """Who answers the exports of one signal."""

        async def work(request: Request) -> Reply:
            if request.kind not in (otlp.PROTOBUF, otlp.JSON):
                raise Problem(415, f"send {otlp.PROTOBUF} or {otlp.JSON}")
            export = await self._decoded(signal, request)
            self._service.metrics.exported(signal, export)
            if export.told:
                await self._kept(export.told, None)
            body = otlp.answer(signal, request.kind, export.refused)
            return Reply(200, body, request.kind)

        return work

    async def _decoded(self, signal: str, request: Request) -> Export:
        service = self._service
        given = (signal, request.body, request.kind, request.key, service.veil, service.owner)
        try:
            if len(request.body) <= SMALL:
                return decode(*given)
            if len(request.body) <= _LARGE:
                export: Export = await self._worked(decode, *given)
            else:
                async with self._one:
                    export = await self._worked(decode, *given)
        except Malformed as bad:
            raise Problem(400, str(bad)) from None
        return export

    async def track(self, request: Request) -> Reply:
        """Calls by REST, one or many."""
        if request.kind != JSON:
            raise Problem(415, f"send {JSON}")
        name = _idempotency(request)
        calls = calls_of(request.body)
        said = hashlib.sha256(request.body).digest()
        # With what was said, so that a key used anew once it is forgotten names other calls.
        whole = f"track:{name}:{said.hex()[:32]}" if name else ""
        told = [
            _told(call, whole and f"{whole}:{place}", self._service.veil)
            for place, call in enumerate(calls)
        ]
        try:
            for one in told:
                _bind(one, request.key, self._service.owner)
        except Rejected as refusal:
            raise Problem(400, str(refusal.reason)) from None
        data = {"accepted": len(told)}
        body = envelope("ok", data)
        mark = None
        if name:
            mark = Mark(key=name, said=said, answer=body, at=int(time.time()))
        answer = await self._kept(told, mark)
        self._service.metrics.tracked(len(told))
        if answer.replayed is not None:
            return Reply(200, answer.replayed, headers=((b"idempotency-replayed", b"true"),))
        return Reply(200, body)

    async def _kept(self, told: Sequence[Told], mark: Mark | None) -> Answer:
        try:
            return await self._service.writer.submit(told, mark)
        except Unavailable as error:
            self._service.metrics.count("unavailable")
            raise Problem(503, error.reason, retry_after=_RETRY_S) from None
        except Conflict:
            raise Problem(409, "this Idempotency-Key was used for another request") from None
        except Refused as error:
            raise Problem(400, f"the store refuses it: {error}") from None


def decode(
    signal: str, body: bytes, kind: str, key: Key, veil: Any, owner: Owner | None = None
) -> Export:
    """An export, checked and made the key's own."""
    if signal != "traces":
        return otlp.counted(signal, body, kind)
    export = otlp.traces(body, kind)
    now = int(time.time() * 10**6)
    for told in export.told:
        if told.row.ts is None:
            told.row.ts = now  # else it would count towards no day and no budget
        if told.row.user:
            told.row.user = veil.show("user", told.row.user)
    if key.projects:
        export.told = list(_bound(export, key, owner))
    return export


def _bound(export: Export, key: Key, owner: Owner | None) -> Iterator[Told]:
    for told in export.told:
        try:
            _bind(told, key, owner)
        except Rejected as refusal:
            export.refused.append(refusal)
        else:
            yield told


def calls_of(body: bytes) -> list[Call]:
    """The calls in a body: one, a list, or `{"calls": […]}`. Raises Problem."""
    try:
        value = strict.decode(body)
    except Rejected as refusal:
        raise Problem(400, str(refusal.reason)) from None
    if isinstance(value, dict) and "calls" in value:
        if len(value) > 1:
            raise Problem(400, "beside `calls` there may be nothing")
        value = value["calls"]
    many = value if isinstance(value, list) else [value]
    if not 0 < len(many) <= _CALLS:
        raise Problem(400, f"there have to be 1 to {_CALLS} calls in a request")
    try:
        return msgspec.convert(many, list[Call])
    except msgspec.ValidationError as error:
        raise Problem(400, str(error)) from None


def _told(call: Call, name: str, veil: Any) -> Told:
    try:
        ts = moment(call.time, "time")
        row = Row(
            ts=int(time.time() * 10**6) if ts is None else ts,
            provider=call.provider,
            model=call.model,
            tier=tier(call.tier),
            project=call.project,
            user=veil.show("user", call.user),
            key=call.key,
            tags=labels(call.tags),
            call_id=call.call_id,
            dedupe=_identity(call.call_id) or name,
            status=call.status,
            rank=-3 if call.status == "error" else -2 if call.status == "cached" else 0,
            known=call.status == "error"
            or call.input_tokens is not None
            or call.output_tokens is not None,
            input=call.input_tokens or 0,
            cache_read=call.cache_read_tokens,
            cache_write_5m=call.cache_write_tokens,
            cache_write_1h=call.cache_write_1h_tokens,
            output=max(0, (call.output_tokens or 0) - call.reasoning_tokens),
            reasoning=call.reasoning_tokens,
            web_searches=call.web_searches,
            max_output=call.max_output_tokens,
        )
        if call.reasoning_tokens > (call.output_tokens or 0):
            raise Rejected(msg("more reasoning tokens than output tokens"))
        check(row)
    except Rejected as refusal:
        raise Problem(400, str(refusal.reason)) from None
    return Told(row=row)


def _identity(name: str) -> str:
    from sdlc_cli.cost.readers.fields import identity

    return identity({"id": name}, "id")


def _idempotency(request: Request) -> str:
    told = request.headers.get(b"idempotency-key", b"").decode("latin-1")
    if len(told) > 255 or not told.isprintable():
        raise Problem(400, "the Idempotency-Key has to be of 255 printable letters at most")
    return f"{request.key.id}:{told}" if told else ""


def _bind(told: Told, key: Key, owner: Owner | None) -> None:
    """A key of some projects tells of these alone, and touches no call of another.

    Nor may the rules of cost.yaml give its call to another: tags and users are the client's words.
    What its calls are known by is its own: nobody can hide another's call by naming its id.
    """
    if not key.projects:
        return
    row = told.row
    if row.project not in key.projects:
        if len(key.projects) > 1:
            raise Rejected(msg("the key is not for project '{name}'", name=row.project))
        row.project = key.projects[0]
    if owner and (whose := owner(row)[0]) not in key.projects:
        raise Rejected(msg("the key is not for project '{name}'", name=whose))
    own = f"@{row.project}"
    told.span = told.span and told.span + own
    told.above = tuple(above + own for above in told.above)
    row.dedupe = row.dedupe and row.dedupe + own
