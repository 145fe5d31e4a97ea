from datetime import timedelta

import pytest
from clustering_shop import SPECS, START, version, week

from clustering import ClusteringPolicy, due, fit

FOUR_WEEKS = timedelta(weeks=4)
DRIFTS = ("value_sum PSI 0.41 (limit 0.25)", "inertia 1.2 times as at the fit (limit 1.1)")


@pytest.fixture(scope="module")
def model():
    fitted = fit(
        week(0),
        SPECS,
        ClusteringPolicy(k=5, minimum_size=30),
        total=600,
        previous=None,
        previous_labels=None,
        next_segment_number=1,
    )
    return version(fitted, 0)


@pytest.mark.parametrize(
    ("weeks", "force", "drifts", "reason"),
    [
        (1, False, (), None),
        (1, False, DRIFTS, "drifted: value_sum PSI 0.41 (limit 0.25)"),
        (4, False, DRIFTS, "due"),
        (1, True, (), "forced"),
    ],
)
def test_a_refit_has_a_reason(model, weeks, force, drifts, reason) -> None:
    as_of = START + timedelta(weeks=weeks)

    assert due(model, as_of=as_of, refit_every=FOUR_WEEKS, force=force, drifts=drifts) == reason


def test_the_first_fit_is_always_wanted() -> None:
    assert due(None, as_of=START, refit_every=FOUR_WEEKS, force=False) == "first"
