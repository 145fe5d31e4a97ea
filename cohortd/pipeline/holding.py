"""Which audiences are too small to be fed, or held back as segments."""

from collections.abc import Collection, Mapping

from cohortd.core.modelling import Segment
from cohortd.core.planning import Delta, Target
from cohortd.pipeline.wiring import Pipeline


def hold(
    pipeline: Pipeline, segments: Collection[Segment], deltas: Mapping[Target, Delta]
) -> dict[Target, str]:
    """Say which targets may not get new members, and why (law 6).

    A micro-audience is small by nature: only what its platform serves is its floor.
    """
    held_segments = {segment.id: segment.held for segment in segments if segment.held}
    micro = {segment.id for segment in segments if segment.kind == "micro"}
    held = {}
    for target, delta in deltas.items():
        served = pipeline.destinations[target.destination].connector.limits.minimum_size
        floor = served if target.audience in micro else max(pipeline.audiences.minimum_size, served)
        if target.audience in held_segments:
            held[target] = held_segments[target.audience]
        elif 0 < delta.eligible < floor:
            held[target] = f"{delta.eligible:,} eligible members, {floor:,} needed"
        elif delta.eligible == 0 and (delta.adds or not delta.present):
            held[target] = "nobody is eligible"
    return held
