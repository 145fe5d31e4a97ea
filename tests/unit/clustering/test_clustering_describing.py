import re
from dataclasses import replace

import numpy as np
import pytest
from clustering_shop import SPECS, assign, spec, version, week

from clustering import ClusteringPolicy, fit, sensitive_words
from clustering.describing import description_of, names_for, still_describes
from clustering.phrases import PHRASES, clause_for
from cohortd.core.errors import SettingsError
from cohortd.engine import catalog


def names(*centroids, specs=SPECS, known=None, given=None) -> list[str]:
    rows = {f"s{number}": np.array(each) for number, each in enumerate(centroids, start=1)}
    return list(names_for(rows, specs, known=known or {}, given=given or {}).values())


def describe(*centroid: float, specs=SPECS) -> str:
    return description_of(np.array(centroid), specs)


def test_a_description_reads_as_a_sentence() -> None:
    assert describe(0.9, 1.4, 0, -0.8, 0) == "Spends well above average and buys often; mostly on weekdays."
    assert describe(-1.2, 0, 0.6, 0, 0) == "Buys very rarely and has not been seen for a while."
    assert describe(0, 0, 0, 0.7, 0) == "Shops more at weekends than most."


def test_nothing_telling_is_said_as_such() -> None:
    assert describe(0.1, 0, -0.2, 0, 0) == "Close to the average customer in everything measured."
    assert names([0.1, 0, 0, 0, 0]) == ["Typical customers"]


def test_features_of_ones_own_are_told_by_their_titles() -> None:
    own = (spec("points", "Loyalty points held."), spec("plan:gold", "Whether plan is gold"))

    assert describe(0.8, 0.0, specs=own) == "Above average in loyalty points held."
    assert describe(0.0, -0.8, specs=own) == "Plan is gold less often than for most."
    assert describe(1.5, 0.8, specs=own) == (
        "Far above average in loyalty points held and plan is gold more often than for most."
    )


def test_what_says_the_same_is_said_once() -> None:
    both = (SPECS[0], spec("active_days", "Days", "regulars", "occasional"), SPECS[1])

    assert describe(1.1, 0.9, 0.8, specs=both) == "Buys very often and spends above average."
    assert names([1.1, 0.9, 0.8], specs=both) == ["Frequent buyers, big spenders"]


def test_names_are_two_words_and_a_third_where_needed() -> None:
    assert names([1, 0.9, 0, 0.6, 0], [1, 0.9, 0, -0.6, 0]) == [
        "Frequent buyers, big spenders",
        "Frequent buyers, big spenders, weekday shoppers",
    ]


