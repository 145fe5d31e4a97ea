"""Reads Parquet, row group by row group."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow.parquet as pq

from cohortd.sources.chunks import Chunk
from cohortd.sources.locations import SourceFile

ROWS_A_CHUNK = 65_536


def columns(file: SourceFile) -> list[str]:
    """Read the top-level names."""
    with (
        file.reading(),
        file.filesystem.open_input_file(file.path) as stream,
        pq.ParquetFile(stream) as parquet,
    ):
        return [str(name) for name in parquet.schema_arrow.names]


def chunks(file: SourceFile, wanted: Sequence[str]) -> Iterator[Chunk]:
    """Stream *wanted* columns with the types they have."""
    first = 1
    with (
        file.reading(),
        file.filesystem.open_input_file(file.path) as stream,
        pq.ParquetFile(stream) as parquet,
    ):
        names = [name for name in wanted if name in parquet.schema_arrow.names]
        for batch in parquet.iter_batches(batch_size=ROWS_A_CHUNK, columns=names, use_threads=False):
            numbers = np.arange(first, first + batch.num_rows, dtype=np.int64)
            first += batch.num_rows
            yield Chunk({name: batch.column(name) for name in names}, batch.num_rows, numbers, file.name)
