"""Gaussian mixtures: densities that lean or not, assigned by density, chosen by BIC."""

import numpy as np
import pytest
from clustering_shop import SPECS, assign, version, week
from sklearn.mixture import GaussianMixture

from clustering import ClusteringPolicy, fit
from clustering.choosing import Remembered, best, choose
from clustering.mixtures import Mixture, density_places, tried
from clustering.policy import ClusteringPolicy as Policy
from clustering.scoring import KScore, score_mixtures

MIXTURE = ClusteringPolicy(algorithm="gaussian_mixture", k=5, minimum_size=30)


def leaning(seed=0):
    """Two long groups side by side: their nearest means tell them badly apart."""
    rng = np.random.default_rng(seed)
    along = rng.normal(0, 3, 600)
    beside = np.repeat([0.0, 1.5], 300) + rng.normal(0, 0.2, 600)
    return np.stack([along + beside, along - beside], axis=1), np.repeat([0, 1], 300)


def test_customers_go_by_density_not_by_the_nearest_mean() -> None:
    points, truth = leaning()

    found = Mixture().cold(points, 2, seed=0)

    agree = (found.labels == truth).mean()
    assert max(agree, 1 - agree) > 0.99
    assert found.places.soft


@pytest.mark.parametrize("covariance", ["diag", "full"])
def test_distances_are_twice_the_negative_log_density_but_for_a_constant(covariance) -> None:
    points, _ = leaning()
    model = GaussianMixture(3, covariance_type=covariance, random_state=1).fit(points)

    squared = density_places(model).squared(points)

    likelihoods = np.exp(-(squared - squared.min(axis=1, keepdims=True)) / 2)
    shares = likelihoods / likelihoods.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, model.predict_proba(points), atol=1e-9)
    assert squared.min() >= 0


def test_groups_that_lean_get_full_covariances_and_round_ones_diagonal() -> None:
    rng = np.random.default_rng(0)
    round_ones = np.vstack([rng.normal(center, 1, (200, 3)) for center in (0, 6)])

    assert tried(leaning()[0], 2, seed=0).covariance == "full"
    assert tried(round_ones, 2, seed=0).covariance == "diag"


def test_a_refit_goes_on_from_the_known_densities() -> None:
    first = fit(
        week(0), SPECS, MIXTURE, total=600, previous=None, previous_labels=None, next_segment_number=1
    )
    labels = assign(week(0), first)

    again = fit(
        week(1),
        SPECS,
        MIXTURE,
        total=600,
        previous=version(first, algorithm="gaussian_mixture"),
        previous_labels=labels,
        next_segment_number=first.next_segment_number,
    )

    assert again.quality["way"] == "warm"
    assert again.lineage == ()
    assert (assign(week(1), again, labels) != labels).mean() < 0.15


def test_warm_densities_keep_the_form_they_have() -> None:
    points, _ = leaning()
    first = Mixture().cold(points, 2, seed=0)

    again = Mixture().warm(points, first.places, seed=0)

    assert again is not None
    np.testing.assert_allclose(again.centroids, first.centroids, atol=0.05)
    assert all(len(part.axes) == 2 for part in again.places.parts)


def test_the_number_of_densities_is_chosen_by_bic_among_those_that_last() -> None:
    rng = np.random.default_rng(0)
    points = np.vstack([rng.normal(center, 0.5, (100, 2)) for center in ((0, 0), (8, 0), (0, 8), (8, 8))])
    policy = Policy(algorithm="gaussian_mixture", k_min=2, k_max=6, minimum_size=1)

    choice = choose(points, policy, most=99, remembered=None)

    assert choice.k == 4
    assert "Bayesian" in choice.reason
    assert not choose(points, policy, most=99, remembered=Remembered(4, None)).changed
    assert [each.k for each in score_mixtures(points, range(2, 7), seed=0)] == [2, 3, 4, 5, 6]


def test_a_criterion_that_does_not_last_is_vetoed() -> None:
    lasting, better = KScore(4, 1, 0.1, 0.9, 0, 5.0), KScore(5, 1, 0.1, 0.4, 0, 1.0)

    assert best([lasting, better]).k == 4
