"""Many rows at once into one table, the way each database is quick at it."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from cohortd.ledger.dialects.copying import copy_in
from cohortd.ledger.keys import bytes_of
from cohortd.ledger.rows import Payloads, payloads

#: Rows for SQLite's driver at once; it looks for an adapter of each bytes object, which takes five times
#: as long as binding a bytearray.
_AT_ONCE: Final = 50_000


def insert(
    connection: Connection,
    table: str,
    names: Sequence[str],
    columns: Sequence[NDArray[Any]],
    *,
    payload: tuple[str, Payloads] | None = None,
) -> None:
    """Insert rows given as columns: numbers, or keys as words.

    Args:
        table: Of the ledger, or of ``scratch``.
        payload: Name and bytes of a last column.
    """
    count = len(columns[0])
    if not count:
        return
    last = payloads(payload[1], count) if payload is not None else None
    every = [*names, payload[0]] if payload is not None else list(names)
    if connection.dialect.name == "postgresql":
        copy_in(connection, table.replace("scratch.", "pg_temp."), every, columns, last=last)
        return
    marks = ", ".join("?" * len(every))
    statement = f"INSERT INTO {table} ({', '.join(every)}) VALUES ({marks})"
    for start in range(0, count, _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        values = [_values(column[some]) for column in columns]
        if last is not None:
            values.append(list(map(bytearray, last[some])))
        connection.exec_driver_sql(statement, list(zip(*values, strict=True)))


def _values(column: NDArray[Any]) -> list[Any]:
    if column.ndim == 1:
        numbers: list[int] = column.astype(np.int64).tolist()
        return numbers
    return list(map(bytearray, bytes_of(column)))
