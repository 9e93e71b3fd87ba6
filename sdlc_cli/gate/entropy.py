"""Is it a secret? Judges names by what they call, and values by how random they look."""

import math
import re
from collections import Counter
from itertools import pairwise

# A name, in lower case without `_`, `-` and `.`, that calls a secret…
_CALLS = re.compile(
    r"passw|passphrase|passwd|pwd|secret|token|apikey|accesskey|authkey|privatekey|signingkey"
    r"|encryptionkey|masterkey|sharedkey|accountkey|credential|bearer"
)
PASSWORDS = re.compile(r"passw|passphrase|passwd|pwd")
# …but not one that calls something about it, or something public.
_ABOUT = re.compile(
    r"(?:url|uri|name|id|ids|field|label|path|file|filename|dir|type|format|text|message|msg"
    r"|error|hint|help|prefix|suffix|header|param|regex|pattern|class|length|size|expiry|expires"
    r"|count|model|view|template|hash|hashes|hashed|digest|checksum|algorithm|arn|ref|version"
    r"|generator|validator|validators|backend|scope|title|description|endpoint|host|status)$"
    r"|csrf|public|tokeniz|tokenis|placeholder|example|dummy|sample|fake|mock|docstring|sha256"
)
# Parts of values that people write where a secret would stand; one is "John Doe" in base64, of
# the JSON web token that every tutorial shows.
_STAND_INS = re.compile(
    r"example|change[-_ ]?(?:me|this|it)|placeholder|dummy|fake|xxxx|redact|your[-_a-z]|todo"
    r"|replace|insert|sample|foobar|deadbeef|not[-_ ]?(?:a|real|secret)|abcdefgh|12345678"
    r"|01234567|98765432|qwerty|lorem|ikpvag4grg9l|\*\*\*|\.\.\.|…"
)
_WEAK_STAND_INS = re.compile(
    r"test|secret|passw|token|api_?key|abc|123$|hello|foo|bar|demo|default|my[-_]|none|null|admin"
    r"|root|user|invalid|mock|dev[-_]|local"
)
_REFERENCES = re.compile(
    r"\$[\w({]|\{\{|\{[^{}]*\}|%\(|%s|%[A-Z_]+%|<[^>]*>|^[$%@&*!]\w|::|\(\)|://"
)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"(?:0x)?[0-9a-f]+", re.IGNORECASE)


def calls_a_secret(name: str) -> bool:
    """True for `API_KEY`, `db.password`; False for `token_url`, `password_hash`."""
    word = re.sub(r"[-_.]", "", name.lower())
    return bool(_CALLS.search(word)) and not _ABOUT.search(word)


def calls_a_password(name: str) -> bool:
    """True when people may have made the value up themselves."""
    return bool(PASSWORDS.search(re.sub(r"[-_.]", "", name.lower())))


def stands_in(value: str) -> bool:
    """True for what documentation writes in place of a key: `AKIA…EXAMPLE`, `sk-xxxx`."""
    few = max(4, min(len(value) // 16, 8))
    return len(set(value)) <= few or bool(_STAND_INS.search(value.lower()))


def is_reference(value: str) -> bool:
    """True for what names a secret kept elsewhere: `${TOKEN}`, `{{ token }}`, `<token>`."""
    return bool(_REFERENCES.search(value))


def is_weak(value: str) -> bool:
    """True for words that open nothing but a developer's own machine: `postgres`, `test123`."""
    return len(value) < 8 or bool(_WEAK_STAND_INS.search(value.lower())) or value.isalpha()


def looks_random(value: str) -> bool:
    """True for 16 characters or more that no person would come up with.

    Hexadecimal digits need 2.8 bits a character (Shannon, over the value itself), others 3.3;
    words, however joined, change between letters, cases and digits too seldom.
    """
    if len(value) < 16 or _UUID.fullmatch(value) or not value.isascii():
        return False
    if not (any(c.isdigit() for c in value) and any(c.isalpha() for c in value)):
        return False
    if _HEX.fullmatch(value):
        return entropy(value) >= 2.8
    return entropy(value) >= 3.3 and _restless(value, 0.22)


def looks_like_a_password(value: str) -> bool:
    """True for 8 to 64 characters of at least three sorts, well mixed."""
    if not 8 <= len(value) <= 64 or not value.isascii():
        return False
    return len({_sort(c) for c in value}) >= 3 and entropy(value) >= 2.7 and _restless(value, 0.4)


def entropy(value: str) -> float:
    """Shannon's entropy in bits a character, by the counts within `value`."""
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts)


def _sort(letter: str) -> str:
    if letter.isdigit():
        return "digit"
    if letter.isalpha():
        return "upper" if letter.isupper() else "lower"
    return "mark"


def _restless(value: str, least: float) -> bool:
    """True when the sort of character changes often; a capital's first step down is no change."""
    sorts = [_sort(c) for c in value if c not in "-_./ :"]
    changes = sum(
        before != after and (before, after) != ("upper", "lower")
        for before, after in pairwise(sorts)
    )
    return changes >= least * len(sorts)
