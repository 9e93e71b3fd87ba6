"""What reports show of people: users by keyed hash, personal data inside names hashed."""

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from sdlc_cli.cost.model import Group
from sdlc_cli.cost.options import Privacy

_LETTERS = 16  # of the hash: 64 bits, so that two of a million users differ all but surely
_MOST_TOLD = 200_000  # names that are remembered
_HASHED = re.compile(r"user-[0-9a-f]{16}")

# Lengths are those of RFC 5321, 4.5.3.1; they also keep the search linear.
_EMAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,9}")
# 13 to 19 digits in groups, as cards are written (ISO/IEC 7812); the check digit must fit.
_CARD = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w.])")
# An international number (E.164: + and 7 to 15 digits), or a national one that is grouped.
_PHONE = re.compile(
    r"(?<![\w.])(?<!\d[ -])"
    r"(?:\+\d(?:[ ().-]{0,2}\d){6,14}|\(?0?\d{2,4}\)?[ -]\d{3,4}[ -]\d{3,4})"
    r"(?![\w.])(?![ -]\d)"
)
_KINDS: Mapping[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "email": (_EMAIL, lambda text: True),
    "card": (_CARD, lambda text: luhn(text)),
    "phone": (_PHONE, lambda text: True),
}


class Veil:
    """Hides what the privacy section of cost.yaml asks to hide, and counts it in `hidden`."""

    def __init__(self, privacy: Privacy) -> None:
        self._privacy = privacy
        self._key = privacy.key.encode()
        self._told: dict[tuple[str, str], str] = {}  # one name is hidden, and counted, once
        self.hidden: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return self._privacy.users == "hash" or self._privacy.tags == "redact"

    def show(self, field: str, text: str) -> str:
        """`text` of a row's `field` (`user`, `project`, `tag:NAME`) as a report may show it."""
        if not text or not self:
            return text
        told = self._told.get((field, text))
        if told is None:
            if len(self._told) >= _MOST_TOLD:
                self._told.clear()
            told = self._told[field, text] = self._veiled(field, text)
        return told

    def _veiled(self, field: str, text: str) -> str:
        if field == "user" and self._privacy.users == "hash":
            self.hidden["user"] += 1
            # `sdlc serve` may have kept it so already.
            return text if _HASHED.fullmatch(text) else self._hash("user", text)
        if self._privacy.tags != "redact":
            return text
        for kind, (pattern, real) in _KINDS.items():
            text = pattern.sub(lambda found, k=kind, r=real: self._one(found[0], k, r), text)  # type: ignore[misc]
        return text

    def _one(self, text: str, kind: str, real: Callable[[str], bool]) -> str:
        if not real(text):
            return text
        self.hidden[kind] += 1
        return self._hash(kind, text)

    def _hash(self, kind: str, text: str) -> str:
        digest = hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"{kind}-{digest.hexdigest()[:_LETTERS]}"


def luhn(text: str) -> bool:
    """True when the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    digits = [int(letter) for letter in text if letter.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[::-2]) + sum(doubled)) % 10 == 0


def veiled(groups: Iterable[Group], veil: Veil) -> tuple[Group, ...]:
    """The groups with what their keys tell of people hidden."""
    if not veil:
        return tuple(groups)
    return tuple(
        replace(group, keys={key: veil.show(key, text) for key, text in group.keys.items()})
        for group in groups
    )
