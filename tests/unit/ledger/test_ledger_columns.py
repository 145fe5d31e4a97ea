"""Keys and rows in bulk say what sorted lists and dictionaries say."""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_world import digest, staged_rows

from cohortd.ledger.keys import KeySet, Words, ascending, bytes_of, distinct, find, words_of
from cohortd.ledger.rows import Rows, payloads
from cohortd.ledger.spill import Block, Spill

#: Many begin alike: what is rare with digests is the rule here.
KEYS = st.lists(
    st.builds(
        lambda start, middle, end: start * 8 + middle * 7 + end,
        st.sampled_from([b"\0", b"a", b"\xff"]),
        st.sampled_from([b"\0", b"b"]),
        st.sampled_from([b"\0", b"c", b"\xfe"]),
    ),
    max_size=20,
)


@given(keys=KEYS)
def test_keys_are_put_in_the_order_of_their_bytes(keys: list[bytes]) -> None:
    words = _words(keys)

    assert bytes_of(words[ascending(words)]) == sorted(keys)
    assert bytes_of(distinct(words)) == sorted(set(keys))


@given(needles=KEYS, hay=KEYS)
def test_keys_are_found_where_they_are_and_nowhere_else(needles: list[bytes], hay: list[bytes]) -> None:
    there = sorted(set(hay))
    found = find(_words(sorted(needles)), _words(there)).tolist()

    assert found == [there.index(key) if key in there else -1 for key in sorted(needles)]
    assert KeySet(_words(hay)).holds(_words(needles)).tolist() == [key in hay for key in needles]


@settings(deadline=None)
@given(
    adds=st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 300), st.sampled_from([b"", b"x", b"yz"])), max_size=8),
            st.booleans(),
        ),
        max_size=4,
    ),
    low=st.integers(0, 310),
    width=st.integers(0, 310),
)
def test_a_spill_gives_back_a_run_of_cells_whatever_was_written_when(
    adds: list[tuple[list[tuple[int, bytes]], bool]], low: int, width: int
) -> None:
    expected = []
    with tempfile.TemporaryDirectory() as folder:
        spill = Spill(Path(folder), (2,))
        for number, (rows, flush) in enumerate(adds):
            keys = [digest(f"{number} {place}")[:16] for place in range(len(rows))]
            text = pa.array([payload for _, payload in rows], pa.large_binary())
            cells = np.array([cell for cell, _ in rows], dtype=np.uint16)
            byte = np.arange(len(rows), dtype=np.uint8)
            some = any(payload for _, payload in rows)
            spill.add(cells, Block((_words(keys),), byte, text if some else None))
            expected += [
                (key, place, payload)
                for place, (key, (cell, payload)) in enumerate(zip(keys, rows, strict=True))
                if low <= cell < low + width
            ]
            if flush:
                spill.count(0, 1)
        block = spill.read(low, low + width)
        found = zip(
            bytes_of(block.words[0]),
            block.byte.tolist(),
            payloads(block.payload, len(block.byte)),
            strict=True,
        )
        assert sorted(found) == sorted(expected)
        assert spill.count(low, low + width) == len(expected)
        assert list(Path(folder).iterdir()) == []
        spill.close()


def test_columns_can_be_parts_of_larger_ones() -> None:
    rows = [(1, digest(str(n)), digest(f"m{n}")[:16], b"%d" % n) for n in range(5)]
    found = Rows.of(staged_rows(rows).slice(2, 2))

    assert bytes_of(found.digest) == [rows[2][1], rows[3][1]]
    assert bytes_of(found.member) == [rows[2][2], rows[3][2]]
    assert payloads(found.payload, 2) == [b"2", b"3"]


def _words(keys: list[bytes]) -> Words:
    return words_of(b"".join(keys), 16)
