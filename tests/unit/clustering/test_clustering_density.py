"""Groups of any shape, who is in none of them, and who gets into which all the same."""

import numpy as np
import pandas as pd
import pytest
from clustering_shop import assign, spec, version
from sklearn.datasets import make_circles, make_moons
from sklearn.metrics import adjusted_rand_score

from clustering import ClusteringPolicy, fit
from clustering.density import knee, without_small

SPECS = (spec("x"), spec("y"))
FEW = {"minimum_size": 20, "minimum_share": 0.0, "k_min": 2}


def customers(points) -> pd.DataFrame:
    index = pd.Index([f"c{number:05d}" for number in range(len(points))], name="customer_id")
    return pd.DataFrame(points, columns=["x", "y"], index=index)


def fresh(points, *, previous=None, **policy):
    sample = customers(points)
    return fit(
        sample,
        SPECS,
        ClusteringPolicy(**FEW | policy),
        total=len(sample),
        previous=previous,
        previous_labels=None,
        next_segment_number=1 if previous is None else 99,
    )


def islands(seed=0, *, scattered=0):
    """Three dense groups, and some customers anywhere."""
    rng = np.random.default_rng(seed)
    dense = [rng.normal(center, 0.3, (150, 2)) for center in ((0, 0), (6, 0), (0, 6))]
    return np.vstack([*dense, rng.uniform(-20, 20, (scattered, 2))])


@pytest.mark.parametrize("algorithm", ["hdbscan", "dbscan"])
@pytest.mark.parametrize("shape", [make_moons, make_circles])
def test_shapes_that_no_centroid_can_tell_apart_are_found_by_several_places_each(algorithm, shape) -> None:
    more = {"factor": 0.5} if shape is make_circles else {}
    points, truth = shape(800, noise=0.04, random_state=0, **more)

    fitted = fresh(points, algorithm=algorithm)

    places = [part.segment for part in fitted.centroid_model.parts]
    assert len(fitted.segments) == 2
    assert len(places) > 2
    assert adjusted_rand_score(truth, assign(customers(points), fitted)) > 0.97


def test_round_groups_need_no_more_than_their_centroids() -> None:
    fitted = fresh(islands(), algorithm="hdbscan")

    assert len(fitted.segments) == 3
    assert fitted.centroid_model.parts == ()
    assert fitted.quality["noise"] < 0.1


def test_who_is_in_no_group_joins_the_nearest_one() -> None:
    fitted = fresh(islands(scattered=60), algorithm="hdbscan")

    assert [segment.kind for segment in fitted.segments] == ["segment"] * 3
    assert sum(fitted.quality["sizes"].values()) == 510


def test_who_is_in_no_group_is_a_segment_where_the_settings_want_it() -> None:
    fitted = fresh(islands(scattered=60), algorithm="hdbscan", noise="leftovers")

    kinds = {segment.kind: segment for segment in fitted.segments}
    assert [segment.kind for segment in fitted.segments].count("segment") == 3
    assert kinds["leftovers"].name == "Everybody else"
    assert 30 <= fitted.quality["sizes"][kinds["leftovers"].id] <= 80


def test_leftovers_too_few_for_a_segment_join_the_nearest() -> None:
    fitted = fresh(islands(scattered=60), algorithm="hdbscan", noise="leftovers", minimum_size=100)

    assert {segment.kind for segment in fitted.segments} == {"segment"}


def test_leftovers_keep_their_id_at_a_refit() -> None:
    first = fresh(islands(scattered=60), algorithm="hdbscan", noise="leftovers")

    again = fresh(
        islands(scattered=60),
        previous=version(first, algorithm="hdbscan"),
        algorithm="hdbscan",
        noise="leftovers",
    )

    assert again.segments == first.segments
    assert again.lineage == ()


def test_no_segment_goes_on_as_what_was_left_over() -> None:
    first = fresh(islands(scattered=60), algorithm="hdbscan", noise="leftovers")
    rest = next(segment.id for segment in first.segments if segment.kind == "leftovers")

    again = fresh(islands(scattered=60), previous=version(first), algorithm="kmeans", k=8)

    assert rest not in {segment.id for segment in again.segments}
    assert rest in {event.segment_id for event in again.lineage}


def test_where_most_are_in_no_group_kmeans_takes_over_and_it_is_said() -> None:
    one_cloud = np.random.default_rng(0).normal(0, 1, (400, 2))

    for asked, why in (
        ("dbscan", "all customers are one group"),
        ("hdbscan", "% of the customers are in no group"),
    ):
        fitted = fresh(one_cloud, algorithm=asked, k_min=4)
        assert fitted.algorithm == "kmeans"
        (warning,) = fitted.quality["warnings"]
        assert warning.startswith(f"{asked} does not suit this data: ")
        assert why in warning
        assert len(fitted.segments) >= 4


def test_once_kmeans_took_over_it_stays() -> None:
    one_cloud = np.random.default_rng(0).normal(0, 1, (400, 2))
    first = fresh(one_cloud, algorithm="dbscan")

    again = fresh(islands(), algorithm="dbscan", previous=version(first, algorithm=first.algorithm))

    assert again.algorithm == "kmeans"
    assert "dbscan did not suit this data before: kmeans goes on" in again.quality["warnings"]


def test_no_more_groups_than_asked_for() -> None:
    assert len(fresh(islands(), algorithm="hdbscan", k=2).segments) == 2


def test_places_follow_their_customers_and_groups_stay_as_they_were() -> None:
    moons = make_moons(600, noise=0.05, random_state=0)[0]
    first = fresh(moons, algorithm="hdbscan")

    again = fresh(moons + 0.05, algorithm="hdbscan", previous=version(first, algorithm="hdbscan"))

    assert again.quality["way"] == "warm"
    assert again.lineage == ()
    assert (assign(customers(moons), first) == assign(customers(moons + 0.05), again)).mean() > 0.98


def test_a_group_below_the_floor_merges_into_the_nearest() -> None:
    assert len(fresh(islands(), algorithm="hdbscan", minimum_size=151).segments) < 3


def test_the_knee_lies_between_the_crowd_and_the_outliers() -> None:
    crowd = np.random.default_rng(0).normal(0, 1, (300, 2))
    points = np.vstack([crowd, [[50.0, 50.0]]])

    assert 0.1 < knee(points, 5) < 5
    assert knee(np.zeros((20, 2)), 5) > 0


def test_small_groups_are_none_and_the_others_are_numbered_anew() -> None:
    labels = np.array([-1, 0, 1, 1, 2, 2, 2])

    assert without_small(labels, 2).tolist() == [-1, -1, 0, 0, 1, 1, 1]
