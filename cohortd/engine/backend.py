"""DuckDB as the engine uses it: in memory, spilling into the work directory, offline."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cohortd.core.errors import CohortdError

if TYPE_CHECKING:
    import ibis.expr.types as ir


class DuckdbBackend:
    """One embedded DuckDB that runs Ibis expressions."""

    def __init__(self, workdir: Path, *, memory_limit: str | None, threads: int | None) -> None:
        """Open it; ``memory_limit`` as DuckDB writes it ("4GB"), both None for DuckDB's own choice."""
        spill = workdir / "spill"
        spill.mkdir(parents=True, exist_ok=True, mode=0o700)
        options: dict[str, object] = {
            "temp_directory": str(spill),
            # An extension that is not linked in would be fetched from the internet.
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if memory_limit is not None:
            options["memory_limit"] = memory_limit
        if threads is not None:
            options["threads"] = threads
        self._numbers = itertools.count(1)
        self._connection = ibis.duckdb.connect(":memory:", **options)
        # Where Python was started without a script (``python -c``) it would be drawn amid the answer.
        self._connection.raw_sql("SET enable_progress_bar = false")

    def read(self, path: Path) -> ir.Table:
        """Look at a Parquet file; nothing but its columns is read yet."""
        # Not Ibis's own read_parquet: it calls what DuckDB 2 deprecates.
        name = f"parquet_{next(self._numbers)}"
        self._connection.raw_sql(
            f"CREATE TEMP VIEW {name} AS SELECT * FROM read_parquet('{_quoted(path)}')"  # noqa: S608 - quoted
        )
        return ibis.table(ibis.Schema.from_pyarrow(pq.read_schema(path)), name=name)

    def copy(self, expression: ir.Table, path: Path) -> None:
        """Write an ordered expression to *path* without going through Python's memory.

        A write cut short leaves nothing under that name.
        """
        partial = path.with_suffix(".partial")
        statement = (
            f"COPY ({self._connection.compile(expression)}) TO '{_quoted(partial)}'"
            " (FORMAT PARQUET, COMPRESSION ZSTD, ROW_GROUP_SIZE 122880)"
        )
        try:
            with _memory():
                self._connection.raw_sql(statement)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def fetch(self, expression: ir.Table) -> pd.DataFrame:
        """Bring a small result into memory."""
        frame: pd.DataFrame = self._table(expression).to_pandas()
        return frame

    def number(self, expression: ir.Scalar) -> float | None:
        """Compute one number; None for NULL."""
        value = self._table(expression.as_table()).column(0)[0].as_py()
        return None if value is None else float(value)

    def close(self) -> None:
        """Give back memory and spill files."""
        self._connection.disconnect()

    def _table(self, expression: ir.Table) -> pa.Table:
        # Not Ibis's own to_pyarrow, for the same reason.
        with _memory():
            return self._connection.con.sql(self._connection.compile(expression)).to_arrow_table()


@contextmanager
def _memory() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise CohortdError(
            "the engine ran out of memory; raise engine.memory_limit or give data_dir more disk"
        ) from None


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
