from dataclasses import replace

from cohortd.pipeline.placing import Placement

PLACED = Placement(
    "c1",
    segment="s1",
    name="Regulars",
    distance=2.9,
    margin=0.15,
    runner_up={"segment": "s2", "name": "Rare ones", "distance": 2.71},
    since_run="r7",
    since="2026-11-02T03:00:00.000000Z",
    features=(
        {
            "feature": "value_sum",
            "title": "Value",
            "value": 812.4,
            "typical": 790.0,
            "typical_others": 201.0,
        },
        {
            "feature": "weekend_share",
            "title": "Weekends",
            "value": None,
            "typical": 0.25,
            "typical_others": 0.5,
        },
    ),
)


def test_a_placement_is_told_beside_what_is_typical() -> None:
    assert list(PLACED.sentences()) == [
        "Customer c1 is in segment s1 (Regulars), since the run r7 of 2026-11-02T03:00:00.000000Z.",
        "Value: 812; typical of the segment 790, of all others 201.",
        "Weekends: none; typical of the segment 25%, of all others 50%.",
        "The distance to it is 2.9, to the nearest other, s2 (Rare ones), 2.71.",
    ]


def test_a_customer_who_stays_by_the_margin_is_told_so() -> None:
    stays = replace(PLACED, kept_by_margin=True, confidence=0.61)

    told = list(stays.sentences())

    assert told[-2:] == [
        "That one is nearer, but not by 15%: so they stay where they were.",
        "How likely this segment is for them: 61%.",
    ]


def test_what_cannot_be_computed_is_said() -> None:
    assert list(Placement("c1", why_not="customers: cannot read the file").sentences()) == [
        "Why in no segment, or in which, cannot be said now: customers: cannot read the file."
    ]
