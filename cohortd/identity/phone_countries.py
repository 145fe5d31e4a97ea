"""Which country each number of a column belongs to, and its digits within that country."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, Self

import numpy as np
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from cohortd.identity.digit_automata import SYMBOLS
from cohortd.identity.phone_digits import NO_NUMBERS, Automata, Digits, Flags, Integers
from cohortd.identity.phone_metadata import Dialling, dialling
from cohortd.identity.phone_prefixes import without_exit_code, without_trunk_prefix

#: No country code is longer. libphonenumber refuses what is shorter, when called from abroad.
_CODE_DIGITS: Final = 3
#: Where nobody dials.
NOWHERE: Final = Dialling(0, None, None, NO_NUMBERS, lengths=0, longest=0)
#: Lengths are bits of a signed integer.
_MOST_BITS: Final = 62


@dataclass(frozen=True, slots=True)
class Lands:
    """The regions that a column speaks of."""

    dialling: Sequence[Dialling]
    #: Whether their metadata were understood.
    known: Flags
    general: Automata
    code: Integers
    lengths: Integers
    longest: Integers

    @classmethod
    def of(cls, found: Sequence[Dialling | None]) -> Self:
        """Put what is known of them side by side."""
        lands = [each or NOWHERE for each in found]
        return cls(
            lands,
            np.array([each is not None for each in found], dtype=np.bool_),
            Automata.of([each.general for each in lands]),
            np.array([each.code for each in lands], dtype=np.int64),
            np.array([each.lengths for each in lands], dtype=np.int64),
            np.array([each.longest for each in lands], dtype=np.int64),
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """Numbers with their countries."""

    digits: Digits
    #: Country calling code; 0 where there is none.
    code: Integers
    #: Written as people write it to call from abroad.
    international: Flags


def placed(digits: Digits, plus: Flags, home: Integers, lands: Lands) -> Placed:
    """Find the country code of each number, and take it off.

    Args:
        digits: The numbers, three digits or more.
        plus: Whether a plus stands before them.
        home: The region each is read in, as an index into *lands*; -1 where it has none.
        lands: The regions.
    """
    local = np.flatnonzero(~plus & (home >= 0))
    rows, rest = without_exit_code(lands.dialling, home[local], digits.only(local))
    digits = digits.with_rows(local[rows], rest)
    international = plus.copy()
    international[local[rows]] = True
    code = np.where(international & (digits.count >= _CODE_DIGITS), _codes()[digits.heads(_CODE_DIGITS)], 0)
    digits = digits.without(_widths()[code])
    return _without_own_code(Placed(digits, code, international), home, lands)


def national(digits: Digits, land: Integers, lands: Lands) -> Digits:
    """Take off the trunk prefix, where what is left may be a whole number."""
    rest = without_trunk_prefix(lands.dialling, lands.general, land, digits)
    whole = lands.lengths[land] >> np.minimum(rest.count, _MOST_BITS) & 1 == 1
    believed = np.flatnonzero(whole | (rest.count > lands.longest[land]))
    return digits.with_rows(believed, rest.only(believed))


@cache
def main_dialling(code: int) -> Dialling | None:
    """How the main region of a country code dials."""
    return dialling(code, COUNTRY_CODE_TO_REGION_CODE[code][0])


def _without_own_code(numbers: Placed, home: Integers, lands: Lands) -> Placed:
    """Take off the region's own country code, where it was written without plus."""
    local = np.flatnonzero(~numbers.international & (home >= 0))
    own = lands.code[home[local]]
    mine = _first_three(numbers.digits.only(local)) // 10 ** (_CODE_DIGITS - _widths()[own]) == own
    rows, own = local[mine], own[mine]
    whole = numbers.digits.only(rows)
    land = home[rows]
    rest = without_trunk_prefix(lands.dialling, lands.general, land, whole.without(_widths()[own]))
    better = ~lands.general.accept(land, whole) & lands.general.accept(land, rest)
    better |= whole.count > lands.longest[land]
    code = numbers.code.copy()
    code[rows[better]] = own[better]
    return replace(numbers, digits=numbers.digits.with_rows(rows[better], rest.only(better)), code=code)


def _first_three(digits: Digits) -> Integers:
    return digits.digit(0) * 100 + digits.digit(1) * 10 + digits.digit(2)


@cache
def _codes() -> Integers:
    """By the first three digits, as ``Digits.heads`` has them: the country code they begin with, or 0."""
    table = np.zeros(SYMBOLS**_CODE_DIGITS, dtype=np.int64)
    for number in range(100, 1000):
        written = str(number)
        begins = (int(written[:width]) for width in (1, 2, 3))
        head = int(written, SYMBOLS)
        table[head] = next((code for code in begins if code in COUNTRY_CODE_TO_REGION_CODE), 0)
    return table


@cache
def _widths() -> Integers:
    """How many digits each country code has; none where there is no code."""
    return np.array([0, *(len(str(code)) for code in range(1, 1000))], dtype=np.int64)
