"""What a consent record covers: which platforms and which purposes."""

import re
from functools import lru_cache
from typing import Final

from cohortd.core.identifiers import Family

BOTH: Final = frozenset(Family)
#: Texts that leave nothing out.
_EVERYTHING: Final = frozenset({"", "*", "all", "any"})
_FAMILY: Final = {
    "google": Family.GOOGLE,
    "google_ads": Family.GOOGLE,
    "google_data_manager": Family.GOOGLE,
    "adwords": Family.GOOGLE,
    "youtube": Family.GOOGLE,
    "meta": Family.META,
    "facebook": Family.META,
    "instagram": Family.META,
}


@lru_cache(maxsize=4096)
def platform_scope(text: str) -> frozenset[Family]:
    """Find whose platforms a record speaks of; one record may list several.

    Returns:
        Both families for a blank text; the empty set where it speaks of other platforms only.
    """
    named = _words(text)
    if named & _EVERYTHING:
        return BOTH
    return frozenset(_FAMILY[name] for name in named if name in _FAMILY)


@lru_cache(maxsize=4096)
def covers_purpose(text: str, purpose: str) -> bool:
    """Whether a record for *text* is also for *purpose*; a blank text is for every purpose."""
    return bool(_words(text) & (_EVERYTHING | _words(purpose)))


def _words(text: str) -> frozenset[str]:
    parts = re.split(r"[,;|+]", text.lower())
    named = (re.sub(r"[\s_-]+", "_", part.strip()) for part in parts)
    # "google," lists one platform; only a text with nothing in it at all leaves nothing out.
    return frozenset(name for name in named if name) or frozenset({""})
