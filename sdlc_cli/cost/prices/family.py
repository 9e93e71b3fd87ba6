"""Which models are of one make: for the most that an unpriced call can cost, and for advice.

A family is a model's name without what changes from release to release: the path before it,
versions, dates, context sizes and words such as `latest`. Sizes in parameters stay, since they
set the price. `claude-sonnet-4-5` and `anthropic.claude-3-5-sonnet-20241022-v2:0` are both
`claude-sonnet`; `meta-llama/Llama-3.1-8B-Instruct` is `llama-8b`; `gpt-4o-mini` is `gpt-mini`.
"""

import re
from collections.abc import Iterable, Mapping

from sdlc_cli.cost.model import COUNTS, Rate

_VENDOR = re.compile(r"^(?:[a-z-]+\.)+(?=[a-z])")
_SIZE = re.compile(r"(?:\d+x)?\d+(?:\.\d+)?[bm]")
_VERSION = re.compile(r"v?\d.*")
_TRAILING = re.compile(r"[\d.]+$")
_STAGE = re.compile(
    r"alpha|batch|beta|chat|default|exp|experimental|extended|free|hf|instruct|it|latest|online"
    r"|preview|stable"
)
# What a model is for: a cheaper model of another kind is no replacement.
_KIND = re.compile(
    r"audio|codex|computer|deep|embed|embedding|embeddings|ft|guard|image|live|moderation|ocr|omni"
    r"|oss|realtime|rerank|research|robotics|safeguard|search|sonic|transcribe|translate|tts|use"
    r"|veo|vision|vl|whisper"
)


def words(model: str) -> tuple[str, ...]:
    """The words of a model's name that stay from release to release."""
    name = _VENDOR.sub("", model.lower().rpartition("/")[2])
    if name.startswith("ft:"):  # ft:MODEL:ORGANISATION:SUFFIX:ID
        name = "ft-" + name.split(":")[1]
    elif ".ft" in name:
        name = "ft-" + name.partition(".ft")[0]
    found: list[str] = []
    for word in re.split(r"[-_:@\s]+", name):
        if _SIZE.fullmatch(word):
            found.append(word)
        elif word and not _VERSION.fullmatch(word) and not _STAGE.fullmatch(word):
            found.append(_TRAILING.sub("", word))
    return tuple(found)


def family(model: str) -> str:
    """`claude-sonnet` for `claude-sonnet-4-5`; "" for a name that is all version."""
    return "-".join(words(model))


def make(model: str) -> tuple[str, frozenset[str]]:
    """What has to be equal for one model to stand in for another: the line, and what it is for."""
    found = words(model)
    return (found[0] if found else "", frozenset(filter(_KIND.fullmatch, found)))


def dearest(rates: Iterable[Rate]) -> Mapping[str, int]:
    """The highest of the rates, class by class, and of the price per request if there is one."""
    highest: dict[str, int] = {}
    request = 0
    for rate in rates:
        request = max(request, rate.request)
        for name in COUNTS:
            highest[name] = max(highest.get(name, 0), rate.per_unit[name])
    return {**highest, "request": request} if request else highest
