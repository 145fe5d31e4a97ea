"""Unicode text: one spelling for what looks the same, and the classes of characters rules speak of."""

import re
import unicodedata

from cohortd.identity.steps import Absent

_SPACE = re.compile(r"\s")
_SURROGATE = re.compile("[\ud800-\udfff]")
_HEX_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_WRAPPING = " .,;:\"'`<>()[]{}"
_FLOAT_TAIL = re.compile(r"([0-9]+)\.0+")

_FORMAT = "Cf"
_DASH = "Pd"
_MINUS_SIGN = "\u2212"
#: What str.lower() makes of the Turkish capital I with its dot, and that with more dots.
_DOTTED_SMALL_I = re.compile("i\u0307+")


def cleaned(value: str) -> str | Absent:
    """NFC, without format characters, every Unicode space a plain one, none around the value."""
    if value.isascii():
        return _SPACE.sub(" ", value).strip(" ")
    if _SURROGATE.search(value):
        return Absent("not_unicode_text")
    composed = unicodedata.normalize("NFC", value)
    hidden = {ord(c): None for c in set(composed) if not c.isascii() and unicodedata.category(c) == _FORMAT}
    visible = composed.translate(hidden) if hidden else composed
    # Again: a dropped character may have stood between a letter and its accent.
    return unicodedata.normalize("NFC", _SPACE.sub(" ", visible)).strip(" ")


def unhashed(value: str) -> str | Absent:
    """Refuse what was hashed before, quoted or not: hashed twice it matches nobody, and nobody is told."""
    return Absent("already_hashed") if _HEX_DIGEST.fullmatch(value.strip(_WRAPPING)) else value


def lower(value: str) -> str:
    """Lower-case by Unicode's default rules: ß stays, the dotted capital I gives i with a dot above."""
    lowered = value.lower()
    return lowered if lowered.isascii() else unicodedata.normalize("NFC", lowered)


def without_float_tail(value: str) -> str:
    """Undo what a column of numbers with gaps does to them: ``94035.0`` was 94035."""
    found = _FLOAT_TAIL.fullmatch(value)
    return found[1] if found else value


def word_characters(value: str) -> str:
    """Letters of any script, their accents, and digits: no punctuation, symbols or white space."""
    return _only(value, "LMN")


def letters(value: str) -> str:
    """Letters of any script with their accents; the dot that lower-casing leaves on an i is none."""
    return _undotted(_only(value, "LM"))


def letters_and_digits(value: str) -> str:
    """Letters of any script with their accents, and digits."""
    return _undotted(_only(value, "LMN"))


def first_letter(value: str) -> str:
    """The first letter without combining accents; empty where there is none."""
    return next((c for c in value if c.isalpha()), "")


def without_spaces_and_dashes(value: str) -> str:
    """Drop white space, and dashes of every kind."""
    if value.isascii():
        return value.replace(" ", "").replace("-", "")
    kept = "".join(c for c in value if c not in {" ", _MINUS_SIGN} and unicodedata.category(c) != _DASH)
    return unicodedata.normalize("NFC", kept)


def _undotted(value: str) -> str:
    # Last of all: what was dropped may have stood between the letter and its dot.
    if value.isascii():
        return value
    return unicodedata.normalize("NFC", _DOTTED_SMALL_I.sub("i", value))


def _only(value: str, classes: str) -> str:
    if value.isascii() and value.isalnum() and (value.isalpha() or "N" in classes):
        return value
    kept = "".join(c for c in value if unicodedata.category(c)[0] in classes)
    return unicodedata.normalize("NFC", kept)
