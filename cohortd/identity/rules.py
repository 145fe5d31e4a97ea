"""The rules: one table a family, one line a field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from cohortd.core.identifiers import Family
from cohortd.identity import emails, ids, names, people, phone_columns, phones, places, swift, text
from cohortd.identity.steps import Absent, ColumnStep, PlacedStep, Step, Where, chain, then
from cohortd.identity.swift import Stays, Swift

#: Raise it whenever any rule gives another result for any value: what was sent is kept under it.
NORMALIZATION_VERSION: Final = 1

FIELDS: Final[tuple[str, ...]] = (
    "email",
    "phone",
    "first_name",
    "last_name",
    "first_initial",
    "city",
    "state",
    "postal_code",
    "country",
    "birth_year",
    "birth_month",
    "birth_day",
    "gender",
    "mobile_ad_id",
    "external_id",
)


class WhenHashed(Enum):
    """What to do with a value whose column is declared as hashed at the source."""

    #: Check it and send it.
    TAKE = "take"
    #: The platform wants it plain, or a part of it: a digest helps nobody.
    REFUSE = "refuse"
    #: It is sent as it is anyway.
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Rule:
    """How one field is normalized for one family."""

    step: PlacedStep
    #: Whether the SHA-256 is sent, or the value itself.
    digested: bool = True
    when_hashed: WhenHashed = WhenHashed.TAKE
    #: Whether the result depends on the row's region.
    regional: bool = False
    #: Whether the result depends on the day.
    dated: bool = False
    #: The same step for many values at once, where that is faster.
    column_step: ColumnStep | None = None
    #: The same for whole columns, as far as the kernel knows it.
    swift: Swift | None = None
    #: For a rule whose value itself is sent: which texts of a column are sent as they stand.
    stays: Stays | None = None
    #: Whether hardly anybody shares a value: to find those who do costs more than to hash them again.
    unique: bool = False


def _text(*steps: Step) -> PlacedStep:
    return chain(text.cleaned, text.unhashed, *steps)


_PHONE = then(_text(text.without_float_tail, phones.written_out), phones.e164)


def _phones(texts: Sequence[str], wheres: Sequence[Where]) -> list[str | Absent]:
    return phone_columns.e164_column(texts, wheres, _PHONE)


def _phone_digits(texts: Sequence[str], wheres: Sequence[Where]) -> list[str | Absent]:
    found = _phones(texts, wheres)
    return [each if isinstance(each, Absent) else phones.digits_only(each) for each in found]


_GOOGLE_NAME = _text(text.lower, names.without_titles, names.something_said)
_META_NAME = _text(text.lower, text.word_characters, text.unhashed)
_LOWER = _text(text.lower)
_MOBILE_AD_ID = Rule(_text(text.lower, ids.uuid), digested=False, when_hashed=WhenHashed.REFUSE)
_EXTERNAL_ID = Rule(chain(ids.as_is), digested=False, when_hashed=WhenHashed.IGNORE)


def _part(step: PlacedStep) -> Rule:
    return Rule(then(_text(), step), when_hashed=WhenHashed.REFUSE, dated=True)


_GOOGLE: Final[Mapping[str, Rule]] = {
    "email": Rule(
        _text(emails.address, emails.gmail_folded), swift=swift.emails(fold_gmail=True), unique=True
    ),
    "phone": Rule(_PHONE, regional=True, column_step=_phones),
    "first_name": Rule(_GOOGLE_NAME, swift=swift.everywhere(swift.GOOGLE_NAME)),
    "last_name": Rule(_GOOGLE_NAME, swift=swift.everywhere(swift.GOOGLE_NAME)),
    "postal_code": Rule(
        then(_text(text.without_float_tail), places.plain_postal_code),
        digested=False,
        when_hashed=WhenHashed.REFUSE,
        regional=True,
        stays=swift.postal_codes,
    ),
    "country": Rule(_text(places.country_code), digested=False, when_hashed=WhenHashed.REFUSE),
    "mobile_ad_id": _MOBILE_AD_ID,
    "external_id": _EXTERNAL_ID,
}

_META: Final[Mapping[str, Rule]] = {
    "email": Rule(_text(emails.address), swift=swift.emails(fold_gmail=False), unique=True),
    "phone": Rule(then(_PHONE, chain(phones.digits_only)), regional=True, column_step=_phone_digits),
    "first_name": Rule(_META_NAME, swift=swift.everywhere(swift.META_NAME)),
    "last_name": Rule(_META_NAME, swift=swift.everywhere(swift.META_NAME)),
    "first_initial": Rule(
        then(_META_NAME, chain(text.first_letter)),
        when_hashed=WhenHashed.REFUSE,
        swift=swift.everywhere(swift.FIRST_LETTER),
    ),
    "city": Rule(_text(text.lower, text.letters), swift=swift.everywhere(swift.LETTERS)),
    "state": Rule(
        then(_LOWER, places.state),
        regional=True,
        swift=swift.by_region(in_us=None, elsewhere=swift.LETTERS_AND_DIGITS),
    ),
    "postal_code": Rule(
        then(_text(text.without_float_tail, text.lower), places.short_postal_code),
        regional=True,
        swift=swift.by_region(in_us=swift.US_ZIP, elsewhere=swift.POSTAL_CODE),
    ),
    "country": Rule(_text(places.country_code, text.lower)),
    "birth_year": _part(people.birth_year),
    "birth_month": _part(people.birth_month),
    "birth_day": _part(people.birth_day),
    "gender": Rule(_text(text.lower, people.gender)),
    "mobile_ad_id": _MOBILE_AD_ID,
    "external_id": _EXTERNAL_ID,
}

RULES: Final[Mapping[Family, Mapping[str, Rule]]] = MappingProxyType(
    {Family.GOOGLE: _GOOGLE, Family.META: _META}
)

#: A source has one birth date, and only a whole one is taken apart.
BIRTH_DATE: Final = Rule(then(_text(), people.whole_date), digested=False, when_hashed=WhenHashed.REFUSE)
