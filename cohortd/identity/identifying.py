"""A batch of contacts in, identifiers and reasons out; the raw values stay here."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from cohortd.core.identifiers import Family
from cohortd.identity import google, meta
from cohortd.identity.columns import DROPPED, IDENTIFIERS, Contacts

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
) -> Identified:
    """Normalize and hash whatever contact columns the batch has; the others are nobody's business.

    Args:
        contacts: Contact columns under our standard names, text or lists of text.
        family: Whose rules.
        default_region: Where a row without a country is; None where nobody knows.
        hashed: Columns that hold SHA-256 already.
        today: Nobody is born later; the current day (UTC) where not given.
    """
    seen = Contacts(contacts, family, default_region=default_region, hashed=hashed, today=today)
    found, dropped = _FAMILIES[family](seen)
    return Identified(_ordered(found, IDENTIFIERS, "kind"), _ordered(dropped, DROPPED))


def _ordered(parts: list[pa.Table], schema: pa.Schema, *within_row: str) -> pa.Table:
    together = pa.concat_tables([schema.empty_table(), *parts])
    order = np.lexsort([np.asarray(together[name]) for name in (*within_row, "row")])
    return together.take(pa.array(order)).combine_chunks()
