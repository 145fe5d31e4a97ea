"""Why everybody was sent or left out, kept a file a run for ``trace``."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cohortd.core.identifiers import Family

SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("family", pa.string()),
        ("segment_id", pa.string()),
        # Further audiences, parted by blanks.
        ("also_in", pa.string()),
        ("reason", pa.string()),
        ("rule", pa.string()),
        # By how many independent keys the family may know them.
        ("match_keys", pa.uint8()),
        # The record that the rule rests on; absent where it is silence.
        ("record_at", pa.timestamp("us", tz="UTC")),
        ("record_source", pa.string()),
    ]
)
#: Decisions of this many runs are kept.
KEPT = 30

#: Takes a family and, for some customers, every column of ``SCHEMA`` but the family.
Keep = Callable[[Family, Mapping[str, Sequence[object]]], None]


@contextmanager
def keeping(path: Path | None) -> Iterator[Keep]:
    """Give a function that keeps what was decided.

    The file is there whole or not at all.
    """
    if path is None:
        yield lambda _family, _columns: None
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")
    try:
        with pq.ParquetWriter(part, SCHEMA) as writer:
            yield lambda family, columns: writer.write_table(
                pa.table({**columns, "family": [family.value] * len(columns["customer_id"])}, schema=SCHEMA)
            )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    for old in sorted(path.parent.glob("*.parquet"))[:-KEPT]:
        old.unlink()


def newest(folder: Path) -> Path | None:
    """Find the newest run's decisions."""
    return max(folder.glob("*.parquet"), default=None, key=by_time)


def by_time(path: Path) -> tuple[str, int]:
    """Order runs' files: their ids begin with the second, within which the file's own time decides."""
    try:
        return path.name.partition("-")[0], path.stat().st_mtime_ns
    except FileNotFoundError:  # a sync that is under way deletes what is too old
        return "", 0
