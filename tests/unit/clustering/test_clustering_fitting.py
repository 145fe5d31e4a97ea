import json

import numpy as np
import pandas as pd
import pytest
from clustering_shop import SPECS, assign, spec, version, week

from clustering import ALGORITHMS, ClusteringPolicy, Fitted, fit, fit_naive
from cohortd.core.errors import SettingsError, SourceError

SMALL = ClusteringPolicy(minimum_size=30)


def fresh(sample: pd.DataFrame, policy: ClusteringPolicy = SMALL, *, specs=SPECS, total: int = 0) -> Fitted:
    return fit(
        sample,
        specs,
        policy,
        total=total or len(sample),
        previous=None,
        previous_labels=None,
        next_segment_number=1,
    )


def test_quality_is_json_and_says_how_k_was_chosen() -> None:
    quality = fresh(week(0)).quality

    json.dumps(quality, allow_nan=False)
    assert quality["customers"] == quality["sample"] == 600
    assert quality["k"] == len(quality["sizes"]) == quality["k_chosen"]
    assert [each["k"] for each in quality["k_scores"]] == list(range(4, 13))
    assert set(quality["k_scores"][0]) == {"k", "inertia", "silhouette", "stability", "elbow", "bic"}
    assert {"k_reason", "inertia", "inertia_ratio", "challenger_wins", "silhouette"} <= set(quality)


def test_kinds_planted_are_kinds_found() -> None:
    fitted = fresh(week(0))

    assert fitted.quality["k"] == 5
    assert sum(fitted.quality["sizes"].values()) == 600


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_every_algorithm_comes_down_to_centroids_and_goes_on(algorithm) -> None:
    policy = ClusteringPolicy(algorithm=algorithm, k=5, minimum_size=30)
    first = fresh(week(0), policy)

    again = fit(
        week(1),
        SPECS,
        policy,
        total=600,
        previous=version(first, algorithm=algorithm),
        previous_labels=assign(week(0), first),
        next_segment_number=first.next_segment_number,
    )

    counts = ALGORITHMS[algorithm].counts
    assert len(first.segments) >= 2 if counts else len(first.segments) == 5
    assert {each.id for each in again.segments} & {each.id for each in first.segments}
    assert again.lineage == ()
    assert again.quality["way"] == "warm"


def test_fewer_customers_than_the_minimum_are_one_held_segment() -> None:
    fitted = fresh(week(0, customers=40), ClusteringPolicy(minimum_size=1000))

    (only,) = fitted.segments
    assert only.held == "too small: 40 customers, the minimum is 1,000"
    assert [(event.kind, event.segment_id) for event in fitted.lineage] == [("born", "s1"), ("held", "s1")]


def test_one_customer_is_one_segment() -> None:
    assert len(fresh(week(0, customers=1)).segments) == 1


def test_nobody_is_no_segment_but_an_error() -> None:
    with pytest.raises(SourceError, match="no customer"):
        fresh(week(0).iloc[:0])


def test_no_feature_is_an_error() -> None:
    with pytest.raises(SettingsError, match="no feature"):
        fresh(week(0), specs=())


def test_features_that_tell_nobody_apart_are_left_out_and_said() -> None:
    sample = week(0).assign(order_count=3.0, recency_days=np.nan)

    fitted = fresh(sample)

    assert fitted.quality["dropped"] == {
        "order_count": "the same for everybody",
        "recency_days": "absent for everybody",
    }
    assert [each.name for each in fitted.centroid_model.features] == [
        "value_sum",
        "weekend_share",
        "discount_share",
    ]


def test_nothing_known_of_anybody_is_one_segment_the_engine_can_still_compute() -> None:
    fitted = fresh(week(0) * np.nan)

    assert len(fitted.segments) == 1
    assert fitted.segments[0].name == "Typical customers"
    assert [each.scale for each in fitted.centroid_model.features] == [1.0]


def test_one_feature_is_enough() -> None:
    fitted = fresh(week(0), specs=SPECS[:1])

    assert len(fitted.segments) >= 4
    assert len({each.name for each in fitted.segments}) == len(fitted.segments)


