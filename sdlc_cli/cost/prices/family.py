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
_CONTEXT = re.compile(r"\d+k")
_VERSION = re.compile(r"v?\d.*")
_TRAILING = re.compile(r"[\d.]+$")
_DATE = 4  # digits from which on a number is a date, not a version
_STAGE = re.compile(
    r"alpha|batch|beta|chat|default|exp|experimental|extended|free|hf|instruct|it|latest|online"
    r"|preview|stable"
)
# What a model is for: a cheaper model of another kind is no replacement.
_KIND = re.compile(
    r"agent|audio|build|code|codex|computer|deep|discovery|embed|embedding|embeddings|ft|guard|image"
    r"|live|moderation|ocr|omni|oss|realtime|rerank|research|robotics|safeguard|search|sonic"
    r"|transcribe|translate|tts|use|veo|vision|vl|whisper"
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


def generation(model: str) -> tuple[int, ...]:
    """The version in a model's name: (4, 5) for `claude-sonnet-4-5`, (4,) for `gpt-4o`.

    Dates and sizes are no versions; empty where the name tells none. Later versions compare
    greater.
    """
    found: list[int] = []
    name = _VENDOR.sub("", model.lower().rpartition("/")[2])
    for word in re.split(r"[-_:@\s]+", name):
        numbers = re.findall(r"\d+", word)
        if any(len(number) >= _DATE for number in numbers):
            break
        if _SIZE.fullmatch(word) or _CONTEXT.fullmatch(word):
            continue
        if found and not numbers:
            break  # the version ends where a word comes: `claude-3-5-sonnet-v2`
        found += map(int, numbers)
    return tuple(found)


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
