"""Reads the customers: their attributes for the engine, their contact fields for identity alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cohortd.core.errors import SettingsError
from cohortd.core.tables import CONTACT_FIELDS
from cohortd.sources.casting import Cast, as_list, as_text
from cohortd.sources.chunks import Sieve
from cohortd.sources.keys import SeenIds, looks_like_phone, refuse_emails
from cohortd.sources.reading import chosen, chunks
from cohortd.sources.table import TableSource, Tally

#: Of these a person may have several.
LIST_FIELDS = ("email", "phone")

Columns = Mapping[str, pa.Array]


def read_customers(source: TableSource, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Stream ``customer_id`` and the attributes, as text; true is 1 and false is 0.

    At least one batch comes, so that the columns are known even of an empty table.

    Raises:
        SettingsError: A column is missing, an attribute is a contact field, or an id is an e-mail.
        SourceError: The table cannot be read.
    """
    names = ("customer_id", *source.attributes)
    yield pa.RecordBatch.from_pylist([], schema=pa.schema([(name, pa.string()) for name in names]))
    for sieve, columns in _rows(source, tally):
        shown = {name: columns[name] for name in names}
        yield sieve.kept(shown)


def read_contacts(
    source: TableSource,
    tally: Tally | None = None,
    *,
    fields: Sequence[str] | None = None,
    only: frozenset[str] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Stream ``customer_id`` and the contact fields that are there: lists for e-mails and phones.

    The same customers stay as in ``read_customers``, whatever is asked here.

    Args:
        source: The customers.
        tally: None to count nothing; ``read_customers`` counts the same faults.
        fields: Only these; None for all.
        only: Only these customers; None for all.
    """
    asked = pa.array(sorted(only), pa.string()) if only is not None else None
    wanted = set(CONTACT_FIELDS if fields is None else fields)
    for sieve, columns in _rows(source, tally or Tally(source.name)):
        batch = sieve.kept({name: columns[name] for name in columns if name in wanted | {"customer_id"}})
        if asked is not None:
            batch = batch.filter(pc.is_in(batch.column("customer_id"), value_set=asked))
        if batch.num_rows:
            yield batch


def _rows(source: TableSource, tally: Tally) -> Iterator[tuple[Sieve, Columns]]:
    """Read every mapped column, so that both readers leave out the same rows."""
    mapping = _mapping(source)
    seen = SeenIds()
    for chunk in chunks(source, mapping, tally, needed=("customer_id",)):
        sieve = Sieve(chunk, tally)
        columns = {
            name: sieve.take(_reader(source, name)(chunk.column(theirs)), "undecodable_text")
            for name, theirs in mapping.items()
        }
        ids = columns["customer_id"]
        sieve.require(ids, "missing_customer_id")
        refuse_emails(ids, source.name)
        sieve.drop(looks_like_phone(ids), "phone_as_customer_id")
        sieve.drop(seen.repeated(ids, among=sieve.keep), "duplicate_customer_id")
        yield sieve, columns


def _mapping(source: TableSource) -> dict[str, str]:
    contacts = [name for name in source.attributes if name in CONTACT_FIELDS]
    if contacts:
        raise SettingsError(
            f"sources.{source.name}: {', '.join(contacts)} is a contact field and cannot be a feature"
        )
    mapping = chosen(source, needed=("customer_id", *source.attributes), optional=CONTACT_FIELDS)
    unknown = sorted(source.hashed - set(CONTACT_FIELDS))
    if unknown:
        raise SettingsError(f"sources.{source.name}.hashed: {', '.join(unknown)} is no contact field")
    return mapping


def _reader(source: TableSource, name: str) -> Callable[[pa.Array], Cast]:
    if name in LIST_FIELDS:
        return lambda column: as_list(column, source.separator)
    if name == "birth_date":
        return _day
    return _attribute if name in source.attributes else as_text


def _day(column: pa.Array) -> Cast:
    """A birthday kept as a time is still a day."""
    is_day = pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)
    return as_text(column.cast(pa.date32(), safe=False) if is_day else column)


def _attribute(column: pa.Array) -> Cast:
    text = as_text(column)
    lower = pc.utf8_lower(text.values)
    as_digit = pc.if_else(
        pc.equal(lower, "true"), "1", pc.if_else(pc.equal(lower, "false"), "0", text.values)
    )
    return Cast(as_digit, np.asarray(text.faulty))
