import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from clustering_shop import SPECS, spec, version, week

from clustering import ClusteringPolicy, Preparing, fit
from clustering.preparing import learn, outliers, prepare

ROBUST = Preparing(scaling="robust")


def with_twin(sample: pd.DataFrame, noise: float = 0.0) -> pd.DataFrame:
    """Points are a tenth of the money, more or less."""
    wobble = np.random.default_rng(0).normal(1, noise, len(sample)) if noise else 1.0
    return sample.assign(points=sample["value_sum"] / 10 * wobble)


TWINNED = (*SPECS, spec("points", heavy_tail=True))


def model_of(sample: pd.DataFrame, specs=TWINNED, previous=None, **preparing: object):
    fitted = fit(
        sample,
        specs,
        ClusteringPolicy(k=5, minimum_size=30, preparing=Preparing(**preparing)),
        total=len(sample),
        previous=previous,
        previous_labels=None,
        next_segment_number=1,
    )
    made = version(fitted, 0)
    return replace(made, quality=json.loads(json.dumps(made.quality)))


def read_by(model) -> list[str]:
    return [feature.name for feature in model.centroid_model.features]


def test_robust_scaling_is_not_moved_by_a_tenth_of_absurd_values() -> None:
    values = np.random.default_rng(1).normal(100, 10, 1000)
    broken = np.where(np.arange(1000) % 10 == 0, 1e6, values)
    [plain] = learn(pd.DataFrame({"x": values}), [spec("x")], ROBUST).features
    [robust] = learn(pd.DataFrame({"x": broken}), [spec("x")], ROBUST).features
    [standard] = learn(pd.DataFrame({"x": broken}), [spec("x")]).features

    assert (robust.center, robust.scale) == pytest.approx((plain.center, plain.scale), rel=0.2)
    assert plain.scale == pytest.approx(10, rel=0.1)
    assert standard.scale > 1000 * robust.scale


def test_where_most_customers_are_alike_robust_scaling_is_the_standard_one() -> None:
    rare = pd.DataFrame({"x": np.where(np.arange(1000) % 5 == 0, 3.0, 0.0)})

    assert learn(rare, [spec("x")], ROBUST).features == learn(rare, [spec("x")]).features


def test_outliers_are_cut_at_six_deviations_and_counted() -> None:
    values = np.append(np.random.default_rng(1).normal(0, 1, 999), 500.0)
    sample = pd.DataFrame({"x": values, "y": values[::-1] % 1})
    features = learn(sample, [spec("x"), spec("y")]).features

    assert prepare(sample, features).max() == 6.0
    assert outliers(sample, features) == {"x": 1}


def test_of_two_features_that_say_the_same_the_later_one_is_left_out() -> None:
    found = learn(with_twin(week(0)), TWINNED)

    assert [feature.name for feature in found.features] == [each.name for each in SPECS]
    assert found.dropped == {"points": "says the same as value_sum (correlation 1.00)"}
    assert found.twins == {"points": "value_sum"}


@pytest.mark.parametrize(("limit", "left_out"), [(1.0, set()), (0.995, set()), (0.95, {"points"})])
def test_the_limit_says_what_the_same_is(limit: float, left_out: set[str]) -> None:
    noisy = with_twin(week(0), noise=0.15)

    assert learn(noisy, TWINNED, Preparing(correlation_limit=limit)).dropped.keys() == left_out


def test_at_a_limit_of_one_not_even_a_copy_is_left_out() -> None:
    assert learn(with_twin(week(0)), TWINNED, Preparing(correlation_limit=1.0)).dropped == {}


def test_a_handful_of_customers_says_nothing_of_correlation() -> None:
    assert learn(with_twin(week(0, customers=20)), TWINNED).dropped == {}


def test_a_model_that_goes_on_keeps_its_features_though_they_come_to_say_the_same() -> None:
    other = with_twin(week(0)).assign(points=lambda s: s["discount_share"].to_numpy()[::-1])
    first = model_of(other)
    second = model_of(with_twin(week(1)), previous=first)

    assert "points" in read_by(first)
    assert read_by(second) == read_by(first)


def test_a_model_that_goes_on_does_not_take_in_what_it_left_out() -> None:
    first = model_of(with_twin(week(0)))
    apart = week(1).assign(points=lambda s: s["discount_share"].to_numpy()[::-1])
    second = model_of(apart, previous=first)
    otherwise = model_of(apart, previous=first, correlation_limit=0.9)

    assert "points" not in read_by(second)
    assert second.quality["twins"] == {"points": "value_sum"}
    assert "points" in read_by(otherwise)


def test_an_attribute_takes_logs_where_the_sample_is_skewed_and_the_model_keeps_to_it() -> None:
    numbers = np.random.default_rng(2).lognormal(3, 1, 400)
    attribute = replace(spec("points"), heavy_tail=None)
    skewed = pd.DataFrame({"points": numbers}, index=[f"c{n:03}" for n in range(400)])
    even = pd.DataFrame({"points": np.linspace(1, 9, 400)}, index=skewed.index)
    model = model_of(skewed, (attribute,))

    assert learn(skewed, [attribute]).features[0].log
    assert not learn(even, [attribute]).features[0].log
    assert not learn(skewed - 5, [attribute]).features[0].log
    assert learn(even, [attribute], previous=model).features[0].log


def test_the_quality_record_says_how_the_features_were_prepared() -> None:
    quality = model_of(with_twin(week(0)), scaling="robust").quality

    assert quality["scaling"] == "robust"
    assert quality["correlation_limit"] == 0.995
    assert set(quality["populations"]) == {each.name for each in SPECS}
