"""Telephone numbers, as libphonenumber reads them."""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from cohortd.identity.steps import Absent, Where

NO_COUNTRY = Absent("no_country_for_number")
NOT_VALID = Absent("not_a_valid_number")
_EXPONENT_FORM = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]+")
_PLUS_SIGNS = ("+", "\uff0b")


def written_out(value: str) -> str | Absent:
    """Refuse ``4.9123E11``: digits are lost, and read as letters on a dial it is somebody else's."""
    return NOT_VALID if _EXPONENT_FORM.fullmatch(value) else value


def e164(value: str, where: Where) -> str | Absent:
    """The number with ``+`` and country code; an extension is not part of it.

    A number written without its country is read as one of the row's region, and never guessed.
    """
    region = where.region if where.region in phonenumbers.SUPPORTED_REGIONS else None
    try:
        number = phonenumbers.parse(value, region)
    except NumberParseException as error:
        return _why_not(value, error, region)
    if phonenumbers.is_possible_number(number) and phonenumbers.is_valid_number(number):
        return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return NOT_VALID


def digits_only(value: str) -> str:
    """An E.164 number as Meta wants it."""
    return value.removeprefix("+")


def _why_not(value: str, error: NumberParseException, region: str | None) -> Absent:
    countryless = error.error_type == NumberParseException.INVALID_COUNTRY_CODE
    if countryless and region is None and not any(plus in value for plus in _PLUS_SIGNS):
        return NO_COUNTRY
    return NOT_VALID
