"""Whom a limited audience gets."""

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortd.core.identifiers import DIGEST_BYTES, MEMBER_KEY_BYTES
from cohortd.ledger import STAGED
from cohortd.pipeline.limiting import Limited, ranks


def _people(count: int, *, seed: int) -> list[tuple[bytes, int]]:
    chance = random.Random(seed)
    return [(chance.randbytes(MEMBER_KEY_BYTES), chance.randint(1, 5)) for _ in range(count)]


def _rows(people: list[tuple[bytes, int]]) -> tuple[pa.Table, np.ndarray]:
    """Two identifiers a person."""
    twice = [person for person in people for _ in range(2)]
    columns = {
        "kind": [1, 2] * len(people),
        "digest": [random.Random(n).randbytes(DIGEST_BYTES) for n in range(len(twice))],
        "member": [key for key, _ in twice],
        "payload": [b""] * len(twice),
    }
    table = pa.table(columns, schema=STAGED)
    confidence = np.array([keys for _, keys in twice], dtype=np.uint8)
    return table, ranks(table.column("member").combine_chunks(), confidence)


def _best(people: list[tuple[bytes, int]], limit: int) -> list[bytes]:
    return [key for key, _ in sorted(people, key=lambda person: (-person[1], person[0]))][:limit]


def _chosen(limited: Limited) -> list[bytes]:
    return [key for table in limited.chosen() for key in table.column("member").to_pylist()]


@given(st.integers(0, 80), st.integers(1, 60), st.integers(1, 40), st.randoms())
def test_the_best_known_are_chosen_whatever_the_order_they_come_in(
    tmp_path_factory: pytest.TempPathFactory, count: int, limit: int, a_batch: int, chance: random.Random
) -> None:
    people = _people(count, seed=count)
    shuffled = chance.sample(people, len(people))
    limited = Limited(limit, tmp_path_factory.mktemp("limited") / "rows", at_once=16)
    for start in range(0, count, a_batch):
        limited.add(*_rows(shuffled[start : start + a_batch]))
    found = _chosen(limited)

    assert sorted(found) == sorted(_best(people, limit) * 2)
    assert limited.over == max(count - limit, 0)


def test_nothing_is_left_of_the_scratch_file(tmp_path: Path) -> None:
    limited = Limited(5, tmp_path / "rows")
    limited.add(*_rows(_people(20, seed=1)))
    _chosen(limited)

    assert list(tmp_path.iterdir()) == []


def test_somebody_who_comes_takes_the_place_of_one_at_most() -> None:
    people = _people(200, seed=2)
    newcomer = (b"\x80" * MEMBER_KEY_BYTES, 5)
    before, after = set(_best(people, 50)), set(_best([*people, newcomer], 50))

    assert (len(before - after), after - before) == (1, {newcomer[0]})


def test_a_slice_of_members_ranks_as_it_would_alone() -> None:
    table, whole = _rows(_people(10, seed=3))
    members = table.column("member").combine_chunks()
    confidence = (np.uint64(15) - (whole >> np.uint64(60))).astype(np.uint8)

    assert ranks(members[4:9], confidence[4:9]).tolist() == whole[4:9].tolist()
