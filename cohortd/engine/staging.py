"""Puts Arrow batches on disk for the engine, never with a contact column among them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cohortd.core.tables import CONTACT_FIELDS

_NAME = re.compile(r"[a-z0-9_]+")
_ROW_GROUP_ROWS = 131_072


@dataclass(frozen=True, slots=True)
class StagedTable:
    """One table as a Parquet file in the engine's work directory."""

    path: Path
    rows: int
    columns: tuple[str, ...]


def write_staged(
    path: Path, batches: Iterable[pa.RecordBatch], *, schema: pa.Schema | None = None
) -> StagedTable:
    """Write *batches* to *path*; a write cut short leaves nothing under that name.

    Times with a zone are written as plain UTC, so that no session's time zone can shift them.

    Args:
        path: Replaced when it is there.
        batches: All with the same columns, in any order.
        schema: Needed where *batches* may be empty; else the first batch's.

    Raises:
        ValueError: A contact column was handed in, or there is neither batch nor schema.
    """
    parts = iter(batches)
    first = next(parts, None)
    if first is not None:
        schema = schema or first.schema
    if schema is None:
        raise ValueError("an empty table needs a schema to be staged")
    wanted = _zoneless(schema)
    _refuse_contacts(wanted)
    partial = path.with_suffix(".partial")
    rows = 0
    try:
        with pq.ParquetWriter(partial, wanted, compression="zstd") as writer:
            while first is not None:
                table = _conform(first, wanted)
                writer.write_table(table, row_group_size=_ROW_GROUP_ROWS)
                rows += table.num_rows
                first = next(parts, None)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return StagedTable(path=path, rows=rows, columns=tuple(wanted.names))


def open_staged(path: Path) -> StagedTable:
    """Describe a Parquet file that is already there."""
    with pq.ParquetFile(path) as file:
        return StagedTable(path, int(file.metadata.num_rows), tuple(file.schema_arrow.names))


def staged_path(workdir: Path, name: str) -> Path:
    """Place a staged table; *name* must be a plain word, for it becomes a file name.

    Raises:
        ValueError: *name* is anything else.
    """
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} cannot name a staged table: use a-z, 0-9 and _")
    return workdir / f"{name}.parquet"


def _refuse_contacts(schema: pa.Schema) -> None:
    contacts = sorted(set(schema.names) & set(CONTACT_FIELDS))
    if contacts:
        raise ValueError(f"contact columns never enter the engine: {', '.join(contacts)}")


def _zoneless(schema: pa.Schema) -> pa.Schema:
    fields = [
        pa.field(field.name, pa.timestamp("us") if pa.types.is_timestamp(field.type) else field.type)
        for field in schema
    ]
    return pa.schema(fields)


def _conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.Table:
    _refuse_contacts(batch.schema)
    if set(batch.schema.names) != set(schema.names):
        raise ValueError("the batches of a staged table must have the same columns")
    columns = [_cast(batch.column(field.name), field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _cast(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = column.cast(pa.timestamp(column.type.unit, tz="UTC"))
        return column.cast(pa.timestamp(column.type.unit)).cast(wanted, safe=False)
    return column.cast(wanted, safe=not pa.types.is_timestamp(wanted))
