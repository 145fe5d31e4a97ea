"""What Google knows people by: e-mails, phones and whole addresses."""

from functools import reduce

import numpy as np
import pyarrow as pa

from cohortd.core.identifiers import IdentifierKind
from cohortd.core.payloads import ADDRESS_KEYS
from cohortd.identity.columns import Column, Contacts
from cohortd.identity.digests import to_arrow
from cohortd.identity.kernel import sha256
from cohortd.identity.packing import joined, members, packed
from cohortd.identity.points import Dropped, Points, contact_points, dropped_of

#: In the order of ADDRESS_KEYS.
_ADDRESS_FIELDS = ("first_name", "last_name", "country", "postal_code")
_ADDRESS = "address"
_INCOMPLETE = "incomplete_address"


def identifiers(contacts: Contacts) -> tuple[list[Points], list[Dropped]]:
    """Find identifiers and what was dropped.

    Mobile advertising ids and ids of one's own are lists of another type at Google, which do not
    mix with contact information; they are left out.
    """
    emails, phones = contacts.column("email"), contacts.column("phone")
    parts = [contacts.column(field) for field in _ADDRESS_FIELDS]
    found = []
    if emails:
        found.append(contact_points(emails, IdentifierKind.EMAIL))
    if phones:
        found.append(contact_points(phones, IdentifierKind.PHONE))
    dropped = [dropped_of(column) for column in (emails, phones, *parts) if column]
    whole = [part for part in parts if part]
    # Without one of the four columns no row has an address, and no row is to blame for it.
    if len(whole) == len(_ADDRESS_FIELDS):
        addresses, incomplete = _addresses(whole, contacts)
        found.append(addresses)
        dropped.append(incomplete)
    return found, dropped


def _addresses(parts: list[Column], contacts: Contacts) -> tuple[Points, Dropped]:
    of_row = {key: part.by_row(contacts.count) for key, part in zip(ADDRESS_KEYS, parts, strict=True)}
    there = [chosen >= 0 for chosen in of_row.values()]
    complete, any_part = reduce(np.logical_and, there), reduce(np.logical_or, there)
    rows, incomplete = np.flatnonzero(complete), np.flatnonzero(any_part & ~complete)
    columns = dict(zip(ADDRESS_KEYS, parts, strict=True))
    fragments = [
        members(key, columns[key].outcomes.sent, of_row[key][rows]) for key in sorted(ADDRESS_KEYS)
    ]
    payloads = packed(joined(fragments, len(rows)))
    digests = to_arrow(sha256(payloads, contacts.kernel))
    addresses = Points(IdentifierKind.ADDRESS, rows, digests, payloads, np.arange(len(rows)))
    return addresses, Dropped(_ADDRESS, incomplete, pa.repeat(_INCOMPLETE, len(incomplete)))
