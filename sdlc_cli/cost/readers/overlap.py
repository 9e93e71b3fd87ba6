"""Splits token counts that contain one another into classes that share no token."""

from typing import NamedTuple

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected


class Inputs(NamedTuple):
    """The input classes of `model.Row`, and whether the total turned out to exclude the cache."""

    input: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    audio_in: int
    audio_cached: int
    image_in: int
    exclusive: bool


class Outputs(NamedTuple):
    """The output classes of `model.Row`, and whether the total turned out to exclude the parts."""

    output: int
    reasoning: int
    audio_out: int
    image_out: int
    exclusive: bool


def inputs(
    total: int,
    *,
    read: int = 0,
    write: int = 0,
    write_1h: int = 0,
    audio: int = 0,
    image: int = 0,
) -> Inputs:
    """The input classes of a `total` that is meant to contain all the others.

    A total below what was read from and written to the cache cannot contain it: it is taken as
    the uncached part, and `exclusive` says so. Audio and images may have come from the cache: what
    does not fit into the uncached part is taken out of what was read. Raises Rejected where even
    that leaves too little.
    """
    cached = read + write + write_1h
    exclusive = total < cached
    rest = total if exclusive else total - cached
    audio_in = min(audio, rest)
    image_in = min(image, rest - audio_in)
    audio_cached = audio - audio_in
    image_cached = image - image_in
    if audio_cached + image_cached > cached:
        raise Rejected(msg("more audio and image tokens than input tokens"))
    audio_cached = min(audio_cached, read)
    return Inputs(
        input=rest - audio_in - image_in,
        cache_read=read - audio_cached,
        cache_write_5m=write,
        cache_write_1h=write_1h,
        audio_in=audio_in,
        audio_cached=audio_cached,
        image_in=image_in,
        exclusive=exclusive,
    )


def inputs_kept(
    total: int,
    *,
    read: int,
    write: int = 0,
    audio: int = 0,
    image: int = 0,
    audio_kept: int = 0,
    image_kept: int = 0,
) -> Inputs:
    """As `inputs`, where the log tells how much of the audio and images came from the cache."""
    audio_kept = min(audio_kept, audio, read)
    image_kept = min(image_kept, image, read - audio_kept)
    kept = audio_kept + image_kept
    split = inputs(
        total - kept,
        read=read - kept,
        write=write,
        audio=audio - audio_kept,
        image=image - image_kept,
    )
    return split._replace(
        cache_read=split.cache_read + image_kept, audio_cached=split.audio_cached + audio_kept
    )


def outputs(total: int, *, reasoning: int = 0, audio: int = 0, image: int = 0) -> Outputs:
    """The output classes of a `total` that is meant to contain all the others.

    A total below its parts cannot contain them: it is taken as what comes on top of them, and
    `exclusive` says so.
    """
    parts = reasoning + audio + image
    exclusive = total < parts
    return Outputs(
        output=total if exclusive else total - parts,
        reasoning=reasoning,
        audio_out=audio,
        image_out=image,
        exclusive=exclusive,
    )
