"""Intersections of segments: which there are, and who is in them."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cohortd.core.modelling import Segment
from cohortd.pipeline.belonging import Belonging, Division
from cohortd.pipeline.crossing import with_intersections
from cohortd.pipeline.wiring import AudiencePolicy

SEGMENTS = [Segment(each, each.upper(), f"Is {each}.") for each in ("s1", "s2", "rule-a", "rule-b")]


def codes(text: str) -> "np.ndarray":
    return np.array([-1 if each == "." else int(each) for each in text], dtype=np.int16)


BELONGING = Belonging(
    pd.Index(list("abcdefgh")),
    (
        Division(("s1", "s2"), codes("0000111."), "main"),
        Division(("rule-a",), codes("000..0.0")),
        Division(("rule-b",), codes("00...000")),
    ),
)


def pipeline(
    *pairs: tuple[str, str], there: tuple[str, ...] = (), names: dict | None = None, **policy: object
) -> SimpleNamespace:
    remotes = [SimpleNamespace(target=SimpleNamespace(audience=each), state="ready") for each in there]
    return SimpleNamespace(
        audiences=AudiencePolicy(2, "", intersections=pairs, **policy),
        destinations={},
        segmentation=SimpleNamespace(clustering=SimpleNamespace(names=names or {})),
        ledger=SimpleNamespace(remotes=SimpleNamespace(all=lambda: remotes)),
    )


def members(found: Belonging) -> dict[str, str]:
    return {
        audience: "".join(found.customers[division.named() == audience])
        for division in found.divisions[3:]
        for audience in division.audiences
    }


@pytest.mark.parametrize(
    ("pairs", "there", "expected"),
    [
        ([("s1", "rule-a")], (), {"s1+rule-a": "abc"}),
        ([("rule-a", "s1")], (), {"s1+rule-a": "abc"}),
        ([("main", "rule-a")], (), {"s1+rule-a": "abc"}),  # s2 has one in common with it
        ([("main", "rule-a")], ("s2+rule-a",), {"s1+rule-a": "abc", "s2+rule-a": "f"}),
        ([("main", "rule-b"), ("s1", "rule-b")], (), {"s1+rule-b": "ab", "s2+rule-b": "fg"}),
        ([("rule-a", "rule-b")], (), {"rule-a+rule-b": "abfh"}),
        ([("s1", "s2")], ("s1+s2",), {}),
        ([("s1", "s9")], ("s1+s9",), {}),
    ],
)
def test_whoever_is_in_both_is_in_the_intersection(pairs: list, there: tuple, expected: dict) -> None:
    found = with_intersections(pipeline(*pairs, there=there), BELONGING, SEGMENTS)

    assert members(found.belonging) == expected
    assert {segment.id for segment in found.segments} == set(expected)


def test_no_more_than_the_most_are_made_and_those_there_are_stay() -> None:
    asked = pipeline(("main", "rule-a"), ("main", "rule-b"), there=("s2+rule-a",), most_intersections=2)
    found = with_intersections(asked, BELONGING, SEGMENTS)

    assert members(found.belonging) == {"s1+rule-a": "abc", "s2+rule-a": "f"}
    (told,) = found.notes
    assert told.startswith("audiences.intersections: 2 more would be large enough")


def test_it_is_named_after_both_and_what_is_unknown_is_told() -> None:
    asked = pipeline(("s1", "rule-a"), ("s1", "s9"), exclude_only=frozenset({"s1+rule-a"}))
    found = with_intersections(asked, BELONGING, SEGMENTS)

    assert [(segment.name, segment.description) for segment in found.segments] == [
        ("S1 + RULE-A (exclude only)", "For exclusion only. In both: Is s1. Is rule-a.")
    ]
    assert found.notes[0].startswith("audiences.intersections: there is no segment s9; there are main, ")


def test_people_may_name_it() -> None:
    found = with_intersections(pipeline(("s1", "rule-a"), names={"s1+rule-a": "Both"}), BELONGING, SEGMENTS)

    assert [segment.name for segment in found.segments] == ["Both"]
