"""What Meta knows people by: four kinds of identifier, each carrying the row's profile."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cohortd.core.identifiers import IdentifierKind
from cohortd.identity.columns import Column, Contacts
from cohortd.identity.digests import to_arrow
from cohortd.identity.kernel import sha256
from cohortd.identity.packing import joined, members, packed
from cohortd.identity.points import Dropped, Points, contact_points, dropped_of
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
#: Which rule, and which characters of an ISO date.
_BIRTH = {"DOBY": ("birth_year", 0, 4), "DOBM": ("birth_month", 5, 7), "DOBD": ("birth_day", 8, 10)}
_ID = "id"


def identifiers(contacts: Contacts) -> tuple[list[Points], list[Dropped]]:
    """Find identifiers, each with the profile of its row, and what was dropped."""
    points = {field: column for field in _CONTACT_POINTS if (column := contacts.column(field))}
    ids = {field: column for field in _IDS if (column := contacts.column(field))}
    profile, sources = _profile_columns(contacts)
    inner = _profiles(profile, contacts.count if profile or ids else 0)
    profiles = packed(inner) if profile else None
    found = [contact_points(column, _CONTACT_POINTS[field], profiles) for field, column in points.items()]
    found += [_plain_ids(column, _IDS[field], inner, contacts) for field, column in ids.items()]
    return found, [dropped_of(column) for column in (*points.values(), *ids.values(), *sources)]


def _profile_columns(contacts: Contacts) -> tuple[dict[str, Column], list[Column]]:
    """Columns by Meta's key, and those that answer for what was dropped at the source."""
    columns = {key: column for key, field in _PROFILE.items() if (column := contacts.column(field))}
    sources = list(columns.values())
    if initials := contacts.column("first_initial", read_from="first_name"):
        columns["FI"] = initials
    if births := contacts.column("birth_date", rule=BIRTH_DATE):
        sources.append(births)
        for key, (field, start, stop) in _BIRTH.items():
            part = pc.utf8_slice_codeunits(births.outcomes.sent, start, stop)
            columns[key] = contacts.derived(births, field, part)
    return columns, sources


def _profiles(columns: Mapping[str, Column], count: int) -> pa.Array:
    """Members of each row's profile."""
    fragments = [
        members(key, columns[key].outcomes.sent, columns[key].by_row(count)) for key in sorted(columns)
    ]
    return joined(fragments, count)


def _plain_ids(column: Column, kind: IdentifierKind, inner: pa.Array, contacts: Contacts) -> Points:
    rows, texts = column.usable()
    each = np.arange(len(rows))
    own = members(_ID, texts, each)
    digests = to_arrow(sha256(packed(own), contacts.kernel))
    # All keys of a profile sort before the id.
    payloads = packed(joined([inner.take(pa.array(rows)), own], len(rows)))
    return Points(kind, rows, digests, payloads, each)
