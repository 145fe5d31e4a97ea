"""Guards are pure checks of numbers against limits; what they say has the numbers in it."""

import pytest

from cohortd.core.planning import Delta, Target
from cohortd.core.quality import FieldQuality, SourceQuality
from cohortd.core.reporting import SourceReport
from cohortd.pipeline import guards


def delta(*, removes: int, present: int) -> Delta:
    return Delta(eligible=present, adds=0, removes=removes, refreshes=0, present=present)


def test_a_table_with_few_bad_rows_passes_and_one_with_many_stops() -> None:
    fine = SourceReport("events", read=100, kept=95, dropped={"unparsable_time": 5})
    bad = SourceReport("customers", read=100, kept=70, dropped={"missing_id": 20, "duplicate_id": 10})

    [stop] = guards.bad_rows([fine, bad], limit=0.1)

    assert stop.guard == "bad_rows"
    assert stop.detail == (
        "customers: 30 of 100 rows could not be used (30.0%, limit 10.0%): duplicate_id 10, missing_id 20"
    )


@pytest.mark.parametrize(("now", "stops"), [(100, 0), (70, 0), (69, 1), (0, 1), (200, 0)])
def test_a_table_may_shrink_by_the_limit_and_no_more(now: int, stops: int) -> None:
    assert len(guards.source_drop({"events": now}, {"events": 100}, limit=0.3)) == stops


def filled(rows: int, *, counted: int = 100) -> SourceQuality:
    emails = FieldQuality("email", rows=rows, present=rows)
    return SourceQuality(
        "customers", score=0, rows=counted, usable=counted, counted=counted, fields=[emails]
    )


@pytest.mark.parametrize(("now", "stops"), [(90, 0), (61, 0), (59, 1), (0, 1), (100, 0)])
def test_a_column_may_lose_values_up_to_the_limit(now: int, stops: int) -> None:
    before = guards.filled_shares([filled(90)])

    assert len(guards.null_share([filled(now)], before, limit=0.3)) == stops


def test_a_column_that_went_empty_is_named_with_its_numbers() -> None:
    [stop] = guards.null_share([filled(5)], {("customers", "email"): 0.9}, limit=0.3)

    assert stop.guard == "null_share"
    assert stop.detail == (
        "customers.email: 5.0% of the rows have a value, 90.0% at the last sync (limit 30.0% fewer)"
    )


def test_a_column_that_was_not_there_before_or_is_not_now_says_nothing() -> None:
    assert guards.null_share([filled(0)], {("customers", "phone"): 0.9}, limit=0.3) == []
    assert guards.null_share([filled(0, counted=0)], {("customers", "email"): 0.9}, limit=0.3) == []


def test_a_table_that_was_not_read_counts_as_empty() -> None:
    [stop] = guards.source_drop({}, {"consent": 10}, limit=0.3)

    assert stop.detail == "consent: 0 rows, 10 at the last sync (100.0% fewer, limit 30.0%)"


@pytest.mark.parametrize(("share", "stops"), [(None, 0), (0.3, 0), (0.31, 1)])
def test_customers_may_move_up_to_the_limit(share: float | None, stops: int) -> None:
    assert len(guards.moved_share(share, limit=0.3)) == stops


def test_an_audience_that_would_lose_too_many_is_named() -> None:
    deltas = {
        Target("s1", "meta"): delta(removes=1, present=100),
        Target("s2", "meta"): delta(removes=30, present=100),
    }

    [named] = guards.removed_share(deltas, limit=0.2, names={"s2": "Night owls"})
    [gone] = guards.removed_share(deltas, limit=0.2, names={"s1": "Early birds"})

    assert (
        named.detail == "Night owls (s2) on meta: 30 of 100 members would be removed (30.0%, limit 20.0%)"
    )
    assert gone.detail == "s2 on meta: 30 of 100 members would be removed (30.0%, limit 20.0%)"


@pytest.mark.parametrize(("eligible", "stops"), [(100, 0), (70, 0), (69, 1), (0, 1), (130, 0)])
def test_an_audience_may_shrink_by_the_limit_and_no_more(eligible: int, stops: int) -> None:
    deltas = {Target("s1", "meta"): Delta(eligible=eligible, adds=0, removes=0, refreshes=0, present=100)}

    assert len(guards.audience_drop(deltas, limit=0.3, names={})) == stops
    assert guards.audience_drop(deltas, limit=None, names={}) == []


def test_an_audience_that_would_shrink_too_much_is_named_with_its_numbers() -> None:
    deltas = {Target("s1", "meta"): Delta(eligible=40, adds=0, removes=0, refreshes=0, present=1000)}

    [stop] = guards.audience_drop(deltas, limit=0.5, names={"s1": "Early birds"})

    assert stop.guard == "audience_drop"
    assert stop.detail == "Early birds (s1) on meta: 40 members instead of 1,000 (96.0% fewer, limit 50.0%)"


def test_a_first_sync_that_is_too_large_stops_for_the_destination_that_has_nobody_yet() -> None:
    def coming(adds: int, present: int) -> Delta:
        return Delta(eligible=adds, adds=adds, removes=0, refreshes=0, present=present)

    deltas = {
        Target("s1", "meta"): coming(600, 0),
        Target("s2", "meta"): coming(500, 0),
        Target("s1", "google"): coming(600, 0),
        Target("s2", "google"): coming(500, 3),
    }

    [stop] = guards.first_size(deltas, limit=1000)

    assert (stop.guard, stop.detail) == (
        "first_size",
        "meta: 1,100 members would be sent at first, limit 1,000",
    )
    assert guards.first_size(deltas, limit=1100) == []
    assert guards.first_size(deltas, limit=None) == []


def test_a_new_audience_has_nobody_to_lose() -> None:
    deltas = {Target("s1", "meta"): delta(removes=0, present=0)}

    assert guards.removed_share(deltas, limit=0.0, names={}) == []
