"""A batch of contacts in, identifiers and reasons out; the raw values stay here."""

from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from cohortd.core.identifiers import Family
from cohortd.identity import google, meta
from cohortd.identity.columns import Contacts
from cohortd.identity.points import dropped_table, identifiers_table
from cohortd.identity.proven import proven
from cohortd.identity.remembered import remembered

_FAMILIES = {Family.GOOGLE: google.identifiers, Family.META: meta.identifiers}


@dataclass(frozen=True, slots=True)
class Identified:
    """What a batch of contacts is known by on one family of platforms.

    ``identifiers`` has one row an identifier (row, kind, digest, payload: see
    ``cohortd.core.identifiers``), ordered by row, then kind, then as the source has them, none
    twice. ``dropped`` has one row a value that was there and cannot be sent (row, field, reason);
    what is not there, or not used by the family, is not in it. ``row`` is the index in the batch.
    """

    identifiers: pa.Table
    dropped: pa.Table


def identify(
    contacts: pa.RecordBatch,
    family: Family,
    *,
    default_region: str | None,
    hashed: frozenset[str],
    today: date | None = None,
    native: bool = True,
    remember: bool = True,
) -> Identified:
    """Normalize and hash whatever contact columns the batch has; the others are nobody's business.

    Args:
        contacts: Contact columns under our standard names, text or lists of text.
        family: Whose rules.
        default_region: Where a row without a country is; None where nobody knows.
        hashed: Columns that hold SHA-256 already.
        today: Nobody is born later; the current day (UTC) where not given.
        native: Whether the kernel may be used where it is; the result is the same.
        remember: Whether values that took long may be looked up in what earlier batches gave.
    """
    seen = Contacts(
        contacts,
        family,
        default_region=default_region,
        hashed=hashed,
        today=today,
        kernel=proven().kernel if native else None,
        memory=remembered() if remember else None,
    )
    found, dropped = _FAMILIES[family](seen)
    return Identified(identifiers_table(found), dropped_table(dropped))
