import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from clustering_shop import SPECS, assign, version, week

from clustering import ALGORITHMS, ClusteringPolicy, Fitted, fit, fit_naive

POLICY = ClusteringPolicy(k=5, minimum_size=30)
EVERY = (*sorted(ALGORITHMS), "auto")


def refit(sample, policy, before: Fitted | None, labels, **more) -> Fitted:
    return fit(
        sample,
        SPECS,
        policy,
        total=len(sample),
        previous=None if before is None else version(before),
        previous_labels=labels,
        next_segment_number=1 if before is None else before.next_segment_number,
        **more,
    )


def moved(one: pd.Series, other: pd.Series) -> float:
    return float((one != other).mean())


def test_weekly_refits_move_few_customers_where_raw_numbers_move_most() -> None:
    fitted, labels, naive = None, None, None
    ours, theirs = [], []
    for number in range(10):
        sample = week(number)
        fitted = refit(sample, POLICY, fitted, labels)
        now = assign(sample, fitted, labels)
        raw = pd.Series(fit_naive(sample, SPECS, 5, seed=number), index=sample.index)
        if labels is not None:
            ours.append(moved(labels, now))
            theirs.append(moved(naive, raw))
        labels, naive = now, raw

    assert np.mean(ours) < 0.05
    assert np.mean(theirs) > 0.5


def test_names_and_ids_stay_through_drift() -> None:
    first = refit(week(0), POLICY, None, None)
    fitted, labels = first, assign(week(0), first)
    for number in range(1, 8):
        fitted = refit(week(number), POLICY, fitted, labels)
        labels = assign(week(number), fitted, labels)

    assert [(each.id, each.name) for each in fitted.segments] == [
        (each.id, each.name) for each in first.segments
    ]
    assert fitted.lineage == ()
    assert fitted.next_segment_number == 6


def test_a_model_that_went_through_json_goes_on_as_before() -> None:
    first = refit(week(0), POLICY, None, None)
    stored = version(first)
    stored.quality.update(json.loads(json.dumps(first.quality, allow_nan=False)))

    again = refit(week(1), POLICY, first, None)

    assert again.quality["way"] == "warm"
    assert again.lineage == ()


@pytest.mark.parametrize("algorithm", EVERY)
def test_the_order_of_rows_changes_nothing(algorithm) -> None:
    sample, policy = week(0, customers=300), replace(POLICY, algorithm=algorithm)

    assert refit(sample, policy, None, None) == refit(
        sample.sample(frac=1, random_state=3), policy, None, None
    )


@pytest.mark.parametrize("algorithm", EVERY)
def test_a_forced_refit_on_the_same_customers_moves_nobody(algorithm) -> None:
    sample = week(0, customers=300)
    policy = replace(POLICY, algorithm=algorithm, noise="leftovers", micro_audiences=True, micro_size=10)
    first = refit(sample, policy, None, None)
    labels = assign(sample, first)

    again = refit(sample, policy, first, labels)

    assert [(each.id, each.name) for each in again.segments] == [
        (each.id, each.name) for each in first.segments
    ]
    assert again.lineage == ()
    assert moved(labels, assign(sample, again, labels)) == 0


@pytest.mark.parametrize("algorithm", EVERY)
def test_ids_survive_weeks_of_drift(algorithm) -> None:
    policy = replace(POLICY, algorithm=algorithm)
    first = refit(week(0, customers=300), policy, None, None)
    fitted, labels, shares = first, assign(week(0, customers=300), first), []
    for number in range(1, 4):
        fitted = refit(week(number, customers=300), policy, fitted, labels)
        now = assign(week(number, customers=300), fitted, labels)
        shares.append(moved(labels, now))
        labels = now

    old, new = ({each.id for each in one.segments} for one in (first, fitted))
    assert len(old & new) >= len(old) - 1
    assert np.mean(shares) < 0.15


def test_new_segments_are_numbered_by_size() -> None:
    fitted = refit(week(0, kinds=(0, 0, 0, 1, 2, 2)), ClusteringPolicy(k=3, minimum_size=30), None, None)

    sizes = fitted.quality["sizes"]
    assert list(sizes) == ["s1", "s2", "s3"]
    assert sizes["s1"] > sizes["s2"] > sizes["s3"]


def test_a_new_kind_of_customer_is_born_and_never_takes_an_old_id() -> None:
    old = refit(week(0, kinds=(0, 1, 2)), ClusteringPolicy(k=3, minimum_size=30), None, None)
    labels = assign(week(0, kinds=(0, 1, 2)), old)
    new = week(1, seed=2, kinds=(3,), customers=200)
    new.index = "n" + new.index
    both = pd.concat([week(1, kinds=(0, 1, 2)), new])

    fitted = refit(both, ClusteringPolicy(k=4, minimum_size=30), old, labels)

    assert [(event.kind, event.segment_id) for event in fitted.lineage] == [("born", "s4")]
    assert fitted.next_segment_number == 5


def test_a_kind_that_falls_below_the_floor_merges_and_its_id_is_gone() -> None:
    old = refit(week(0), POLICY, None, None)
    labels = assign(week(0), old)
    gone = labels[labels == "s5"].index[5:]
    sample = week(1).drop(gone)

    fitted = refit(sample, POLICY, old, labels)

    assert {event.segment_id for event in fitted.lineage} == {"s5"}
    assert {event.kind for event in fitted.lineage} <= {"merged", "died"}
    assert fitted.next_segment_number == 6


def test_a_new_feature_means_a_cold_fit_whose_segments_keep_their_ids() -> None:
    sample = week(0)
    old = fit(
        sample,
        SPECS[:4],
        POLICY,
        total=len(sample),
        previous=None,
        previous_labels=None,
        next_segment_number=1,
    )

    fitted = refit(week(1), POLICY, old, assign(sample, old))

    assert fitted.quality["way"] == "cold"
    assert len({each.id for each in fitted.segments} & {each.id for each in old.segments}) >= 4


def test_without_labels_the_previous_model_says_where_customers_were() -> None:
    old = refit(week(0), POLICY, None, None)
    strangers = pd.Series("s1", index=[f"x{each}" for each in range(10)])

    assert refit(week(1), POLICY, old, strangers).lineage == ()


def test_a_caller_who_forgot_the_number_still_gets_no_used_id() -> None:
    old = refit(week(0, kinds=(0, 1, 2)), ClusteringPolicy(k=3, minimum_size=30), None, None)

    fitted = fit(
        week(0),
        SPECS,
        ClusteringPolicy(k=5, minimum_size=30),
        total=600,
        previous=version(old),
        previous_labels=None,
        next_segment_number=1,
    )

    ids = [each.id for each in fitted.segments]
    assert len(set(ids)) == len(ids) == 5
