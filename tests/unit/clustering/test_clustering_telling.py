"""What sets segments apart, by which rules, and where on their journey customers are."""

import json

import numpy as np
import pandas as pd
import pytest
from clustering_shop import KINDS, SPECS, assign, spec, version, week

from clustering import ClusteringPolicy, Fitted, explain, fit, sensitive_words
from clustering.advising import ADVICE, hint
from clustering.conditions import condition
from clustering.effects import MOST_D, effect_matrix, size_of
from clustering.explaining import DEPTH
from clustering.journey import journey
from clustering.portraying import MOST_DOTS, portray

NAMES = [each.name for each in SPECS]


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return _fit(week(0))


def _fit(sample: pd.DataFrame, previous: Fitted | None = None, **policy: object) -> Fitted:
    return fit(
        sample,
        SPECS,
        ClusteringPolicy(**{"minimum_size": 30, "k": 5, **policy}),  # type: ignore[arg-type]
        total=len(sample),
        previous=version(previous) if previous is not None else None,
        previous_labels=None,
        next_segment_number=previous.next_segment_number if previous is not None else 1,
    )


def test_an_effect_is_the_difference_of_means_in_pooled_deviations() -> None:
    points = np.array([[1.0, 5.0], [3.0, 5.0], [5.0, 5.0], [7.0, 5.0]])

    matrix = effect_matrix(points, np.array([0, 0, 1, 1]), 2)

    assert matrix.tolist() == [
        [pytest.approx(-4 / np.sqrt(2)), 0.0],
        [pytest.approx(4 / np.sqrt(2)), 0.0],
    ]


def test_no_effect_is_endless_and_a_lone_segment_has_none() -> None:
    points = np.array([[0.0], [0.0], [1.0], [1.0]])

    assert effect_matrix(points, np.array([0, 0, 1, 1]), 2).tolist() == [[-MOST_D], [MOST_D]]
    assert effect_matrix(points, np.zeros(4, dtype=np.intp), 1).tolist() == [[0.0]]


def test_sizes_are_said_in_cohens_words() -> None:
    assert [size_of(d) for d in (-0.9, 0.5, 0.2, 0.1)] == ["large", "medium", "small", ""]


def test_effects_are_kept_in_numbers_of_the_data(fitted: Fitted) -> None:
    kept = json.loads(json.dumps(fitted.quality))["effects"]
    often = max(
        kept, key=lambda each: kept[each][0]["d"] if kept[each][0]["feature"] == "order_count" else 0
    )
    told = kept[often][0]

    assert set(kept) == {segment.id for segment in fitted.segments}
    assert (told["size"], told["title"]) == ("large", "Orders")
    assert told["typical"] == pytest.approx(KINDS[0][0], rel=0.2)
    assert told["mean_others"] < told["mean"]


def test_the_rules_of_a_clear_clustering_find_nearly_everybody_they_have_not_seen(fitted: Fitted) -> None:
    told = fitted.quality["explanation"]
    assert isinstance(told, dict)

    assert told["fidelity"] > 0.85
    assert told["depth"] <= DEPTH
    assert all(each["precision"] > 0.7 and each["recall"] > 0.7 for each in told["segments"].values())
    assert json.loads(json.dumps(told)) == told


def test_a_rule_holds_as_often_as_it_says_when_read_as_written(fitted: Fitted) -> None:
    sample = week(0)
    labels = assign(sample, fitted)

    for each in explain(sample, labels.tolist(), SPECS).segments:
        for rule in each.rules:
            fits = np.ones(len(sample), dtype=bool)
            for one in rule.conditions:
                values = sample[one.feature]
                fits &= (values > one.above) if one.above is not None else True
                fits &= (values <= one.at_most) if one.at_most is not None else True
            here = labels.to_numpy() == each.segment
            assert rule.share == pytest.approx((fits & here).sum() / fits.sum(), abs=1e-4)
            assert rule.covers == pytest.approx((fits & here).sum() / here.sum(), abs=1e-4)


def test_a_segment_that_larger_ones_drown_gets_a_rule_of_its_own() -> None:
    values = np.concatenate([np.zeros(2000), np.full(12, 50.0)])
    sample = pd.DataFrame({"order_count": values, "value_sum": np.arange(2012.0) % 7})
    names = ["s1"] * 2000 + ["s2"] * 12

    small = explain(sample, names, SPECS[:2]).segments[1]

    assert (small.segment, small.rules[0].words) == ("s2", "more than 25 orders")
    assert small.rules[0].covers == 1.0


def test_one_segment_needs_no_rule() -> None:
    told = explain(week(0), ["s1"] * 600, SPECS)

    assert (told.fidelity, told.leaves, told.segments[0].rules) == (1.0, 1, ())


@pytest.mark.parametrize(
    ("name", "title", "above", "at_most", "words"),
    [
        ("value_sum", "", 812.4, None, "spends over 812"),
        ("recency_days", "", None, 20.0, "seen within 20 days"),
        ("order_count", "", 7.0, 12.0, "7 to 12 orders"),
        ("category_share:dog_food", "", 0.25, None, "over 25% dog food"),
        ("value_sum@30d", "", None, 90.0, "spends at most 90 in the last 30 days"),
        ("value_sum@4w/26w", "Value: a share", None, 0.1, "value: a share at most 0.1"),
        ("plan:gold", "Whether plan is gold", None, 0.5, "plan is not gold"),
        ("weight", "KG bought", 3.0, None, "KG bought over 3"),
    ],
)
def test_a_range_is_said_as_people_say_it(
    name: str, title: str, above: float | None, at_most: float | None, words: str
) -> None:
    assert condition(spec(name, title), above=above, at_most=at_most).words == words


