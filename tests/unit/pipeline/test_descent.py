from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cohortd.core.fates import AudienceFate, SegmentFate
from cohortd.core.modelling import CentroidModel, LineageEvent, ModelVersion, Segment
from cohortd.pipeline.descent import descent
from cohortd.pipeline.fates import lines_of

AT = datetime(2026, 11, 22, tzinfo=UTC)


def version(number: int, *ids: str, lineage: tuple[LineageEvent, ...] = ()) -> ModelVersion:
    segments = tuple(Segment(each, each.upper(), "") for each in ids)
    return ModelVersion(
        number, AT, AT, "due", "kmeans", CentroidModel((), (), ids, 0.15), segments, lineage=lineage
    )


def event(kind: str, segment: str, other: str = "") -> LineageEvent:
    return LineageEvent(kind, segment, other)


BEFORE = version(1, "s1", "s2", "s3")


def told(*after: ModelVersion, flows: tuple[tuple[str, str, int], ...] = ()) -> list[tuple[str, str, str]]:
    return [(fate.event, fate.segment, fate.other) for fate in descent(BEFORE, after, flows)]


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ([version(2, "s1", "s2", "s3")], []),
        (
            [
                version(2, "s1", "s2", "s3", "s4", lineage=(event("split", "s4", "s1"),)),
                version(3, "s1", "s2", "s3", lineage=(event("merged", "s4", "s2"),)),
            ],
            [],
        ),
        (
            [
                version(2, "s1", "s3", "s4", lineage=(event("merged", "s2", "s4"), event("born", "s4"))),
                version(3, "s1", "s3", lineage=(event("merged", "s4", "s3"),)),
            ],
            [("merged", "s2", "s3")],
        ),
        (
            [
                version(2, "s1", "s3", lineage=(event("died", "s2"),)),
                version(3, "s1", "s2", "s3", "s4", lineage=(event("returned", "s2"), event("born", "s4"))),
            ],
            [("born", "s4", "")],
        ),
        ([version(2, "s2", "s3", lineage=(event("merged", "s1", "s9"),))], [("died", "s1", "")]),
    ],
    ids=["nothing", "came and went", "merged by two steps", "gone and back", "heir unknown"],
)
def test_only_the_net_of_several_versions_is_told(
    after: list[ModelVersion], found: list[tuple[str, str, str]]
) -> None:
    assert told(*after) == found


def test_where_customers_really_go_decides_who_is_the_heir() -> None:
    after = version(2, "s1", "s3", lineage=(event("merged", "s2", "s1"),))

    assert told(after, flows=(("s2", "s3", 80), ("s2", "s1", 20))) == [("merged", "s2", "s3")]
    assert told(after, flows=(("s2", "s3", 45), ("s2", "s1", 55))) == [("merged", "s2", "s1")]
    assert told(after, flows=(("s2", "s3", 49), ("s2", "s1", 49), ("s2", "", 2))) == [("died", "s2", "")]


def test_shares_are_told_of_the_largest_and_of_no_handful() -> None:
    after = version(2, "s1", "s2", "s3", "s4", lineage=(event("split", "s4", "s1"),))
    flows = (("", "s4", 8), ("s1", "s4", 60), ("s2", "s4", 30), ("s3", "s4", 2))

    [fate] = descent(BEFORE, [after], flows)

    assert fate.detail == "s1 (S1) (60%), s2 (S2) (30%)"
    assert fate.told == (
        "New segment s4 (S4), split off from s1 (S1); its customers come from s1 (S1) (60%), s2 (S2) (30%)."
    )


def test_without_an_earlier_version_every_segment_is_born() -> None:
    first = version(1, "s1", "s10", "s2", lineage=(event("born", "s1"), event("held", "s1")))

    assert [(f.event, f.segment) for f in descent(None, [first], ())] == [
        ("born", "s1"),
        ("born", "s2"),
        ("born", "s10"),
    ]


def test_destinations_where_the_same_happens_share_a_line() -> None:
    fate = SegmentFate("died", "s2", "Big", told="s2 (Big) is gone.")
    places = [AudienceFate(name, "emptied", 5, "its 5 members leave") for name in ("google", "meta")]
    places.append(AudienceFate("ads", "left", 1, "its 1 member stays"))

    assert lines_of([replace(fate, audiences=places)]) == [
        "s2 (Big) is gone.",
        "    google, meta: its 5 members leave",
        "    ads: its 1 member stays",
    ]
