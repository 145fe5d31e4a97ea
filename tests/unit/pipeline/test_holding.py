"""Which floor an audience has."""

import pytest

from cohortd.core.modelling import Segment
from cohortd.pipeline.holding import floor_of


@pytest.mark.parametrize(
    ("kind", "wanted", "served", "floor"),
    [
        ("segment", 1000, 100, 1000),
        ("segment", 50, 100, 100),
        ("leftovers", 1000, 100, 1000),
        ("micro", 1000, 100, 100),
        ("micro", 50, 100, 100),
    ],
)
def test_a_micro_audience_needs_no_more_than_its_platform_serves(kind, wanted, served, floor) -> None:
    segment = Segment("s1", "Regulars", "They come often.", kind=kind)

    assert floor_of(segment, wanted=wanted, served=served) == floor


def test_an_audience_whose_segment_is_gone_has_the_settings_floor() -> None:
    assert floor_of(None, wanted=1000, served=100) == 1000
