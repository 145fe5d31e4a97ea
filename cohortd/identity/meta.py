"""What Meta knows people by: four kinds of identifier, each carrying the row's profile."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from cohortd.core.identifiers import IdentifierKind
from cohortd.core.payloads import digest_of, pack
from cohortd.identity.columns import Column, Contacts, contact_points, identifiers_table
from cohortd.identity.normalizing import Normalized
from cohortd.identity.rules import BIRTH_DATE

_CONTACT_POINTS = {"email": IdentifierKind.EMAIL, "phone": IdentifierKind.PHONE}
_IDS = {"mobile_ad_id": IdentifierKind.MOBILE_AD_ID, "external_id": IdentifierKind.EXTERNAL_ID}
_PROFILE = {
    "FN": "first_name",
    "LN": "last_name",
    "CT": "city",
    "ST": "state",
    "ZIP": "postal_code",
    "COUNTRY": "country",
    "GEN": "gender",
}
_BIRTH = {"DOBY": "birth_year", "DOBM": "birth_month", "DOBD": "birth_day"}

Profile = Mapping[str, str]


def identifiers(contacts: Contacts) -> tuple[list[pa.Table], list[pa.Table]]:
    """Find identifiers, each with the profile of its row, and what was dropped."""
    points = {field: column for field in _CONTACT_POINTS if (column := contacts.column(field))}
    ids = {field: column for field in _IDS if (column := contacts.column(field))}
    profile, sources = _profile_columns(contacts)
    profiles = _profiles(profile, contacts.count)
    packed = [pack(one) for one in profiles]
    found = [contact_points(column, _CONTACT_POINTS[field], packed) for field, column in points.items()]
    found += [_plain_ids(column, _IDS[field], profiles) for field, column in ids.items()]
    return found, [column.dropped() for column in (*points.values(), *ids.values(), *sources)]


def _profile_columns(contacts: Contacts) -> tuple[dict[str, Column], list[Column]]:
    """Columns by Meta's key, and those that answer for what was dropped at the source."""
    columns = {key: column for key, field in _PROFILE.items() if (column := contacts.column(field))}
    sources = list(columns.values())
    if initials := contacts.column("first_initial", read_from="first_name"):
        columns["FI"] = initials
    if births := contacts.column("birth_date", rule=BIRTH_DATE):
        sources.append(births)
        columns |= {key: _part_of(births, contacts, field) for key, field in _BIRTH.items()}
    return columns, sources


def _part_of(births: Column, contacts: Contacts, field: str) -> Column:
    parts = [_part(born, contacts, field) for born in births.results]
    return Column(field, births.rows, births.codes, parts)


def _part(born: Normalized, contacts: Contacts, field: str) -> Normalized:
    return born if born.normalized is None else contacts.one(field, born.normalized)


def _profiles(columns: Mapping[str, Column], count: int) -> list[Profile]:
    profiles: list[dict[str, str]] = [{} for _ in range(count)]
    for key in sorted(columns):
        for profile, value in zip(profiles, columns[key].by_row(count), strict=True):
            if value is not None:
                profile[key] = value
    return list(profiles)


def _plain_ids(column: Column, kind: IdentifierKind, profiles: Sequence[Profile]) -> pa.Table:
    rows, texts = column.usable()
    digests = [digest_of({"id": text}) for text in texts]
    payloads = [pack({"id": text, **profiles[row]}) for row, text in zip(rows.tolist(), texts, strict=True)]
    return identifiers_table(rows, kind, digests, payloads)
