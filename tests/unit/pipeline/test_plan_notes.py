"""What a plan tells a newcomer: that nothing is sent anywhere, that an older minimum still holds."""

from types import SimpleNamespace

import pytest

from clustering import ClusteringPolicy
from cohortd.pipeline import plan_notes


def _pipeline(**policy: object) -> SimpleNamespace:
    segmentation = SimpleNamespace(clustering=ClusteringPolicy(**policy))
    return SimpleNamespace(segmentation=segmentation, destinations={})


def test_settings_without_a_destination_are_told() -> None:
    [note] = plan_notes.nowhere(_pipeline())

    assert "there is no destination" in note


@pytest.mark.parametrize(
    ("minimum", "share", "told"),
    [(20, 0.01, True), (1000, 0.01, False), (2000, 0.01, False), (20, 0.5, False)],
)
def test_a_minimum_that_was_lowered_since_the_fit_is_told(
    minimum: int, share: float, *, told: bool
) -> None:
    version = SimpleNamespace(quality={"minimum": 1000, "customers": 2000})
    pipeline = _pipeline(minimum_size=minimum, minimum_share=share)

    assert bool(plan_notes.older_minimum(pipeline, version)) is told
    assert plan_notes.older_minimum(pipeline, None) == []
