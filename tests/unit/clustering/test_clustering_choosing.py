import numpy as np
import pytest
from clustering_shop import SPECS, week
from sklearn.metrics import silhouette_score

from clustering.choosing import Remembered, best, choose
from clustering.contest import contend
from clustering.measuring import silhouettes, subset
from clustering.merging import floor_of
from clustering.models import Lloyd
from clustering.places import Places
from clustering.policy import ClusteringPolicy
from clustering.preparing import learn, prepare
from clustering.scoring import KScore, distinct

AUTO = ClusteringPolicy(minimum_size=1)


@pytest.fixture(scope="module")
def points():
    sample = week(0)
    return prepare(sample, learn(sample, SPECS).features)


def score(k, silhouette=0.1, stability=0.9, elbow=0.1) -> KScore:
    return KScore(k, 1.0, silhouette, stability, elbow)


def test_elbow_and_silhouette_count_together() -> None:
    scores = [score(4, silhouette=0.3, elbow=0.0), score(5, silhouette=0.2, elbow=0.3), score(6, elbow=0.2)]

    assert best(scores).k == 5


def test_what_does_not_survive_resampling_is_vetoed() -> None:
    assert best([score(4), score(5, silhouette=0.5, elbow=0.5, stability=0.69)]).k == 4


def test_the_most_stable_is_taken_when_all_are_vetoed() -> None:
    assert best([score(4, stability=0.3), score(5, stability=0.6), score(6, stability=0.6)]).k == 5


def test_k_stays_unless_another_is_clearly_better(points) -> None:
    free = choose(points, AUTO, most=99, remembered=None)
    near = free.k + 1

    kept = choose(points, AUTO, most=99, remembered=Remembered(free.k, None))

    assert (kept.k, kept.changed) == (free.k, False)
    widths = {each.k: each.silhouette for each in free.scores}
    other = choose(points, AUTO, most=99, remembered=Remembered(near, None))
    assert other.changed is (widths[free.k] - widths[near] > 0.02)


def test_k_set_by_hand_ends_stickiness_once(points) -> None:
    policy = ClusteringPolicy(k=7)

    assert choose(points, policy, most=99, remembered=Remembered(5, None)).changed
    assert not choose(points, policy, most=99, remembered=Remembered(7, 7)).changed


def test_k_is_never_more_than_the_floor_allows(points) -> None:
    assert choose(points, AUTO, most=2, remembered=None).k == 2
    by_hand = choose(points, ClusteringPolicy(k=7), most=3, remembered=None)
    assert (by_hand.k, by_hand.reason) == (3, "7 set by hand, 3 possible")


def test_a_floor_that_rose_keeps_k_and_leaves_the_rest_to_merging(points) -> None:
    choice = choose(points, AUTO, most=3, remembered=Remembered(6, None))

    assert (choice.k, choice.possible, choice.changed) == (6, 3, False)


def test_silhouettes_are_scikit_learns(points) -> None:
    labelings = [Lloyd().cold(points, k, seed=0).labels for k in (2, 5)]

    assert silhouettes(points, labelings) == pytest.approx(
        [silhouette_score(points, labels) for labels in labelings]
    )


def test_one_cluster_has_no_silhouette(points) -> None:
    assert silhouettes(points, [np.zeros(len(points), dtype=np.intp)]) == [0.0]


def test_a_subset_is_always_the_same_one(points) -> None:
    assert (subset(points, 50, seed=3) == subset(points, 50, seed=3)).all()
    assert len(subset(points, 10_000, seed=0)) == len(points)


def test_different_points_are_counted() -> None:
    assert distinct(np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 1.0]])) == 2


def test_a_challenger_must_win_twice_running(points) -> None:
    policy = ClusteringPolicy(k=5, minimum_size=1)
    floor = floor_of(policy, sampled=len(points), total=len(points))
    choice = choose(points, policy, most=99, remembered=Remembered(5, 5))
    # Five starts on one spot find a poor optimum that k-means cannot leave.
    poor = points[:1] + np.linspace(0, 1e-3, 5)[:, None]
    stuck = Lloyd().warm(points, Places(poor), seed=0)
    assert stuck.inertia > 1.03 * Lloyd().cold(points, 5, seed=0).inertia

    once = contend(points, choice, policy=policy, floor=floor, start=stuck.places, wins=0)
    twice = contend(points, choice, policy=policy, floor=floor, start=once.fit.places, wins=once.wins)

    assert (once.way, once.wins) == ("warm", 1)
    assert once.ratio > 1.03
    assert (twice.way, twice.wins) == ("renewed", 0)


def test_a_challenger_that_fails_once_starts_over(points) -> None:
    policy = ClusteringPolicy(k=5, minimum_size=1)
    floor = floor_of(policy, sampled=len(points), total=len(points))
    choice = choose(points, policy, most=99, remembered=Remembered(5, 5))
    good = Lloyd().cold(points, 5, seed=0).places

    assert contend(points, choice, policy=policy, floor=floor, start=good, wins=1).wins == 0
