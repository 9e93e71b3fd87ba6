"""The word that somebody probably meant."""

from collections.abc import Iterable

LONGEST = 100  # letters; comparing costs length times length


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The one of `known` that `word` may have been meant to be, whatever its case, or "".

    `cutoff` is how alike they must be at least, 0 to 1, by difflib's ratio.
    """
    from difflib import get_close_matches

    if len(word) > LONGEST:
        return ""
    folded = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), list(folded), n=1, cutoff=cutoff)
    return folded[close[0]] if close else ""
