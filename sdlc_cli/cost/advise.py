"""Where money could be saved: each suggestion with its dollars and what it takes for granted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.cost.model import Amounts, Group, Price, Unpriced
from sdlc_cli.cost.prefixes import Caching, PrefixUse, best_caching
from sdlc_cli.cost.prices.family import family
from sdlc_cli.cost.prices.resolve import canonical_tier

Kind = Literal["cheaper-model", "batch", "prompt-cache", "response-cache"]
Model = tuple[str, str]  # provider and canonical name

SLICE = ("provider", "model", "tier")  # what groups are asked by
MOST_MODELS = 20  # those that cost most; the rest is not worth a look
LEAST_SHARE = 1_000  # a suggestion saves a thousandth of all spending, or is not made
REPEAT_S = 86_400  # how old an answer may be that is given again: a day

_MICRO = 1_000_000
_SAME = msg(
    "this other version of the same model answers as well, with as many tokens: try it on your own"
    " cases first"
)
_OTHER = msg(
    "this other, cheaper model of the same line answers well enough, with as many tokens: try it on"
    " your own cases first"
)


class Call(PrefixUse, Protocol):
    """One call, as `Usage.requests` gives it."""

    @property
    def request_hash(self) -> str:
        """Empty where the log does not tell what was asked."""

    @property
    def pico(self) -> int:
        """What the call cost, in pico-dollars."""

    @property
    def provider(self) -> str:
        """Canonical."""

    @property
    def model(self) -> str:
        """Canonical."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask the usage: `usage.with_prices(replace, tier).slices(by=SLICE, …)`."""

    kind: Literal["cheaper-model", "batch"]
    replace: Mapping[str, str]  # glob of "provider/model" -> "provider/model"
    targets: Mapping[Model, Model]
    tier: str | None = None
    same_family: bool = False  # the targets are versions of the same model


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One way to save, for the calls to one model. Money in pico-dollars."""

    kind: Kind
    provider: str
    model: str
    calls: int  # that it touches
    spent_pico: int  # by these calls now; for caches by all calls to the model
    saved_pico: int
    target: str = ""  # the other model
    caching: Caching | None = None
    chosen: bool = False  # part of the best combination
    what: Message
    assumption: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What the figures lack: calls without a price or without usage."""

    kind: Literal["unpriced", "unknown-usage"]
    provider: str
    model: str
    calls: int
    at_most_pico: int | None
    what: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What `sdlc cost advise` prints.

    `saved_pico` is the most that suggestions save together without counting a call twice: of
    each model's suggestions, which all touch the same calls, only the best one counts. Doing two
    for one model may save more, but not their sum.
    """

    suggestions: tuple[Suggestion, ...]  # what saves most stands first
    gaps: tuple[Gap, ...]
    spent_pico: int
    saved_pico: int
    told_calls: int  # calls whose log tells what was asked or how the prompt begins


def questions(
    slices: Iterable[Group], cheaper: Callable[[str, str], Sequence[Price]]
) -> tuple[Question, ...]:
    """What to ask the usage before `advise`, given `usage.slices(by=SLICE, where=…)`.

    `cheaper(provider, model)` is `prices.cheaper(prices.price(provider, model))`: models of one
    line that cost less, none of them of an earlier generation, dearest first. Asked about are
    the one of the same family, and the dearest of the others.
    """
    same: dict[Model, Model] = {}
    other: dict[Model, Model] = {}
    for model in _largest(slices):
        for found in cheaper(*model):
            place = same if found.family == family(model[1]) else other
            place.setdefault(model, (found.provider, found.model))
    asked = [
        Question(
            kind="cheaper-model",
            targets=targets,
            replace=_globs(targets),
            same_family=targets is same,
        )
        for targets in (same, other)
        if targets
    ]
    return (*asked, Question(kind="batch", targets={}, replace={}, tier="batch"))


def advise(
    slices: Iterable[Group],
    answers: Iterable[tuple[Question, Iterable[Group]]] = (),
    *,
    calls: Iterable[Call] = (),
    price: Callable[[str, str], Price] | None = None,
    unpriced: Iterable[Unpriced] = (),
    total: Amounts | None = None,
) -> Advice:
    """Suggestions for the calls in `slices`, which is `usage.slices(by=SLICE, where=…)`.

    `answers`: each of `questions(…)` with the groups it gave. `calls`: `usage.requests(where)`,
    for duplicates and prompt caching; `price(provider, model)` is `prices.price`. `unpriced` and
    `total` are those of the report. Unpriced and unknown calls are never said to save anything.
    """
    now = _tiers(slices)
    spent = sum(amounts.pico for tiers in now.values() for amounts in tiers.values())
    found: list[Suggestion] = []
    for question, groups in answers:
        found += _repriced(question, now, _tiers(groups))
    told = list(calls)
    found += _from_calls(told, price, now)
    kept = [one for one in found if one.saved_pico * LEAST_SHARE >= max(spent, 1)]
    chosen = _best(kept)
    marked = [replace(one, chosen=chosen[one.provider, one.model] is one) for one in kept]
    return Advice(
        suggestions=tuple(
            sorted(marked, key=lambda one: (-one.saved_pico, one.provider, one.model, one.kind))
        ),
        gaps=tuple(_gaps(unpriced, total)),
        spent_pico=spent,
        saved_pico=sum(one.saved_pico for one in chosen.values()),
        told_calls=len(told),
    )


def _largest(slices: Iterable[Group]) -> list[Model]:
    totals = {
        model: sum(amounts.pico for amounts in tiers.values())
        for model, tiers in _tiers(slices).items()
    }
    ranked = sorted(totals, key=lambda model: (-totals[model], model))
    return [model for model in ranked if totals[model] > 0][:MOST_MODELS]


def _globs(targets: Mapping[Model, Model]) -> dict[str, str]:
    return {_literal("/".join(old)): "/".join(new) for old, new in targets.items()}


def _literal(name: str) -> str:
    """A glob that matches `name` alone."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _tiers(groups: Iterable[Group]) -> dict[Model, dict[str, Amounts]]:
    found: dict[Model, dict[str, Amounts]] = {}
    for group in groups:
        keys = group.keys
        found.setdefault((keys["provider"], keys["model"]), {})[keys["tier"]] = group.amounts
    return found


