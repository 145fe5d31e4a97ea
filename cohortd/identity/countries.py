"""What people call countries and US states, and their codes."""

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

from cohortd.identity.text import letters

_MARK = "M"
_WORD = re.compile(r"\w+")
#: Dots and apostrophes bind (U.S.A., d'Ivoire); other punctuation separates.
_BINDING = str.maketrans("", "", ".'`\u2019\u02bc\u00b4")
_SMALL_WORDS = frozenset({"the", "of", "and"})
#: What states call themselves. Names that differ by such a word alone (the two Congos, Koreas and
#: Chinas) are in the table and found first.
_FORMAL_WORDS = frozenset(
    {"republic", "kingdom", "state", "commonwealth", "principality", "federal", "islamic"}
)


def alpha2_of(text: str) -> str | None:
    """Find the ISO 3166-1 alpha-2 code, upper-case, of a code or an English name.

    Order, case, accents and small words do not matter: ``Korea, Republic of`` is found too. What
    names two countries (``Korea``, ``Virgin Islands``) names none.
    """
    words = _words(text)
    formal = [word for word in words if word not in _FORMAL_WORDS]
    return _countries().get(_key(words)) or _countries().get(_key(formal))


def us_state_of(text: str) -> str | None:
    """Find the two-letter code, lower-case, of a US state, DC, a territory or a military post."""
    return _us_states().get(letters(text.lower()))


@cache
def _countries() -> Mapping[str, str]:
    found = {}
    for row in _table("countries.csv"):
        for spelling in (row["alpha2"], row["alpha3"], *row["names"].split("|")):
            found[_key(_words(spelling))] = row["alpha2"]
    return found


@cache
def _us_states() -> Mapping[str, str]:
    found = {}
    for row in _table("us_states.csv"):
        code = row["code"].lower()
        for spelling in (code, f"us{code}", *row["names"].split("|")):
            found[letters(spelling.lower())] = code
    return found


def _table(name: str) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(
        (files(__package__) / "tables" / name).read_text(encoding="utf-8").splitlines()
    )


def _words(text: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in decomposed if unicodedata.category(c)[0] != _MARK)
    words = _WORD.findall(plain.translate(_BINDING))
    return ["".join(words)] if all(len(word) == 1 for word in words) else words


def _key(words: Sequence[str]) -> str:
    # A word that stands alone is never small: AND is Andorra.
    telling = words if len(words) == 1 else [word for word in words if word not in _SMALL_WORDS]
    return " ".join(sorted(telling))
