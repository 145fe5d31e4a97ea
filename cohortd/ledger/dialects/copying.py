"""Rows into PostgreSQL by COPY, in its binary form, which numpy makes."""

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

if TYPE_CHECKING:
    import psycopg

_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
#: Rows that are put together at once.
_AT_ONCE: Final = 100_000

#: A column: numbers, or keys of one width as rows of bytes.
Column = NDArray[Any]


def driver_of(connection: Connection) -> "psycopg.Connection[Any]":
    """Return psycopg's own connection, inside the same transaction."""
    driver: psycopg.Connection[Any] | None = connection.connection.driver_connection
    assert driver is not None
    return driver


def copy_in(
    connection: Connection,
    table: str,
    names: Sequence[str],
    columns: Sequence[Column],
    *,
    last: Sequence[bytes] | None = None,
) -> None:
    """Add rows to a table, inside the connection's transaction.

    Args:
        columns: Numbers as 64-bit integers, keys as a row of bytes each.
        last: Bytes of any length for a last column.
    """
    copy_rows(driver_of(connection), table, names, columns, last=last)


def copy_rows(
    driver: "psycopg.Connection[Any]",
    table: str,
    names: Sequence[str],
    columns: Sequence[Column],
    *,
    last: Sequence[bytes] | None,
) -> None:
    """Add rows by the driver alone."""
    statement = f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)"
    with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.write(_HEAD)
        for start in range(0, len(columns[0]), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            fixed = _fixed([column[some] for column in columns], last[some] if last is not None else None)
            if last is None:
                copy.write(fixed.tobytes())
            else:
                rows = fixed.view(f"V{fixed.dtype.itemsize}").tolist()
                copy.write(b"".join(chain.from_iterable(zip(rows, last[some], strict=True))))
        copy.write(_END)


def _fixed(columns: Sequence[Column], last: Sequence[bytes] | None) -> NDArray[np.void]:
    """Lay columns side by side; of *last* only how long each is, which ends a row."""
    kinds: list[tuple[str, str]] = [("count", ">i2")]
    for number, column in enumerate(columns):
        width = 8 if column.ndim == 1 else column.shape[1] * column.itemsize
        kinds += [(f"size{number}", ">i4"), (f"value{number}", ">i8" if column.ndim == 1 else f"V{width}")]
    if last is not None:
        kinds.append(("last", ">i4"))
    rows = np.empty(len(columns[0]), dtype=np.dtype(kinds))
    rows["count"] = len(columns) + (last is not None)
    for number, column in enumerate(columns):
        field = rows.dtype[f"value{number}"]
        rows[f"size{number}"] = field.itemsize
        rows[f"value{number}"] = (
            column if column.ndim == 1 else np.ascontiguousarray(column).view(field)[:, 0]
        )
    if last is not None:
        rows["last"] = np.fromiter(map(len, last), dtype=np.int64, count=len(last))
    return rows
