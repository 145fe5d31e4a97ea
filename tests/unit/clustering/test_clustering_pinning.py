"""Pinned segments stay where they are among the features."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from clustering_shop import SPECS, assign, version, week

from clustering import ClusteringPolicy, Fitted, fit
from clustering.places import places_of
from clustering.preparing import re_express

POLICY = ClusteringPolicy(k=5, minimum_size=60)


def fitted_on(
    sample: pd.DataFrame, policy: ClusteringPolicy = POLICY, before: Fitted | None = None, labels=None
) -> Fitted:
    return fit(
        sample,
        SPECS,
        policy,
        total=len(sample),
        previous=None if before is None else version(before, algorithm=policy.algorithm),
        previous_labels=labels,
        next_segment_number=1 if before is None else before.next_segment_number,
    )


def pinning(*ids: str, **changes) -> ClusteringPolicy:
    return ClusteringPolicy(**{"k": 5, "minimum_size": 60, "pinned": frozenset(ids), **changes})


def moved(before: Fitted, after: Fitted, segment: str) -> float:
    """How far a segment's centroid went, in units of the later model."""
    old, new = before.centroid_model, after.centroid_model
    places = re_express(places_of(old), old.features, new.features)
    was = places.centroids[old.segment_ids.index(segment)]
    return float(np.abs(was - new.centroids[new.segment_ids.index(segment)]).max())


@pytest.fixture(scope="module")
def first() -> Fitted:
    return fitted_on(week(0))


@pytest.mark.parametrize(
    "changes", [{}, {"k": 7, "minimum_size": 20}, {"k": 3}, {"algorithm": "ward"}, {"k": None}]
)
def test_a_pinned_segment_keeps_its_place_whatever_is_fitted_around_it(
    first: Fitted, changes: dict
) -> None:
    sample = week(3)
    fitted = fitted_on(sample, pinning("s2", **changes), before=first, labels=assign(week(0), first))

    assert moved(first, fitted, "s2") < 1e-9
    assert "s2" not in {event.segment_id for event in fitted.lineage}
    assert len(fitted.segments) == (changes.get("k", 5) or fitted.quality["k_chosen"])
    assert len(set(fitted.centroid_model.segment_ids)) == len(fitted.segments)


def test_refits_go_on_from_where_the_others_are(first: Fitted) -> None:
    fitted, labels = first, assign(week(0), first)
    for number in (1, 2):
        fitted = fitted_on(week(number), pinning("s2"), before=fitted, labels=labels)
        labels = assign(week(number), fitted, labels)

    assert fitted.quality["way"] == "warm"
    assert fitted.quality["k_chosen"] == 5
    assert [each.id for each in fitted.segments] == [each.id for each in first.segments]


def test_a_small_pinned_segment_is_held_where_others_merge(first: Fitted) -> None:
    labels = assign(week(0), first)
    some = labels[labels == "s2"].index
    sample = week(0).drop(some[10:])
    merged = fitted_on(sample, before=first, labels=labels)
    fitted = fitted_on(sample, pinning("s2"), before=first, labels=labels)
    (held,) = (segment for segment in fitted.segments if segment.id == "s2")

    assert "s2" not in merged.centroid_model.segment_ids
    assert held.held.startswith("too small: ")
    assert moved(first, fitted, "s2") < 1e-9


def test_a_pinned_segment_without_anybody_is_still_there(first: Fitted) -> None:
    labels = assign(week(0), first)
    sample = week(0).drop(labels[labels == "s2"].index)
    fitted = fitted_on(sample, pinning("s2"), before=first, labels=labels)

    assert fitted.quality["sizes"]["s2"] == 0
    assert moved(first, fitted, "s2") < 1e-9


def test_all_may_be_pinned(first: Fitted) -> None:
    ids = first.centroid_model.segment_ids
    fitted = fitted_on(week(3), pinning(*ids), before=first)

    assert fitted.centroid_model.segment_ids == ids
    assert max(moved(first, fitted, each) for each in ids) < 1e-9


def test_a_density_is_pinned_with_its_shape() -> None:
    policy = pinning("s2", algorithm="gaussian_mixture")
    before = fitted_on(week(0), ClusteringPolicy(k=5, minimum_size=60, algorithm="gaussian_mixture"))
    fitted = fitted_on(week(1), policy, before=before)
    sizes = [fitted_size.quality["sizes"]["s2"] for fitted_size in (before, fitted)]

    assert moved(before, fitted, "s2") < 1e-9
    assert fitted.centroid_model.soft
    assert sizes[1] == pytest.approx(sizes[0], rel=0.3)


def test_what_cannot_be_kept_is_told(first: Fitted) -> None:
    fitted = fitted_on(week(1), pinning("s2", algorithm="gaussian_mixture"), before=first)
    (told,) = fitted.quality["warnings"]

    assert told.startswith("segment s2 is pinned, but features or algorithm are others now")


def test_a_better_fit_that_moves_too_many_leaves_pinned_segments_in_place_too() -> None:
    before = fitted_on(week(0, kinds=(0, 1)))
    once_beaten = replace(before, quality={**before.quality, "challenger_wins": 1})
    fits = {
        budget: fitted_on(
            week(1), pinning("s2", challenger_gain=0.0, churn_budget=budget), before=once_beaten
        )
        for budget in (0.0, 1.0)
    }

    assert {budget: each.quality["way"] for budget, each in fits.items()} == {0.0: "warm", 1.0: "renewed"}
    assert [moved(before, each, "s2") < 1e-9 for each in fits.values()] == [True, True]
    assert [sum(each.quality["sizes"].values()) for each in fits.values()] == [600, 600]