def test_twins_without_another_word_are_numbered() -> None:
    assert names([1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [1, 0, 0, 0, 0]) == [
        "Frequent buyers",
        "Frequent buyers 2",
        "Frequent buyers 3",
    ]


def test_a_name_once_given_stays_and_is_not_given_again() -> None:
    known = {"s1": "Regulars of old", "s0": "Frequent buyers"}

    assert names([0, -1, 0, 0, 0], [1, 0, 0, 0, 0], known=known) == ["Regulars of old", "Frequent buyers 2"]


def test_people_name_as_they_like() -> None:
    assert names([1, 0, 0, 0, 0], given={"s1": "Our darlings"}, known={"s1": "Frequent buyers"}) == [
        "Our darlings"
    ]


def test_two_segments_of_one_name_are_refused() -> None:
    with pytest.raises(SettingsError, match="both be named 'VIP'"):
        names([1, 0, 0, 0, 0], [0, 1, 0, 0, 0], given={"s1": "VIP", "s2": "VIP"})


@pytest.mark.parametrize(
    "text",
    [
        "Older women",
        "low-income households",
        "Diabetes",
        "PREGNANCY",
        "drug gm buyers",
        "high age",
        "income_band",
    ],
)
def test_words_about_personal_attributes_are_found(text) -> None:
    assert sensitive_words(text)


@pytest.mark.parametrize(
    "text",
    [
        "Frequent buyers, big spenders",
        "Average baskets",
        "manufacturer coupons",
        "Long-standing, stock-up trips",
    ],
)
def test_harmless_words_pass(text) -> None:
    assert sensitive_words(text) == ()


def test_a_sensitive_feature_is_never_told() -> None:
    both = (spec("age", "Age in years", "older", "younger"), SPECS[1])

    assert names([2.0, 0.6], specs=both) == ["Big spenders"]
    assert describe(2.0, 0.6, specs=both) == "Spends above average."
    assert names([2.0, 0.0], specs=both) == ["Typical customers"]


def test_a_persons_sensitive_name_is_kept_with_a_warning() -> None:
    fitted = fit(
        week(0),
        SPECS,
        ClusteringPolicy(k=5, minimum_size=30, names={"s1": "Seniors"}),
        total=600,
        previous=None,
        previous_labels=None,
        next_segment_number=1,
    )

    assert fitted.segments[0].name == "Seniors"
    assert fitted.quality["warnings"] == [
        "segment s1 is named 'Seniors': Seniors may pass for a personal attribute"
    ]


def test_a_description_stays_while_it_is_still_true() -> None:
    before = np.array([1.0, 0.6, 0.0, 0.0, 0.0])

    assert still_describes(before, np.array([0.8, 0.4, 0.6, 0.0, 0.0]), SPECS)
    assert not still_describes(before, np.array([0.8, 0.3, 0.0, 0.0, 0.0]), SPECS)
    assert not still_describes(before * 0, before, SPECS)


def test_a_segment_that_became_another_keeps_its_name_and_is_pointed_out() -> None:
    sample = week(0)
    first = fit(
        sample,
        SPECS,
        ClusteringPolicy(k=5, minimum_size=30),
        total=600,
        previous=None,
        previous_labels=None,
        next_segment_number=1,
    )
    told = replace(first.segments[0], description="Likes jazz.")
    centroids = ((0.0, 0.0, 0.0, 0.0, 0.0), *first.centroid_model.centroids[1:])
    before = replace(
        version(first),
        segments=(told, *first.segments[1:]),
        centroid_model=replace(first.centroid_model, centroids=centroids),
    )

    again = fit(
        sample,
        SPECS,
        ClusteringPolicy(k=5, minimum_size=30),
        total=600,
        previous=before,
        previous_labels=assign(sample, first),
        next_segment_number=6,
    )

    now = again.segments[0]
    assert (now.id, now.name) == (told.id, told.name)
    assert now.description == first.segments[0].description
    assert again.quality["warnings"] == [
        f"segment s1 is still named {now.name!r} but has changed: {now.description}"
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("value_sum@30d", "spends well above average in the last 30 days"),
        ("value_sum@all", "spends well above average"),
        ("category_share:wine@4w", "buys far more wine than most in the last 4 weeks"),
        ("value_sum@30d/365d", "has clearly picked up in the last 30 days"),
        ("quarter_share:april_to_june", "far more from April to June than most"),
    ],
)
def test_a_window_of_its_own_is_said(name, words) -> None:
    assert clause_for(spec(name, title="Value of late"), 2.0).words == words


def test_every_phrase_is_of_a_feature_the_engine_knows() -> None:
    assert {name.rstrip(":") for name in PHRASES} <= set(catalog())


def test_every_feature_of_the_engine_has_a_phrase() -> None:
    assert {each.rstrip(":") for each in PHRASES} == set(catalog())


@pytest.mark.parametrize("name", sorted(PHRASES))
@pytest.mark.parametrize("z", [-2.0, -0.6, 0.6, 2.0])
def test_our_own_phrases_are_whole_and_harmless(name, z) -> None:
    words = clause_for(spec(f"{name}fruit" if name.endswith(":") else name), z).words

    assert not sensitive_words(words)
    assert not re.search(r"[\[\]{}]|  |^\s|\s$", words)
