"""What the customers table knows now of the people whom a withdrawal names.

They may never have been sent, or an add of them may be queued; and where somebody else carries one
of their identifiers, the revocation wins for it. A table that cannot be read leaves what the ledger
knows.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from cohortd.core.consenting import ConsentRecord
from cohortd.core.errors import CohortdError, StoppedError
from cohortd.core.identifiers import Family, Identifier, IdentifierKind, member_key
from cohortd.identity import identify
from cohortd.ledger import Extra
from cohortd.pipeline.subjects import Contact, contacts_of_record
from cohortd.pipeline.wiring import Pipeline
from cohortd.sources import read_contacts

log = structlog.get_logger()


def of_customers(pipeline: Pipeline, customer_ids: Iterable[str]) -> Mapping[str, list[Extra]]:
    """Read these customers' identifiers as the source has them now."""
    only = frozenset(customer_ids)
    found: dict[str, list[Extra]] = defaultdict(list)
    for ids, tables in _read(pipeline, only) if only else ():
        for row, extra in _extras(pipeline, ids, tables, range(len(ids))):
            found[ids[row]].append(extra)
    return found


def of_batch(pipeline: Pipeline, contacts: pa.RecordBatch) -> Mapping[str, list[Extra]]:
    """Give the identifiers of customers whose contact fields were just read."""
    found: dict[str, list[Extra]] = defaultdict(list)
    ids, tables = _identified(pipeline, contacts)
    for row, extra in _extras(pipeline, ids, tables, range(len(ids))):
        found[ids[row]].append(extra)
    return found


def of_records(
    pipeline: Pipeline, records: Collection[ConsentRecord]
) -> Mapping[ConsentRecord, list[Extra]]:
    """Read all identifiers of everybody who carries a contact field that one of *records* names."""
    wanted: dict[Contact, list[ConsentRecord]] = defaultdict(list)
    for record in records:
        for contact in contacts_of_record(record):
            wanted[contact].append(record)
    found: dict[ConsentRecord, list[Extra]] = defaultdict(list)
    for ids, tables in _read(pipeline, None) if wanted else ():
        named = _rows_of(tables, wanted)
        for row, extra in _extras(pipeline, ids, tables, named):
            for record in named[row]:
                found[record].append(extra)
    return found


def _read(
    pipeline: Pipeline, only: frozenset[str] | None
) -> Iterator[tuple[list[str], Mapping[Family, pa.Table]]]:
    """Yield customer ids and their identifiers, batch by batch, as far as the table can be read."""
    try:
        for batch in read_contacts(pipeline.sources.customers, None, only=only):
            _go_on(pipeline)
            yield _identified(pipeline, batch)
    except StoppedError:
        raise
    except CohortdError as error:
        log.warning("contacts_not_read", reason=str(error))


def _go_on(pipeline: Pipeline) -> None:
    """Break the reading off where the process was asked to stop: nothing is recorded of half a table."""
    if pipeline.stop.is_set():
        raise StoppedError


def _identified(pipeline: Pipeline, batch: pa.RecordBatch) -> tuple[list[str], Mapping[Family, pa.Table]]:
    identity = pipeline.identity
    tables = {
        family: identify(
            batch, family, default_region=identity.default_region, hashed=identity.hashed
        ).identifiers
        for family in Family
    }
    return batch.column("customer_id").to_pylist(), tables


def _rows_of(
    tables: Mapping[Family, pa.Table], wanted: Mapping[Contact, list[ConsentRecord]]
) -> Mapping[int, set[ConsentRecord]]:
    """Find the rows that carry a wanted contact field under any family's rules."""
    digests = pa.array({digest for _, _, digest in wanted}, type=pa.binary(32))
    rows: dict[int, set[ConsentRecord]] = defaultdict(set)
    for family, table in tables.items():
        same = table.filter(pc.is_in(table.column("digest"), value_set=digests))
        columns = (same.column(name).to_pylist() for name in ("row", "kind", "digest"))
        for row, kind, digest in zip(*columns, strict=True):
            for record in wanted.get((family.value, kind, digest), ()):
                rows[row].add(record)
    return rows


def _extras(
    pipeline: Pipeline, ids: list[str], tables: Mapping[Family, pa.Table], rows: Collection[int]
) -> Iterator[tuple[int, Extra]]:
    """Yield every identifier of these rows with its family and member."""
    chosen = pa.array(list(rows), type=pa.int64())
    keys = {row: member_key(ids[row], pipeline.ledger.secret) for row in rows}
    for family, table in tables.items():
        theirs = table.filter(pc.is_in(table.column("row"), value_set=chosen))
        columns = (theirs.column(name).to_pylist() for name in ("row", "kind", "digest", "payload"))
        for row, kind, digest, payload in zip(*columns, strict=True):
            yield row, (family, keys[row], Identifier(IdentifierKind(kind), digest, payload))
