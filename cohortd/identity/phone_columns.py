"""Telephone numbers of whole columns, with the answers that libphonenumber gives for each alone.

What ``phonenumbers`` decides value by value is decided here for all values together: the steps are
the library's, in its order, and so are the metadata. A text that is not plainly written, or a
country whose metadata are of a new form, is left to the rules for one value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from phonenumbers import SUPPORTED_REGIONS, country_code_for_region

from cohortd.identity.phone_countries import NOWHERE, Lands, main_dialling, national, placed
from cohortd.identity.phone_digits import NO_NUMBERS, Automata, Digits, Flags, Integers
from cohortd.identity.phone_metadata import Dialling, dialling, validity
from cohortd.identity.phone_texts import Written, written
from cohortd.identity.phones import NO_COUNTRY, NOT_VALID
from cohortd.identity.steps import Absent, PlacedStep, Where

#: So many values are read at once.
_BLOCK: Final = 1 << 17


@dataclass(frozen=True, slots=True)
class Read:
    """What became of the numbers of a column that are plainly written."""

    valid: Flags
    code: Integers
    digits: Digits
    #: Written without a country where there is none.
    homeless: Flags
    #: Whether the rules for one value must be asked.
    unknown: Flags


def e164_column(texts: Sequence[str], wheres: Sequence[Where], one: PlacedStep) -> list[str | Absent]:
    """Read many values as *one* reads each.

    Args:
        texts: As they stand in the source.
        wheres: Where each was found.
        one: The rule for a single value: cleaning, then ``phones.e164``.
    """
    found: list[str | Absent] = []
    for start in range(0, len(texts), _BLOCK):
        block = slice(start, start + _BLOCK)
        found += _block(texts[block], wheres[block], one)
    return found


def _block(texts: Sequence[str], wheres: Sequence[Where], one: PlacedStep) -> list[str | Absent]:
    plain = written(texts)
    names, home = _homes([where.region for where in wheres])
    home = home[plain.rows]
    read = _read(plain, [_home(name) for name in names], home)
    found = np.empty(len(texts), dtype=object)
    found[plain.rows] = NOT_VALID
    found[plain.rows[read.homeless]] = NO_COUNTRY
    found[plain.rows[read.valid]] = spelled(read.code[read.valid], read.digits.only(read.valid))
    asked = np.ones(len(texts), dtype=np.bool_)
    asked[plain.rows[~read.unknown]] = False
    for row in np.flatnonzero(asked).tolist():
        found[row] = one(texts[row], wheres[row])
    answers: list[str | Absent] = found.tolist()
    return answers


def spelled(code: Integers, digits: Digits) -> list[str]:
    """E.164: a plus, the country code, the national number."""
    longest = int(digits.count.max(initial=0))
    letters = np.zeros((len(code), 1 + 3 + longest + 1), dtype=np.uint8)
    letters[:, 0] = ord("+")
    for place, power in enumerate((100, 10, 1), start=1):
        letters[:, place] = np.where(code >= power, code // power % 10 + ord("0"), 0)
    for place in range(longest):
        letters[:, 4 + place] = np.where(place < digits.count, digits.digit(place) + ord("0"), 0)
    letters[:, -1] = ord("\n")
    return letters[letters > 0].tobytes().decode("ascii").split("\n")[:-1]


def _homes(regions: Sequence[str | None]) -> tuple[list[str], Integers]:
    """The regions that are known, and which of them each value is read in; -1 for none."""
    names = [name for name in dict.fromkeys(regions) if name in SUPPORTED_REGIONS]
    numbers = dict.fromkeys(regions, -1) | {name: number for number, name in enumerate(names)}
    return names, np.fromiter(map(numbers.__getitem__, regions), dtype=np.int64, count=len(regions))


def _home(region: str) -> Dialling | None:
    return dialling(country_code_for_region(region), region)


def _read(plain: Written, homes: Sequence[Dialling | None], home: Integers) -> Read:
    numbers = placed(plain.digits, plain.plus, home, Lands.of(homes))
    homeless = ~plain.plus & (home < 0)
    codes = np.unique(numbers.code)
    mains = [main_dialling(code) if code else NOWHERE for code in codes.tolist()]
    local = ~numbers.international & (numbers.code == 0) & ~homeless
    land = np.where(local, home, len(homes) + np.searchsorted(codes, numbers.code))
    lands = Lands.of([*homes, *mains])
    digits = national(numbers.digits, land, lands)
    valid, unjudged = _judged(lands.code[land], digits)
    # A plus before no country code may be a slip: libphonenumber tries again without it.
    slip = plain.plus & (numbers.code == 0) & (home >= 0)
    unknown = slip | unjudged | ~lands.known[land] | (~plain.plus & ~homeless & ~lands.known[home])
    return Read(valid & (numbers.digits.count > 1), lands.code[land], digits, homeless, unknown)


def _judged(code: Integers, digits: Digits) -> tuple[Flags, Flags]:
    """Which numbers are valid after their codes, and of which that cannot be said."""
    codes, which = np.unique(code, return_inverse=True)
    found = [validity(each) if each else NO_NUMBERS for each in codes.tolist()]
    valid = Automata.of([each or NO_NUMBERS for each in found]).accept(which, digits)
    return valid & (digits.count > 1), np.array([each is None for each in found], dtype=np.bool_)[which]
