"""Customers' statements as columns: millions of them fit in memory."""

from collections.abc import Iterable, Sequence
from typing import Final

import pyarrow as pa

_WORD: Final = pa.dictionary(pa.int32(), pa.string())
CUSTOMER_STATEMENTS: Final = pa.schema(
    [
        ("key", pa.binary()),
        ("status", _WORD),
        ("recorded_at", pa.timestamp("us", tz="UTC")),
        ("purpose", _WORD),
        ("platform", _WORD),
        ("regulation", _WORD),
        ("source", _WORD),
        ("legal_basis", _WORD),
        ("confirmed", pa.bool_()),
    ]
)


def table(parts: Iterable[pa.RecordBatch]) -> pa.Table:
    """Put parts together, or none."""
    return pa.Table.from_batches(parts, schema=CUSTOMER_STATEMENTS)


def batch(columns: Iterable[Sequence[object]]) -> pa.RecordBatch:
    """Lay columns of plain values out, in the schema's order."""
    arrays = [
        pa.array(each).cast(kind) for each, kind in zip(columns, CUSTOMER_STATEMENTS.types, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=CUSTOMER_STATEMENTS)
