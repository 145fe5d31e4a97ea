"""Which targets may not get new members, and why (law 6)."""

from collections.abc import Collection, Mapping

from cohortd.core.modelling import Segment
from cohortd.core.planning import Delta, Target
from cohortd.pipeline.wiring import Pipeline


def hold(
    pipeline: Pipeline, segments: Collection[Segment], deltas: Mapping[Target, Delta]
) -> dict[Target, str]:
    """Say which targets may not get new members, and why (law 6)."""
    known = {segment.id: segment for segment in segments}
    held = {}
    for target, delta in deltas.items():
        segment = known.get(target.audience)
        served = pipeline.destinations[target.destination].connector.limits.minimum_size
        floor = floor_of(segment, wanted=pipeline.audiences.minimum_size, served=served)
        if segment is not None and segment.held:
            held[target] = segment.held
        elif 0 < delta.eligible < floor:
            held[target] = f"{delta.eligible:,} eligible members, {floor:,} needed"
        elif delta.eligible == 0 and (delta.adds or not delta.present):
            held[target] = "nobody is eligible"
    return held


def floor_of(segment: Segment | None, *, wanted: int, served: int) -> int:
    """Fewest eligible members of an audience.

    Args:
        segment: Whose audience it is; a micro-audience is small by nature.
        wanted: The settings' minimum size.
        served: Below this its platform serves nobody, whatever the segment.
    """
    return served if segment is not None and segment.kind == "micro" else max(wanted, served)