def _repriced(
    question: Question,
    now: Mapping[Model, Mapping[str, Amounts]],
    then: Mapping[Model, Mapping[str, Amounts]],
) -> Iterable[Suggestion]:
    models = list(question.targets) if question.kind == "cheaper-model" else list(now)
    for model in models:
        pairs = [
            (before, then[model][tier])
            for tier, before in now.get(model, {}).items()
            if tier in then.get(model, {})
            and (question.kind == "cheaper-model" or not canonical_tier(tier))
        ]
        pairs = [(before, after) for before, after in pairs if _comparable(before, after)]
        spent = sum(before.pico for before, _ in pairs)
        calls = sum(before.calls for before, _ in pairs)
        saved = spent - sum(after.pico for _, after in pairs)
        if saved <= 0:
            continue
        if question.kind == "batch":
            yield _batch(model, calls, spent, saved)
        else:
            yield _cheaper(model, question, calls, spent, saved)


def _comparable(before: Amounts, after: Amounts) -> bool:
    """The same calls are priced on both sides."""
    return (before.calls, before.unpriced_calls, before.unknown_calls) == (
        after.calls,
        after.unpriced_calls,
        after.unknown_calls,
    )


def _cheaper(model: Model, question: Question, calls: int, spent: int, saved: int) -> Suggestion:
    target = question.targets[model]
    return Suggestion(
        kind="cheaper-model",
        provider=model[0],
        model=model[1],
        calls=calls,
        spent_pico=spent,
        saved_pico=saved,
        target=target[1],
        what=msg("use {target} instead of {model}", target=target[1], model=model[1]),
        assumption=_SAME if question.same_family else _OTHER,
    )


