"""Every segment there is now: those of the model, and those that people define."""

from cohortd.core.modelling import ModelVersion, Segment
from cohortd.pipeline.wiring import Pipeline


def living_segments(pipeline: Pipeline, version: ModelVersion | None) -> tuple[Segment, ...]:
    """List the segments that have, or may have, an audience."""
    found = version.segments if version is not None else ()
    return (*found, *(rule.segment for rule in pipeline.audiences.rules))
