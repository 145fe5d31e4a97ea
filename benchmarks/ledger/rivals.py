"""The same digests compared by others, in memory: the floor, and a database made for such work."""

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks.ledger.measuring import Spent, peak_mb
from benchmarks.ledger.people import KINDS, Words, digests_of

#: Digests at once: with more, this comparison in memory would need more memory than machines have. A
#: slice is sorted a little faster than a part of a whole, so that the floor is rather too low.
SLICE = 20_000_000


def numpy_merge(members: int) -> dict[str, float]:
    """Sort what is desired by 64-bit prefixes, look it up in what was sent, verify every byte."""
    spent = Spent()
    for desired, sent in _slices(members):
        there = sent[:, 0].byteswap()
        with spent.more():
            head = desired[:, 0].byteswap()
            order = np.argsort(head)
            head, ordered = head[order], desired[order]
            at = np.minimum(np.searchsorted(there, head), len(there) - 1)
            found = (ordered == sent[at]).all(axis=1)
            left = np.ones(len(sent), dtype=np.bool_)
            left[at[found]] = False
        if not found.all() or left.any():
            raise AssertionError("the floor compares wrongly")
    return {"cpu_s": spent.cpu_s, "wall_s": spent.wall_s, "peak_mb": peak_mb()}


def duckdb_anti_join(members: int) -> dict[str, float]:
    """Let DuckDB find what is in one table and not in the other, both ways."""
    spent = Spent()
    for desired, sent in _slices(members):
        with duckdb.connect(config={"threads": 2}) as connection:
            connection.execute("SET enable_progress_bar = false")
            for name, rows in (("desired", desired), ("sent", sent)):
                connection.register("rows", pa.table({"digest": _binary(rows)}))
                connection.execute(f"CREATE TABLE {name} AS SELECT digest FROM rows")
                connection.unregister("rows")
            with spent.more():
                for one, other in (("desired", "sent"), ("sent", "desired")):
                    [missing] = connection.execute(
                        f"SELECT count(*) FROM {one} ANTI JOIN {other} USING (digest)"
                    ).fetchone() or [None]
                    if missing:
                        raise AssertionError("DuckDB compares wrongly")
    return {"cpu_s": spent.cpu_s, "wall_s": spent.wall_s, "peak_mb": peak_mb()}


def _slices(members: int) -> Iterator[tuple[Words, Words]]:
    """Make (as they come, by ascending digest), a part of the people at a time."""
    step = SLICE // len(KINDS)
    for first in range(0, members, step):
        count = min(step, members - first)
        desired = np.stack([digests_of(first, count, kind) for kind in KINDS], axis=1).reshape(-1, 4)
        yield desired, desired[np.argsort(desired[:, 0].byteswap())]


def _binary(rows: Words) -> pa.Array:
    buffers = [None, pa.py_buffer(np.ascontiguousarray(rows))]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(32), len(rows), buffers)
