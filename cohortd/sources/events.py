"""Reads the events: what a customer did, when, and what it was worth."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cohortd.core.tables import EVENT_NUMBER_FIELDS, EVENT_TEXT_FIELDS
from cohortd.sources.casting import UTC_TIME, as_number, as_text, as_time
from cohortd.sources.chunks import Chunk, Sieve
from cohortd.sources.keys import looks_like_phone, refuse_emails
from cohortd.sources.reading import chosen, chunks
from cohortd.sources.table import TableSource, Tally

NEEDED = ("customer_id", "occurred_at")


def read_events(source: TableSource, tally: Tally, *, until: datetime) -> Iterator[pa.RecordBatch]:
    """Stream events up to and including *until*; later ones are counted apart.

    ``occurred_at`` is a UTC time in microseconds, amounts are doubles, the rest is text. At least
    one batch comes, so that the columns are known even of an empty table.

    Raises:
        SettingsError: A column is missing, or a customer id is an e-mail.
        SourceError: The table cannot be read.
    """
    mapping = chosen(
        source,
        needed=NEEDED,
        optional=(*EVENT_TEXT_FIELDS, *EVENT_NUMBER_FIELDS),
    )
    schema = pa.schema([(name, _type(name)) for name in mapping])
    yield pa.RecordBatch.from_pylist([], schema=schema)
    for chunk in chunks(source, mapping, tally, needed=NEEDED):
        yield _kept(chunk, mapping, until=until, tally=tally)


def _kept(chunk: Chunk, mapping: dict[str, str], *, until: datetime, tally: Tally) -> pa.RecordBatch:
    sieve = Sieve(chunk, tally)
    columns: dict[str, pa.Array] = {}
    for name, theirs in mapping.items():
        if name not in {"occurred_at", *EVENT_NUMBER_FIELDS}:
            columns[name] = sieve.take(as_text(chunk.column(theirs)), "undecodable_text")
    ids = columns["customer_id"]
    sieve.require(ids, "missing_customer_id")
    refuse_emails(ids, tally.table)
    sieve.drop(looks_like_phone(ids), "phone_as_customer_id")
    times = sieve.take(as_time(chunk.column(mapping["occurred_at"])), "unparsable_occurred_at")
    sieve.require(times, "missing_occurred_at")
    later = pc.greater(times, pa.scalar(until, UTC_TIME))
    sieve.postpone(np.asarray(pc.fill_null(later, fill_value=False)))
    columns["occurred_at"] = times
    for name, theirs in mapping.items():
        if name in EVENT_NUMBER_FIELDS:
            columns[name] = sieve.take(as_number(chunk.column(theirs)), f"unparsable_{name}")
    return sieve.kept({name: columns[name] for name in mapping})


def _type(name: str) -> pa.DataType:
    if name == "occurred_at":
        return UTC_TIME
    return pa.float64() if name in EVENT_NUMBER_FIELDS else pa.string()
