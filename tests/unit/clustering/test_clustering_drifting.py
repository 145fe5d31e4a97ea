import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from clustering_shop import SPECS, spec, version, week

from clustering import BEYOND_COMPARE, ClusteringPolicy, DriftLimits, fit, read_drift
from clustering.populations import noise_of, of_json, populations_of, psi_of, to_json
from clustering.preparing import learn

LIMITS = DriftLimits()


def model_of(sample: pd.DataFrame, specs=SPECS, **policy: object):
    fitted = fit(
        sample,
        specs,
        ClusteringPolicy(**{"k": 5, "minimum_size": 30, **policy}),
        total=len(sample),
        previous=None,
        previous_labels=None,
        next_segment_number=1,
    )
    made = version(fitted, 0)
    return replace(made, quality=json.loads(json.dumps(made.quality)))


@pytest.fixture(scope="module")
def model():
    return model_of(week(0))


def test_the_fits_own_customers_have_not_drifted(model) -> None:
    reading = read_drift(week(0), SPECS, model)

    assert reading.inertia_ratio == pytest.approx(1.0)
    assert set(reading.psi.values()) == {0.0}
    assert reading.silhouette == pytest.approx(reading.silhouette_at_fit)
    assert reading.drifts(LIMITS) == ()


def test_a_usual_week_is_no_drift(model) -> None:
    assert read_drift(week(1), SPECS, model).drifts(LIMITS) == ()


def test_a_feature_that_moved_is_named_with_its_index(model) -> None:
    moved = week(0).assign(value_sum=lambda sample: sample["value_sum"] * 3)
    reading = read_drift(moved, SPECS, model)

    assert next(iter(reading.psi)) == "value_sum"
    assert reading.drifts(LIMITS)[0].startswith("value_sum PSI ")
    assert "(limit 0.25)" in reading.drifts(LIMITS)[0]
    assert not [told for told in reading.drifts(LIMITS)[1:] if "PSI" in told]


def test_other_habits_are_drift_by_distance(model) -> None:
    reading = read_drift(week(0) * 3, SPECS, model)

    assert reading.inertia_ratio > 2
    assert any(told.startswith("inertia ") for told in reading.drifts(LIMITS))


def test_the_calendar_is_no_drift() -> None:
    sample = week(0).assign(season_sin=np.linspace(-1, 1, 600))
    specs = (*SPECS, spec("season_sin"))
    later = sample.assign(season_sin=sample["season_sin"] + 0.5)

    assert "season_sin" not in read_drift(later, specs, model_of(sample, specs)).psi


def test_segments_that_blur_are_drift(model) -> None:
    reading = replace(read_drift(week(0), SPECS, model), silhouette=0.0)

    assert reading.drifts(LIMITS)[0].startswith("silhouette 0.00 instead of 0.")
    assert reading.drifts(replace(LIMITS, silhouette_drop=None)) == ()


def test_other_features_are_beyond_comparison(model) -> None:
    reading = read_drift(week(0), SPECS[:3], model)

    assert reading.inertia_ratio == BEYOND_COMPARE
    assert reading.drifts(LIMITS) == ("the settings ask for other features than the model reads",)


def test_nobody_has_not_drifted(model) -> None:
    assert read_drift(week(0).iloc[:0], SPECS, model).drifts(LIMITS) == ()


def test_a_perfect_fit_drifts_beyond_compare() -> None:
    same = pd.DataFrame({"value_sum": [5.0] * 40}, index=[f"c{each}" for each in range(40)])
    model = model_of(same, SPECS[1:2], k=None, minimum_size=1)

    assert read_drift(same, SPECS[1:2], model).drifts(LIMITS) == ()
    assert read_drift(same * 9, SPECS[1:2], model).inertia_ratio == BEYOND_COMPARE


def test_a_model_from_before_populations_were_kept_is_judged_by_distance_alone(model) -> None:
    old = replace(model, quality={k: v for k, v in model.quality.items() if k != "populations"})

    assert read_drift(week(0) * 3, SPECS, old).psi == {}
    assert read_drift(week(0) * 3, SPECS, old).inertia_ratio > 2


@pytest.mark.parametrize("customers", [40, 150, 1000])
def test_chance_alone_does_not_pass_for_drift(customers: int) -> None:
    limit = LIMITS.psi or 0.0
    for seed in range(5):
        then, now = week(0, customers=customers, seed=seed), week(0, customers=customers, seed=seed + 50)
        features = learn(then, SPECS).features
        populations = populations_of(then, features)
        for feature in features:
            before = populations[feature.name]

            assert psi_of(now, feature, before) < limit + noise_of(before, customers)


def test_a_population_survives_json_and_equal_deciles_are_one() -> None:
    values = pd.DataFrame({"coupons": np.repeat([0.0, 1.0, 5.0], [850, 100, 50])})
    features = learn(values, [spec("coupons")]).features
    kept = of_json(json.loads(json.dumps(to_json(populations_of(values, features)))))["coupons"]

    assert (kept.cuts, kept.counts, kept.customers) == ((0.0, 1.0), (850, 100, 50), 1000)
    assert psi_of(values, features[0], kept) == 0.0


def test_that_everybody_grows_older_is_no_drift_but_new_customers_are() -> None:
    days = pd.DataFrame({"tenure_days": np.linspace(50, 90, 400)})
    feature = learn(days, [spec("tenure_days")]).features[0]
    then = populations_of(days, [feature])["tenure_days"]
    younger = days.assign(tenure_days=np.where(days.index % 2, 3.0, days["tenure_days"]))

    assert psi_of(days + 7, feature, then) > 0.5
    assert psi_of(days + 7, feature, then, ages=True) == 0.0
    assert psi_of(younger + 7, feature, then, ages=True) > 1


def test_a_day_more_or_less_since_everybody_was_here_is_no_drift() -> None:
    seen = pd.DataFrame({"recency_days": np.repeat([1.0, 2.0, 3.0, 7.0, 30.0], 100)})
    feature = learn(seen, [spec("recency_days")]).features[0]
    then = populations_of(seen, [feature])["recency_days"]

    assert psi_of(seen + 1, feature, then) > 1
    assert psi_of(seen + 1, feature, then, slack=1.0) == 0.0
    assert psi_of(seen - 1, feature, then, slack=1.0) == 0.0
    assert psi_of(seen + 5, feature, then, slack=1.0) > 1
