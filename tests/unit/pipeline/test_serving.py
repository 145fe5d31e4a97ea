"""Which segments may be sent, and what they are called."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from cohortd.core.modelling import CentroidModel, ModelVersion, Segment
from cohortd.engine import parse_condition
from cohortd.pipeline.serving import living_segments, unknown_segments
from cohortd.pipeline.wiring import AudiencePolicy, Rule

AT = datetime(2026, 1, 1, tzinfo=UTC)
SIZES = {"s1": 300, "s2": 500, "s3": 100, "s4": 40}
VERSION = ModelVersion(
    id=1,
    created_at=AT,
    as_of=AT,
    reason="first",
    algorithm="kmeans",
    centroid_model=CentroidModel((), (), tuple(SIZES), 0.0),
    segments=tuple(Segment(each, f"Name {each}", "Buys.", "too small" * (each == "s4")) for each in SIZES),
    quality={"sizes": SIZES},
)
RULE = Rule(Segment("rule-a", "Own", "By rule.", kind="rule"), parse_condition("value_sum > 1", ()))


def pipeline(**policy: object) -> SimpleNamespace:
    return SimpleNamespace(audiences=AudiencePolicy(10, "", rules=(RULE,), **policy))


@pytest.mark.parametrize(
    ("policy", "sent"),
    [
        ({}, "s1 s2 s3 rule-a"),
        ({"most": 4}, "s1 s2 s3 rule-a"),
        ({"most": 3}, "s1 s2 rule-a"),
        ({"most": 2}, "s2 rule-a"),
        ({"most": 1}, "rule-a"),
        ({"most": 2, "pinned": ("s3",)}, "s3 rule-a"),
        ({"most": 1, "pinned": ("s3", "s4")}, "s3"),
    ],
)
def test_pinned_segments_come_first_then_rules_then_the_largest(policy: dict, sent: str) -> None:
    found = living_segments(pipeline(**policy), {"": VERSION})

    assert [segment.id for segment in found if not segment.held] == sent.split()
    assert len(found) == 5


def test_whoever_is_held_is_told_why() -> None:
    found = {segment.id: segment.held for segment in living_segments(pipeline(most=1), {"": VERSION})}

    assert found["s1"] == "audiences.most is 1, and others come first"
    assert found["s4"] == "too small"


def test_the_name_says_what_is_for_exclusion_only() -> None:
    found = living_segments(pipeline(exclude_only=frozenset({"s2", "rule-a"})), {"": VERSION})

    assert [segment.name for segment in found] == [
        "Name s1",
        "Name s2 (exclude only)",
        "Name s3",
        "Name s4",
        "Own (exclude only)",
    ]
    assert found[1].description == "For exclusion only. Buys."


def test_segments_that_are_not_there_are_told() -> None:
    asked = pipeline(exclude_only=frozenset({"s9", "rule-a"}), pinned=("s1", "rule-a"))

    assert unknown_segments(asked, living_segments(asked, {"": VERSION})) == [
        "audiences.exclude_only: there is no segment s9 that could be; there are rule-a, s1, s2, s3, s4",
        "audiences.pinned: there is no segment rule-a that could be; there are s1, s2, s3, s4",
    ]
