"""The word that somebody probably meant."""

from collections.abc import Iterable

LONGEST = 100  # letters; comparing costs length times length


def nearest(word: str, known: Iterable[str]) -> str:
    """The one of `known` that `word` may have been meant to be, whatever its case, or ""."""
    from difflib import get_close_matches

    if len(word) > LONGEST:
        return ""
    folded = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else ""
