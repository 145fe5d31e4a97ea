import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortd.core.quality import (
    ContactFigures,
    FieldQuality,
    Validity,
    score_of_customers,
    score_of_rows,
    worst_invalid,
)
from cohortd.core.reporting import SourceReport
from cohortd.pipeline.quality import tables_quality


def emails(present: int, *, invalid: int = 0, duplicates: int = 0, doubtful: int = 0) -> FieldQuality:
    validity = Validity(present - invalid, {"no_at_sign": invalid} if invalid else {})
    return FieldQuality(
        "email",
        rows=present,
        present=present,
        platforms={"google": validity, "meta": validity},
        duplicates=duplicates,
        doubts={"role": doubtful} if doubtful else {},
    )


def keys(none: int = 0, one: int = 0, two: int = 0, more: int = 0) -> dict[str, int]:
    return {"0": none, "1": one, "2": two, "3+": more}


@pytest.mark.parametrize(
    ("rows", "counts", "field", "score"),
    [
        (10, keys(more=10), emails(10), 100),
        (10, keys(one=10), emails(10), 80),
        (10, keys(none=10), emails(0), 0),
        # 60 x 0.8 + 20 x 0.3 + 20 x 0.5
        (10, keys(none=2, one=5, two=3), emails(10, invalid=2, duplicates=2, doubtful=1), 64),
        # Two of ten rows were left out: they have no key.
        (10, keys(two=8), emails(8), 84),
        (1000, keys(none=1, two=999), emails(999), 99),
        (0, keys(), emails(0), 0),
    ],
)
def test_customers_are_scored_by_reach_by_second_keys_and_by_sound_values(
    rows: int, counts: dict[str, int], field: FieldQuality, score: int
) -> None:
    assert score_of_customers(rows, {"google": counts}, [field]) == score


def test_platforms_weigh_the_same() -> None:
    counts = {"google": keys(none=10), "meta": keys(more=10)}

    assert score_of_customers(10, counts, [emails(10)]) == 60


@given(st.tuples(*[st.integers(0, 50)] * 4), st.integers(0, 50), st.tuples(*[st.integers(0, 50)] * 3))
def test_a_score_is_from_0_to_100(
    counts: tuple[int, ...], present: int, faults: tuple[int, int, int]
) -> None:
    invalid, duplicates, doubtful = faults
    field = emails(present, invalid=min(invalid, present), duplicates=duplicates, doubtful=doubtful)

    assert 0 <= score_of_customers(sum(counts), {"google": keys(*counts)}, [field]) <= 100


def test_rows_are_scored_by_their_usable_share_rounded_down() -> None:
    assert [score_of_rows(1000, 999), score_of_rows(3, 3), score_of_rows(0, 0)] == [99, 100, 0]


def test_a_reason_counts_as_the_family_that_refuses_most_for_it() -> None:
    quality = FieldQuality(
        "email",
        rows=9,
        present=9,
        platforms={
            "google": Validity(5, {"no_at_sign": 3, "empty_local_part": 1}),
            "meta": Validity(6, {"no_at_sign": 3}),
        },
    )

    assert worst_invalid(quality) == {"no_at_sign": 3, "empty_local_part": 1}


def test_every_table_has_an_account_and_columns_that_cannot_be_empty_are_left_out() -> None:
    events = SourceReport(
        "events",
        read=10,
        kept=6,
        later=2,
        dropped={"unknown_customer": 2},
        sifted=8,
        filled={"customer_id": 8, "occurred_at": 8, "value": 5},
    )

    (found,) = tables_quality([events], ContactFigures())

    assert (found.score, found.rows, found.usable, found.counted) == (80, 10, 8, 8)
    assert [(each.name, each.rows) for each in found.fields] == [("value", 5)]


def test_without_a_destination_nobody_can_say_what_the_customers_are_worth() -> None:
    customers = SourceReport("customers", read=10, kept=10)

    assert tables_quality([customers], ContactFigures()) == ()
