"""City, state, postal code and country."""

import re

from cohortd.identity.countries import alpha2_of, us_state_of
from cohortd.identity.steps import Absent, Where
from cohortd.identity.text import letters_and_digits, without_spaces_and_dashes

_US = "US"
_US_ZIP = re.compile(r"([0-9]{5})[- ]?([0-9]{4})?")
_US_ZIP_DIGITS = re.compile(r"([0-9]{5})[0-9]{0,4}")
_NOT_US_ZIP = Absent("not_a_us_postal_code")


def country_code(value: str) -> str | Absent:
    """Alpha-2, upper-case, from alpha-2, alpha-3 or an English name."""
    return alpha2_of(value) or Absent("unknown_country")


def state(value: str, where: Where) -> str | Absent:
    """In the US the two-letter code; elsewhere letters and digits. *value* is lower-case."""
    if where.region != _US:
        return letters_and_digits(value)
    return us_state_of(value) or Absent("unknown_us_state")


def plain_postal_code(value: str, where: Where) -> str | Absent:
    """As given; in the US five digits or 5+4, because Google refuses a whole request for another."""
    if where.region != _US:
        return value
    found = _US_ZIP.fullmatch(value)
    if found is None:
        return _NOT_US_ZIP
    return f"{found[1]}-{found[2]}" if found[2] else found[1]


def short_postal_code(value: str, where: Where) -> str | Absent:
    """Without white space and dashes; in the US the first five digits. *value* is lower-case."""
    code = without_spaces_and_dashes(value)
    if where.region != _US:
        return code
    found = _US_ZIP_DIGITS.fullmatch(code)
    return found[1] if found else _NOT_US_ZIP