def _batch(model: Model, calls: int, spent: int, saved: int) -> Suggestion:
    return Suggestion(
        kind="batch",
        provider=model[0],
        model=model[1],
        calls=calls,
        spent_pico=spent,
        saved_pico=saved,
        what=msg("send the calls to {model} in batches", model=model[1]),
        assumption=msg(
            "all of them can wait up to a day; if only a part can, that part of it is saved"
        ),
    )


def _from_calls(
    calls: Iterable[Call],
    price: Callable[[str, str], Price] | None,
    now: Mapping[Model, Mapping[str, Amounts]],
) -> Iterable[Suggestion]:
    by_model: dict[Model, list[Call]] = {}
    for call in calls:
        by_model.setdefault((call.provider, call.model), []).append(call)
    for model, among in sorted(by_model.items()):
        spent = sum(amounts.pico for amounts in now.get(model, {}).values())
        yield from _repeats(model, among, spent)
        standard = not any(map(canonical_tier, now.get(model, {})))
        if price is not None and standard:  # a request does not tell its tier, nor so its price
            yield from _prompt_cache(model, among, spent, price(*model))


def _repeats(model: Model, calls: Iterable[Call], spent: int) -> Iterable[Suggestion]:
    timed = [call for call in calls if call.ts is not None and call.request_hash]
    stored: dict[str, int] = {}
    repeats = saved = 0
    for call in sorted(timed, key=lambda one: one.ts or 0):
        assert call.ts is not None
        at = stored.get(call.request_hash)
        if at is not None and call.ts - at < REPEAT_S * _MICRO:
            repeats += 1
            saved += call.pico
        else:
            stored[call.request_hash] = call.ts
    if saved > 0:
        yield Suggestion(
            kind="response-cache",
            provider=model[0],
            model=model[1],
            calls=repeats,
            spent_pico=spent,
            saved_pico=saved,
            what=msg("answer repeated requests to {model} from a cache", model=model[1]),
            assumption=msg(
                "an equal request may get an answer that is up to a day old, and every answer is"
                " kept for that long; 'sdlc cost cache' tells what smaller caches save"
            ),
        )


def _prompt_cache(
    model: Model, calls: Iterable[Call], spent: int, price: Price
) -> Iterable[Suggestion]:
    found = best_caching((call for call in calls if call.pico), price)
    if found is None:
        return
    yield Suggestion(
        kind="prompt-cache",
        provider=model[0],
        model=model[1],
        calls=found.calls,
        spent_pico=spent,
        saved_pico=found.saved_pico,
        caching=found,
        what=msg(
            "cache the beginnings of prompts to {model} that come again within {minutes} minutes",
            model=model[1],
            minutes=found.lifetime_s // 60,
        ),
        assumption=msg(
            "the provider keeps each beginning for that long after its last use, and it is long"
            " enough for the model (1,024 to 4,096 tokens); writing to the cache is paid for"
        ),
    )


def _best(suggestions: Iterable[Suggestion]) -> dict[Model, Suggestion]:
    """Of each model the suggestion that saves most; of equals the first."""
    best: dict[Model, Suggestion] = {}
    for one in suggestions:
        before = best.get((one.provider, one.model))
        if before is None or one.saved_pico > before.saved_pico:
            best[one.provider, one.model] = one
    return best


def _gaps(unpriced: Iterable[Unpriced], total: Amounts | None) -> Iterable[Gap]:
    for one in unpriced:
        yield Gap(
            kind="unpriced",
            provider=one.provider,
            model=one.model,
            calls=one.calls,
            at_most_pico=one.at_most_pico,
            what=msg("declare the price of {model} in cost.yaml, or that it is free",
                     model=one.model or msg("calls without a model")),
        )  # fmt: skip
    if total is not None and total.unknown_calls:
        yield Gap(
            kind="unknown-usage",
            provider="",
            model="",
            calls=total.unknown_calls,
            at_most_pico=None,
            what=msg(
                "log the usage of every call: when OpenAI streams, it is told only with"
                " stream_options.include_usage"
            ),
        )
