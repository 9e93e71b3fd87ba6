"""Exports of OpenAI's usage API: token sums for each bucket of time and combination of groups."""

from collections.abc import Iterable, Iterator, Mapping

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Record
from sdlc_cli.cost.readers.counts import count
from sdlc_cli.cost.readers.fields import moment, text, tier
from sdlc_cli.cost.readers.overlap import Inputs, inputs, outputs

_KIND = "organization.usage."
_COUNTED = ("completions", "embeddings", "moderations")  # others count images, seconds, bytes
_DIMENSIONS = ("project_id", "user_id", "api_key_id", "model", "service_tier")
# Where one of these stands, the counts of audio and images exclude what came from the cache.
_EXCLUDES_CACHE = ("input_uncached_tokens", "input_cached_audio_tokens", "input_text_tokens")


def _is_ours(record: Record) -> bool:
    if record.get("object") == "bucket" and "start_time" in record:
        results = record.get("results")
        return isinstance(results, list) and all(
            isinstance(result, Mapping)
            and str(result.get("object", _KIND)).startswith(_KIND)
            and "amount" not in result  # the costs API's export has amounts
            for result in results
        )
    return str(record.get("object", "")).startswith(_KIND) and "start_time" in record


def parse(record: Record) -> Iterable[Row]:
    """One row for each result of a bucket. Raises Rejected for results that count no tokens."""
    if record.get("object") != "bucket":
        return _rows(record, (record,))
    results = record.get("results")
    if not isinstance(results, list):
        raise Rejected(msg("{key} is not a list", key="results"))
    return _rows(record, results)


def _rows(bucket: Record, results: Iterable[object]) -> Iterator[Row]:
    """A result that cannot be counted raises Rejected after the rows of all the others."""
    refused: Rejected | None = None
    for result in results:
        try:
            if not isinstance(result, Mapping):
                raise Rejected(msg("{key} holds something else than objects", key="results"))
            row = _row(bucket, result)
        except Rejected as refusal:
            refused = refused or refusal
            continue
        if row is not None:
            yield row
    if refused is not None:
        raise refused


def _row(bucket: Record, result: Record) -> Row | None:
    kind = text(result, "object").removeprefix(_KIND).removesuffix(".result")
    if kind and kind not in _COUNTED:
        raise Rejected(msg("usage of {kind} is not counted in tokens", kind=kind))
    given = _inputs(result)
    made = outputs(
        count(result, "output_tokens"),
        audio=count(result, "output_audio_tokens"),
        image=count(result, "output_image_tokens"),
    )
    calls = count(result, "num_model_requests")
    if not calls and not any((*given[:-1], *made[:-1])):
        return None
    dimensions = [text(result, name) for name in _DIMENSIONS]
    batch = result.get("batch") is True
    start = moment(bucket.get("start_time"), "start_time")
    end = moment(bucket.get("end_time"), "end_time")
    key = ":".join(("openai-usage", kind, str(start), str(end), str(batch), *dimensions))
    return Row(
        ts=start,
        provider="openai",
        model=text(result, "model"),
        tier="batch" if batch else tier(text(result, "service_tier")),
        project=text(result, "project_id"),
        user=text(result, "user_id"),
        key=text(result, "api_key_id"),
        call_id=":".join(filter(None, (text(bucket, "start_time"), *dimensions))),
        dedupe=key,
        calls=calls,
        input=given.input,
        cache_read=given.cache_read,
        cache_write_5m=given.cache_write_5m,
        audio_in=given.audio_in,
        audio_cached=given.audio_cached,
        image_in=given.image_in,
        output=made.output,
        audio_out=made.audio_out,
        image_out=made.image_out,
    )


def _inputs(result: Record) -> Inputs:
    total = count(result, "input_tokens")
    read = count(result, "input_cached_tokens")
    write = count(result, "input_cache_write_tokens")
    audio = count(result, "input_audio_tokens")
    image = count(result, "input_image_tokens")
    if total < read + write:
        raise Rejected(msg("more cached tokens than input_tokens"))
    if not any(result.get(name) is not None for name in _EXCLUDES_CACHE):
        return inputs(total, read=read, write=write, audio=audio, image=image)
    audio_cached = count(result, "input_cached_audio_tokens")
    rest = total - read - write - audio - image
    if rest < 0 or audio_cached > read:
        raise Rejected(msg("more audio and image tokens than input tokens"))
    return Inputs(
        input=rest,
        cache_read=read - audio_cached,
        cache_write_5m=write,
        cache_write_1h=0,
        audio_in=audio,
        audio_cached=audio_cached,
        image_in=image,
        exclusive=False,
    )


FORMAT = Format(
    name="openai-usage",
    title=msg("OpenAI usage API export"),
    matches=_is_ours,
    start=lambda: parse,
    sums=True,
)
