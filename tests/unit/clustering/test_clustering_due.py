from datetime import timedelta

import pandas as pd
import pytest
from clustering_shop import SPECS, START, version, week

from clustering import BEYOND_COMPARE, DRIFT_LIMIT, ClusteringPolicy, drift, due, fit

FOUR_WEEKS = timedelta(weeks=4)


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
    ("weeks", "force", "far", "reason"),
    [
        (1, False, None, None),
        (1, False, DRIFT_LIMIT, None),
        (1, False, 1.2, "drifted"),
        (4, False, 1.2, "due"),
        (1, True, None, "forced"),
    ],
)
def test_a_refit_has_a_reason(model, weeks, force, far, reason) -> None:
    as_of = START + timedelta(weeks=weeks)

    assert due(model, as_of=as_of, refit_every=FOUR_WEEKS, force=force, drift=far) == reason


def test_the_first_fit_is_always_wanted() -> None:
    assert due(None, as_of=START, refit_every=FOUR_WEEKS, force=False, drift=None) == "first"


def test_the_fits_own_customers_have_not_drifted(model) -> None:
    assert drift(week(0), SPECS, model) == pytest.approx(1.0)


def test_other_habits_are_drift(model) -> None:
    assert drift(week(1), SPECS, model) < DRIFT_LIMIT
    assert drift(week(0) * 3, SPECS, model) > 2


def test_other_features_are_beyond_comparison(model) -> None:
    assert drift(week(0), SPECS[:3], model) == BEYOND_COMPARE


def test_nobody_has_not_drifted(model) -> None:
    assert drift(week(0).iloc[:0], SPECS, model) == 1.0


def test_a_perfect_fit_drifts_beyond_compare() -> None:
    same = pd.DataFrame({"value_sum": [5.0] * 40}, index=[f"c{each}" for each in range(40)])
    fitted = fit(
        same,
        SPECS[1:2],
        ClusteringPolicy(minimum_size=1),
        total=40,
        previous=None,
        previous_labels=None,
        next_segment_number=1,
    )

    assert drift(same, SPECS[1:2], version(fitted)) == 1.0
    assert drift(same * 9, SPECS[1:2], version(fitted)) == BEYOND_COMPARE