def test_more_clusters_than_different_customers_are_not_made() -> None:
    sample = pd.concat([week(0).iloc[:3]] * 100)
    sample.index = pd.Index([f"c{number}" for number in range(300)])

    for algorithm in ALGORITHMS:
        assert len(fresh(sample, ClusteringPolicy(algorithm, k=8, minimum_size=1)).segments) == 3
    assert len(fresh(sample, ClusteringPolicy(minimum_size=1)).segments) == 3
    assert len(set(fit_naive(sample, SPECS, 8, seed=0))) == 3


def test_a_customer_listed_twice_counts_once() -> None:
    sample = week(0)

    assert fresh(pd.concat([sample, sample.iloc[:50]]), total=600) == fresh(sample)


def test_absurd_and_infinite_values_do_not_take_a_segment() -> None:
    sample = week(0)
    sample.iloc[0, 1] = 1e15
    sample.iloc[1, 3] = -1e9
    sample.iloc[2, 2] = np.inf

    fitted = fresh(sample, ClusteringPolicy(k=5, minimum_size=1))

    assert min(fitted.quality["sizes"].values()) > 50


def test_the_floor_counts_customers_not_the_sample() -> None:
    policy = ClusteringPolicy(minimum_size=3_000, minimum_share=0.0)

    fitted = fresh(week(0), policy, total=20_000)

    assert fitted.quality["k"] > 1
    assert sum(fitted.quality["sizes"].values()) == pytest.approx(20_000, abs=2)
    assert min(fitted.quality["sizes"].values()) >= 3_000


def test_segments_below_the_floor_merge_until_none_is() -> None:
    fitted = fresh(week(0), ClusteringPolicy(k=12, minimum_size=45))

    assert 1 < len(fitted.segments) < 12
    assert min(fitted.quality["sizes"].values()) >= 45
    assert not any(each.held for each in fitted.segments)


@pytest.mark.parametrize(("below", "says"), [("hold", "too small: "), ("exclude", "for exclusion only: ")])
def test_segments_below_the_floor_stay_and_say_why_where_the_settings_want_it(below, says) -> None:
    fitted = fresh(week(0), ClusteringPolicy(k=12, minimum_size=45, below_minimum=below))

    held = [each for each in fitted.segments if each.held]
    assert len(fitted.segments) == 12
    assert {each.id for each in held} == {
        each for each, size in fitted.quality["sizes"].items() if size < 45
    }
    assert all(each.held.startswith(says) for each in held)


def test_the_yardstick_labels_rows_in_their_own_order() -> None:
    sample = week(0)
    labels = fit_naive(sample, SPECS, 5, seed=0)

    assert len(labels) == 600
    assert (fit_naive(sample, SPECS, 5, seed=0) == labels).all()
    assert len(fit_naive(sample.iloc[:0], SPECS, 5, seed=0)) == 0


def test_an_unknown_algorithm_is_refused_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match="did you mean kmeans"):
        ClusteringPolicy(algorithm="k-means")


@pytest.mark.parametrize(
    "wrong",
    [
        {"k": 0},
        {"k_min": 5, "k_max": 4},
        {"margin": 1.0},
        {"minimum_size": 0},
        {"minimum_share": 1.5},
        {"challenger_gain": -0.1},
        {"below_minimum": "drop"},
    ],
)
def test_settings_no_fit_could_honour_are_refused(wrong) -> None:
    with pytest.raises(SettingsError, match="segmentation: "):
        ClusteringPolicy(**wrong)


def test_prepared_values_are_what_the_model_says() -> None:
    sample = week(0)
    fitted = fresh(sample, ClusteringPolicy(k=5, minimum_size=1))

    labels = assign(sample, fitted)

    assert labels.value_counts().to_dict() == fitted.quality["sizes"]


def test_a_rare_feature_is_kept() -> None:
    sample = week(0).assign(coupon=0.0)
    sample.iloc[0, -1] = 5.0

    fitted = fresh(sample, specs=(*SPECS, spec("coupon")))

    assert "coupon" in [each.name for each in fitted.centroid_model.features]
