"""Parquet files that runs keep for later ones, looked at before anybody reads them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cohortd.core.errors import SourceError


def whole(file: Path, *, without: str) -> Path:
    """Return *file* if it can be read at all; only its end is looked at.

    Args:
        without: What it costs to delete it, for people.

    Raises:
        SourceError: It is damaged, or not for us to read.
    """
    try:
        pq.read_metadata(file)
    except pa.ArrowInvalid:
        raise SourceError(f"{file} is damaged; delete it: {without}") from None
    except OSError as error:
        raise SourceError(f"{file} cannot be read: {error.strerror or type(error).__name__}") from None
    return file
