"""Small tight groups that are kept apart, and only where the settings want it."""

import numpy as np
import pandas as pd
import pytest
from clustering_shop import SPECS, assign, version, week

from clustering import ClusteringPolicy, fit

POLICY = ClusteringPolicy(k=5, minimum_size=100, micro_audiences=True, micro_size=20)
COUNT = 30


def with_odd_ones(number: int, *, count: int = COUNT) -> pd.DataFrame:
    """A week of the shop, and a few whose habits are like nobody else's."""
    rng = np.random.default_rng(5)
    odd = pd.DataFrame(
        np.array([60.0, 4.0, 300.0, 0.95, 0.95]) * np.exp(rng.normal(0, 0.03, (count, 5))),
        columns=[each.name for each in SPECS],
        index=pd.Index([f"odd{each}" for each in range(count)], name="customer_id"),
    )
    return pd.concat([week(number), odd])


def fitted_on(sample, policy=POLICY, before=None, labels=None):
    return fit(
        sample,
        SPECS,
        policy,
        total=len(sample),
        previous=None if before is None else version(before),
        previous_labels=labels,
        next_segment_number=1 if before is None else before.next_segment_number,
    )


@pytest.fixture(scope="module")
def found():
    return fitted_on(with_odd_ones(0))


def micro(fitted):
    return [segment for segment in fitted.segments if segment.kind == "micro"]


def test_a_far_off_group_is_an_audience_of_its_own_and_nobody_else_is_in_it(found) -> None:
    (apart,) = micro(found)

    labels = assign(with_odd_ones(0), found)
    inside = labels.index[labels == apart.id]
    assert len(inside) >= 0.9 * COUNT
    assert all(each.startswith("odd") for each in inside)


def test_it_is_not_held_although_it_is_below_the_minimum_of_segments(found) -> None:
    (apart,) = micro(found)

    assert not apart.held


def test_below_what_any_platform_serves_there_is_none() -> None:
    assert (
        micro(fitted_on(with_odd_ones(0), ClusteringPolicy(k=5, micro_audiences=True, micro_size=100)))
        == []
    )


def test_without_the_setting_there_is_none() -> None:
    assert micro(fitted_on(with_odd_ones(0), ClusteringPolicy(k=5, minimum_size=100))) == []


def test_it_keeps_its_id_and_its_people_at_the_next_refits(found) -> None:
    labels = assign(with_odd_ones(0), found)
    fitted = found
    for number in (1, 2):
        fitted = fitted_on(with_odd_ones(number), before=fitted, labels=labels)
        labels = assign(with_odd_ones(number), fitted, labels)

    assert [each.id for each in micro(fitted)] == [each.id for each in micro(found)]
    assert (labels[labels.index.str.startswith("odd")] == micro(found)[0].id).mean() >= 0.9
    assert fitted.quality["way"] == "warm"


def test_once_its_people_are_gone_it_is_gone(found) -> None:
    labels = assign(with_odd_ones(0), found)

    fitted = fitted_on(week(1), before=found, labels=labels)

    assert micro(fitted) == []
    assert micro(found)[0].id not in {segment.id for segment in fitted.segments}
    assert micro(found)[0].id in {event.segment_id for event in fitted.lineage}


def test_the_others_are_still_segments_above_their_floor(found) -> None:
    sizes = found.quality["sizes"]

    plain = [segment for segment in found.segments if segment.kind == "segment"]
    assert len(plain) >= 2
    assert min(sizes[segment.id] for segment in plain) >= 100
