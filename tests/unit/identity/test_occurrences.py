from collections import Counter
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cohortd.identity.occurrences import Occurrences, Repeated


def digests(*numbers: int) -> pa.Array:
    return pa.array([sha256(b"%d" % number).digest() for number in numbers], pa.binary(32))


def test_digests_are_counted_over_all_batches(tmp_path: Path) -> None:
    with Occurrences(tmp_path / "seen") as seen:
        seen.add(digests(1, 2, 3))
        seen.add(digests(3, 4, 1, 1))

        assert seen.count() == Repeated(total=7, distinct=4, shared=2, sharing=5)


def test_nothing_is_counted_where_nothing_came(tmp_path: Path) -> None:
    with Occurrences(tmp_path / "seen") as seen:
        seen.add(digests())

        assert seen.count() == Repeated()


def test_a_slice_of_a_batch_counts_as_what_it_is(tmp_path: Path) -> None:
    with Occurrences(tmp_path / "seen") as seen:
        seen.add(digests(1, 2, 3, 3).slice(1, 2))

        assert seen.count() == Repeated(total=2, distinct=2)


@pytest.mark.parametrize("at_once", [1, 7, 1_000])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.integers(0, 30))))
def test_counting_in_parts_counts_the_same(tmp_path: Path, at_once: int, batches: list[list[int]]) -> None:
    times = Counter(number for batch in batches for number in batch).values()
    with Occurrences(tmp_path / "seen", keys_at_once=at_once) as seen:
        for batch in batches:
            seen.add(digests(*batch))
        found = seen.count()

    assert found == Repeated(
        sum(times), len(times), sum(n > 1 for n in times), sum(n for n in times if n > 1)
    )


def test_the_scratch_file_holds_no_part_of_a_digest_and_goes_at_the_end(tmp_path: Path) -> None:
    with Occurrences(tmp_path / "seen") as seen:
        seen.add(digests(1))
        seen.count()
        written = (tmp_path / "seen").read_bytes()

    assert len(written) == 8
    assert written not in sha256(b"1").digest()
    assert list(tmp_path.iterdir()) == []
