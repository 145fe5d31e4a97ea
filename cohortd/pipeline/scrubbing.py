"""One person's rows, taken out of files that name customers by their id."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import structlog

from cohortd.core.identifiers import member_key

log = structlog.get_logger()

_COLUMN: Final = "customer_id"
#: How files end that are being written anew.
UNFINISHED: Final = ".erasing"
#: What a file may raise that cannot be read; a bit that flipped may leave an id that is no text.
UNREADABLE: Final = (OSError, pa.ArrowException, UnicodeDecodeError)
_ROWS_AT_ONCE: Final = 200_000


def take_out(
    files: Iterable[Path], members: Collection[bytes], *, secret: bytes, spares_broken: bool
) -> int:
    """Rewrite, each whole or not at all, the files that hold rows of these people.

    The ids themselves are known to nobody but the files: they are found by their keyed hash, once.

    Args:
        spares_broken: Whether a file whose content nobody can read any more stays, and is an error. Else
            it is deleted: it is of no use, and may still hold them.

    Returns:
        How many rows went.

    Raises:
        One of ``UNREADABLE``: A file that is needed is damaged, or the system refuses it.
    """
    known: set[str] = set()
    rows = 0
    for path in files if members else ():
        try:
            found = _found(path, members, known=known, secret=secret)
            rows += _rewrite(path, found) if found else 0
        except FileNotFoundError:
            continue  # a sync that is under way deletes what is too old
        except UNREADABLE as error:
            if spares_broken or not is_damage(error):
                raise
            path.unlink(missing_ok=True)
            log.warning("broken_file_deleted", file=path.name)
            continue
        known |= found
    return rows


def is_damage(error: Exception) -> bool:
    """Tell bytes that are no Parquet from what the system refused, memory too: Arrow mixes their kinds."""
    if isinstance(error, OSError):
        return error.errno is None
    return isinstance(error, pa.ArrowInvalid | UnicodeDecodeError)


def _found(path: Path, members: Collection[bytes], *, known: Collection[str], secret: bytes) -> set[str]:
    """Which ids of these people are in a file; everybody's is hashed until they are known."""
    table = pq.ParquetFile(path)
    found: set[str] = set()
    for batch in table.iter_batches(batch_size=_ROWS_AT_ONCE, columns=[_COLUMN]):
        ids = pc.unique(batch.column(0))
        if len(known) == len(members):
            found |= set(ids.filter(_is_in(ids, known)).to_pylist())
        else:
            found |= {each for each in ids.to_pylist() if member_key(str(each), secret) in members}
    return found


def _rewrite(path: Path, ids: Collection[str]) -> int:
    before = pq.ParquetFile(path)
    part, rows = path.with_suffix(UNFINISHED), 0
    try:
        with pq.ParquetWriter(part, before.schema_arrow) as writer:
            for batch in before.iter_batches(batch_size=_ROWS_AT_ONCE):
                left = batch.filter(pc.invert(_is_in(batch.column(_COLUMN), ids)))
                rows += batch.num_rows - left.num_rows
                writer.write_batch(left)
        _sync_to_disk(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return rows


def _sync_to_disk(path: Path) -> None:
    """A power failure after the replacing must not leave half a file in its place."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _is_in(column: pa.Array, ids: Collection[str]) -> pa.Array:
    return pc.is_in(column, value_set=pa.array(sorted(ids), type=column.type))
