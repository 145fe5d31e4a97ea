"""Reads the context: what each day, and place, was like - weather, holidays, prices."""

from collections.abc import Iterator

import pyarrow as pa

from cohortd.core.errors import SettingsError
from cohortd.core.tables import CONTACT_FIELDS
from cohortd.sources.casting import as_number, as_text, as_time
from cohortd.sources.chunks import Chunk, Sieve
from cohortd.sources.reading import chosen, chunks
from cohortd.sources.table import TableSource, Tally

_DAY = pa.date32()


def read_context(source: TableSource, tally: Tally, *, by_place: bool) -> Iterator[pa.RecordBatch]:
    """Stream ``date`` (the day in UTC), ``place`` where asked, and numbers.

    At least one batch comes, so that the columns are known even of an empty table.

    Args:
        source: Its ``attributes`` are the numbers to read.
        tally: Counts the rows left out: those without a day or a place, and those with a number
            that is none. Days of which a number is unknown stay.
        by_place: Whether a row is for one place rather than for all.

    Raises:
        SettingsError: A column is missing, or a number is called as a contact field is.
        SourceError: The table cannot be read.
    """
    contacts = [name for name in source.attributes if name in CONTACT_FIELDS]
    if contacts:
        raise SettingsError(
            f"sources.context: {', '.join(contacts)} is a contact field and cannot be a feature"
        )
    needed = ("date", *(("place",) if by_place else ()))
    mapping = chosen(source, needed=(*needed, *source.attributes), optional=())
    yield pa.RecordBatch.from_pylist([], schema=pa.schema([(name, _type(name)) for name in mapping]))
    for chunk in chunks(source, mapping, tally, needed=needed):
        yield _kept(chunk, mapping, tally)


def _kept(chunk: Chunk, mapping: dict[str, str], tally: Tally) -> pa.RecordBatch:
    sieve = Sieve(chunk, tally)
    columns: dict[str, pa.Array] = {}
    for name, theirs in mapping.items():
        column = chunk.column(theirs)
        if name == "date":
            times = sieve.take(as_time(column), "unparsable_date")
            sieve.require(times, "missing_date")
            columns[name] = times.cast(pa.timestamp("us")).cast(_DAY, safe=False)
        elif name == "place":
            columns[name] = sieve.take(as_text(column), "undecodable_text")
            sieve.require(columns[name], "missing_place")
        else:
            columns[name] = sieve.take(as_number(column), f"unparsable_{name}")
    return sieve.kept(columns)


def _type(name: str) -> pa.DataType:
    if name == "date":
        return _DAY
    return pa.string() if name == "place" else pa.float64()
