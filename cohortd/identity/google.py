"""What Google knows people by: e-mails, phones and whole addresses."""

import hashlib

import numpy as np
import pyarrow as pa

from cohortd.core.identifiers import IdentifierKind
from cohortd.core.payloads import ADDRESS_KEYS, pack
from cohortd.identity.columns import (
    Column,
    Contacts,
    contact_points,
    dropped_table,
    identifiers_table,
)

#: In the order of ADDRESS_KEYS.
_ADDRESS_FIELDS = ("first_name", "last_name", "country", "postal_code")
_ADDRESS = "address"
_INCOMPLETE = "incomplete_address"


def identifiers(contacts: Contacts) -> tuple[list[pa.Table], list[pa.Table]]:
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
    there = [column for column in (emails, phones, *parts) if column]
    dropped = [column.dropped() for column in there]
    whole = [part for part in parts if part]
    # Without one of the four columns no row has an address, and no row is to blame for it.
    if len(whole) == len(_ADDRESS_FIELDS):
        addresses, incomplete = _addresses(whole, contacts.count)
        found.append(addresses)
        dropped.append(incomplete)
    return found, dropped


def _addresses(parts: list[Column], count: int) -> tuple[pa.Table, pa.Table]:
    rows, payloads, incomplete = [], [], []
    for row, values in enumerate(zip(*(part.by_row(count) for part in parts), strict=True)):
        complete = [value for value in values if value is not None]
        if len(complete) == len(ADDRESS_KEYS):
            rows.append(row)
            payloads.append(pack(dict(zip(ADDRESS_KEYS, complete, strict=True))))
        elif complete:
            incomplete.append(row)
    digests = [hashlib.sha256(payload).digest() for payload in payloads]
    table = identifiers_table(np.array(rows, dtype=np.int64), IdentifierKind.ADDRESS, digests, payloads)
    reasons = pa.repeat(_INCOMPLETE, len(incomplete))
    return table, dropped_table(pa.array(incomplete, pa.int64()), _ADDRESS, reasons)
