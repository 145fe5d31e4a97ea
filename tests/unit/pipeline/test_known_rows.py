"""Which rows of the consent table need no second look."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cohortd.pipeline.known_rows import KnownRows

TEXT = st.text("ab|\u00e9 ", max_size=3)
ROW = st.tuples(TEXT, st.sampled_from(["denied", "revoked"]), st.integers(0, 3), TEXT, st.booleans())


def _table(rows: list[tuple[str, str, int, str, bool]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["customer_id", "status", "recorded_at", "source", "untimed"])
    days = pd.to_timedelta(table["recorded_at"].astype("int64"), unit="D")
    return table.assign(recorded_at=pd.Timestamp("2026-01-01", tz="UTC") + days)


@given(st.lists(ROW, max_size=12), st.lists(ROW, max_size=12))
def test_exactly_the_same_rows_are_known_but_none_without_a_time(
    before: list[tuple[str, str, int, str, bool]], now: list[tuple[str, str, int, str, bool]]
) -> None:
    known = KnownRows()
    known.add(_table(before))

    assert known.holds(_table(now)).tolist() == [row in before and not row[-1] for row in now]


def test_nothing_readable_is_kept() -> None:
    row = ("anna-4711", "denied", 1, "crm", False)
    one, other = KnownRows(), KnownRows()
    one.add(_table([row]))
    other.add(_table([row]))

    assert one._known != other._known
    assert all(len(mark) == 16 and b"anna" not in mark for mark in one._known)
