"""First and last names."""

import re

from cohortd.identity.text import word_characters

_HONORIFICS = re.compile(r"(?:(?:mr|mrs|ms|dr)\. *)+")
_SUFFIXES = frozenset({"jr.", "sr."})
_SUFFIX_LENGTH = 3
_BEFORE_SUFFIX = ", "


def without_titles(value: str) -> str:
    """Drop leading ``mr.`` ``mrs.`` ``ms.`` ``dr.`` and trailing ``jr.`` ``sr.``, dotted only.

    Without the dot they may be names: Ms, Dr, and V, II, III stay.
    """
    led = _HONORIFICS.match(value)
    return _without_suffix(value[led.end() :] if led else value)


def something_said(value: str) -> str:
    """Empty where there is no letter and no digit, only punctuation that holds a place."""
    return value if word_characters(value) else ""


def _without_suffix(value: str) -> str:
    while value[-_SUFFIX_LENGTH:] in _SUFFIXES:
        stem = value[:-_SUFFIX_LENGTH]
        if not stem.endswith(tuple(_BEFORE_SUFFIX)):
            break
        value = stem.rstrip(_BEFORE_SUFFIX)
    return value
