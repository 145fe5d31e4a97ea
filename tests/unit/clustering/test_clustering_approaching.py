from dataclasses import replace

import numpy as np
import pytest
from clustering_shop import SPECS, week
from test_clustering_stability import assign, moved, refit

from clustering.approaching import NEW, approach
from clustering.choosing import Choice
from clustering.contest import contend
from clustering.merging import floor_of
from clustering.models import Lloyd
from clustering.places import Places
from clustering.policy import ClusteringPolicy

POLICY = ClusteringPolicy(k=5, minimum_size=1)
CORNERS = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0], [4.0, 30.0]])


@pytest.fixture(scope="module")
def points():
    chance = np.random.default_rng(4)
    return np.vstack([corner + chance.normal(0, 0.4, (60, 2)) for corner in CORNERS])


def rest(points):
    return lambda places: Lloyd().warm(points, places, seed=0)


@pytest.mark.parametrize(
    ("kept", "k"),
    [((0, 1, 2, 3), 5), ((0, 1, 2, 3, 3), 5), ((0, 1, 2, 3, 4, 4), 5)],
    ids=["one too few", "one on another's place", "one too many"],
)
def test_all_but_one_segment_stay_where_they_are(points, kept, k) -> None:
    cold = Lloyd().cold(points, 5, seed=0)
    start = CORNERS[list(kept)] + np.linspace(0, 0.1, len(kept))[:, None]
    near = Lloyd().warm(points, Places(start), seed=0)
    assert near.inertia != pytest.approx(cold.inertia)

    found = approach(points, near, cold, k=k, good_enough=1.01 * cold.inertia, rest=rest(points))

    assert found is not None
    assert found.inertia == pytest.approx(cold.inertia)
    stayed = found.origins[found.origins != NEW]
    assert len(set(stayed)) == len(stayed) >= 4


def test_what_cannot_be_approached_is_left_to_the_fresh_fit(points) -> None:
    cold = Lloyd().cold(points, 5, seed=0)

    assert approach(points, cold, cold, k=5, good_enough=0.0, rest=rest(points)) is None


def test_another_k_grows_out_of_the_known_segments(points) -> None:
    floor = floor_of(POLICY, sampled=len(points), total=len(points))
    four = Lloyd().cold(points, 4, seed=0)
    choice = Choice(5, 5, changed=True, reason="set by hand")

    outcome = contend(points, choice, policy=POLICY, floor=floor, start=four.places, wins=0)

    assert outcome.way == "renewed"
    assert sorted(outcome.origins) == [NEW, 0, 1, 2, 3]


def test_one_segment_more_moves_only_those_who_go_there() -> None:
    policy = ClusteringPolicy(k=4, minimum_size=30)
    four = refit(week(0), policy, None, None)
    before = assign(week(0), four)

    five = refit(week(0), replace(policy, k=5), four, before)
    now = assign(week(0), five, before)

    new = set(now.unique()) - set(before.unique())
    assert len(new) == 1
    assert set(now[now != before].unique()) == new
    assert moved(before, now) < 0.3


def test_a_better_fit_that_would_move_more_than_the_budget_is_left_out_and_told() -> None:
    names = [spec.name for spec in SPECS]
    policy = ClusteringPolicy(k=5, minimum_size=30)
    first = refit(week(0), policy, None, None)
    labels = assign(week(0), first)
    # Half of everybody behaves as somebody else did: the known segments are poor ones now.
    stuck = replace(first, quality={**first.quality, "challenger_wins": 1})
    sample = week(0)
    sample[names] = np.where(
        np.arange(len(sample))[:, None] % 2, sample[names].to_numpy()[::-1] * 3.0, sample[names]
    )

    generous = refit(sample, policy, stuck, labels)
    strict = refit(sample, replace(policy, churn_budget=0.0), stuck, labels)

    assert generous.quality["way"] in {"renewed", "challenger"}
    assert strict.quality["way"] == "warm"
    assert "churn_budget" in " ".join(strict.quality["warnings"])