def test_from_one_whole_number_to_another_both_are_in() -> None:
    assert condition(spec("order_count"), above=7.0, at_most=12.0, whole=True).words == "8 to 12 orders"


def test_no_advice_we_give_uses_a_sensitive_word() -> None:
    told = [f"{a.say}. {a.not_say}." for pair in ADVICE.values() for a in pair]

    assert [words for words in told if sensitive_words(words)] == []


@pytest.mark.parametrize(
    ("traits", "told"),
    [
        (
            [("value_sum", True), ("recency_days", False)],
            "Show the best of the range and let them see it first; no win-back offers.",
        ),
        (
            [("recency_days", True), ("value_trend", True)],
            "Tell them that they are missed and what has changed since; no thanks for a recent visit.",
        ),
        ([("category_share:baby_wear", True)], "Put baby wear first and show what goes with it."),
        (
            [("category_share:vitamins", True)],
            "Speak to them as to everybody; leave special claims out.",
        ),
        ([], "Speak to them as to everybody; leave special claims out."),
    ],
)
def test_a_hint_says_one_thing_and_leaves_one_out(traits: list[tuple[str, bool]], told: str) -> None:
    assert hint(traits) == told


def test_a_hint_stays_as_long_as_the_description(fitted: Fitted) -> None:
    again = _fit(week(1), fitted)
    before = {segment.id: segment for segment in fitted.segments}

    assert all(segment.hint for segment in fitted.segments)
    for segment in again.segments:
        if segment.description == before[segment.id].description:
            assert segment.hint == before[segment.id].hint


def _stages(frame: dict[str, list[float]]) -> tuple[tuple[str, ...], str]:
    sample = pd.DataFrame(frame)
    read = journey(sample, np.zeros(len(sample), dtype=np.intp), 1, [spec(name) for name in frame])
    return read.stages, read.read_from


@pytest.mark.parametrize(
    ("frame", "stage"),
    [
        ({"type_share:page_view": [1, 1, 1], "type_share:add_to_cart": [0, 0, 0.2]}, "awareness"),
        ({"type_share:page_view": [1, 1, 1], "type_share:add_to_cart": [0.1, 0, 0.2]}, "consideration"),
        ({"type_share:view": [1, 1, 1], "type_share:purchase": [0.1, 0.1, 0]}, "purchase"),
        (
            {
                "type_share:view": [0.9] * 3,
                "type_share:purchase": [0.1] * 3,
                "event_count": [30, 40, 10],
            },
            "retention",
        ),
        ({"page_views": [9, 9, 9], "conversion_count": [3, 2, 0]}, "retention"),
        ({"type_share:view": [1] * 4, "type_share:review": [0, 0, 0, 0.1]}, "advocacy"),
    ],
)
def test_event_types_tell_how_far_customers_have_come(frame: dict[str, list[float]], stage: str) -> None:
    assert _stages(frame) == ((stage,), "event types")


@pytest.mark.parametrize(
    ("orders", "away", "stage"), [(1, 10, "purchase"), (6, 10, "retention"), (6, 90, "consideration")]
)
def test_orders_tell_who_buys_who_keeps_buying_and_who_stays_away(
    orders: float, away: float, stage: str
) -> None:
    told, read_from = _stages(
        {"order_count": [orders] * 3, "recency_days": [away] * 3, "interpurchase_days": [12.0] * 3}
    )

    assert told == (stage,)
    assert read_from.startswith("orders and recency")


def test_nothing_is_said_of_a_journey_that_the_data_does_not_show() -> None:
    told, read_from = _stages({"weekend_share": [0.1, 0.2]})

    assert told == ("",)
    assert read_from.startswith("nothing")


def test_a_portrait_holds_no_more_customers_than_can_be_seen_and_none_by_name() -> None:
    large = _fit(week(0, customers=2400)).portrait

    assert len(large.dots) == MOST_DOTS
    assert "c0" not in repr(large)
    assert large.dendrogram is not None
    assert sorted(row for _, row in large.dendrogram.leaves) == list(range(5))


def test_wards_tree_is_that_of_its_customers() -> None:
    tree = _fit(week(0), algorithm="ward").portrait.dendrogram

    assert tree is not None
    assert tree.of_customers
    assert {row for _, row in tree.leaves} == set(range(5))


def test_a_portrait_of_one_segment_has_no_tree() -> None:
    one = portray(
        np.zeros((3, 1)),
        np.zeros(3, dtype=np.intp),
        np.zeros((1, 1)),
        segment_ids=["s1"],
        specs=SPECS[:1],
        effects=np.zeros((1, 1)),
        grown=False,
    )

    assert (one.dendrogram, one.silhouettes, one.shown) == (None, (0.0,), (0.0, 0.0))
