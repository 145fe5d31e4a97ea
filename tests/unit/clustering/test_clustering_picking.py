"""`auto`: the algorithm that suits the data, and stays."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import make_moons
from test_clustering_density import customers, fresh

from clustering import picking
from clustering.measuring import nearest
from clustering.merging import floor_of
from clustering.policy import ClusteringPolicy
from clustering.separation import separation

POLICY = ClusteringPolicy(algorithm="auto", k_min=2, minimum_size=20)


def picked(points):
    floor = floor_of(POLICY, sampled=len(points), total=len(points))
    return picking.pick(points, POLICY, floor, current="")


@pytest.fixture(scope="module")
def moons():
    return make_moons(400, noise=0.05, random_state=0)[0] * 3


@pytest.fixture(scope="module")
def pick_of_moons(moons):
    return picked(moons)


def test_what_only_density_tells_apart_is_told_apart_by_density(pick_of_moons) -> None:
    assert pick_of_moons.algorithm == "hdbscan"
    assert "2 segments come back from half the customers" in pick_of_moons.reason
    assert {trial.algorithm for trial in pick_of_moons.trials} == set(picking.CANDIDATES)
    scores = {trial.algorithm: trial.score for trial in pick_of_moons.trials}
    assert scores["hdbscan"] == max(scores.values())


def test_the_algorithm_in_use_goes_only_when_it_is_clearly_beaten() -> None:
    def trial(algorithm: str, silhouette: float) -> picking.Trial:
        return picking.Trial(algorithm, 5, 1.0, silhouette, -0.1, 0.0, 1.0)

    close, far = [trial("kmeans", 0.4), trial("ward", 0.45)], [trial("kmeans", 0.3), trial("ward", 0.45)]

    assert picking.decided(close, "kmeans").algorithm == "kmeans"
    assert picking.decided(close, "kmeans").reason.startswith("kept; no other is clearly better")
    assert picking.decided(close, "").algorithm == "ward"
    assert picking.decided(far, "kmeans").algorithm == "ward"


def test_a_fit_says_what_it_picked_and_why(moons) -> None:
    fitted = fresh(moons, algorithm="auto")

    assert fitted.algorithm == fitted.quality["algorithm"] == "hdbscan"
    assert fitted.quality["algorithm_asked"] == "auto"
    assert [each["algorithm"] for each in fitted.quality["algorithm_scores"]] == list(picking.CANDIDATES)
    assert len(fitted.segments) == 2
    assert len(customers(moons)) == sum(fitted.quality["sizes"].values())


def test_noise_and_segments_below_the_floor_count_against_an_algorithm() -> None:
    good = picking.Trial("hdbscan", 3, 0.9, 0.5, 0.2, 0.0, 1.0)

    assert replace(good, noise=0.4).score < good.score
    assert replace(good, above_floor=0.5).score < good.score
    assert replace(good, segments=1).score == 0


def test_separation_is_positive_where_there_are_gaps() -> None:
    rng = np.random.default_rng(0)
    apart = np.vstack([rng.normal(center, 0.2, (60, 2)) for center in (0, 5)])
    together = rng.normal(0, 1, (120, 2))

    assert separation(apart, np.repeat([0, 1], 60)) > 0.3
    assert separation(together, nearest(together, np.array([[-1.0, 0], [1, 0]]))) < 0
    assert separation(together, np.zeros(120, dtype=np.intp)) == -1
