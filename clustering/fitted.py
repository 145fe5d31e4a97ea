"""What a fit gives; known also where nothing is fitted."""

from dataclasses import dataclass

from cohortd.core.modelling import CentroidModel, LineageEvent, Segment
from cohortd.core.portrait import Portrait


@dataclass(frozen=True, slots=True)
class Fitted:
    """All of a new model version that clustering knows."""

    #: What was used, which the settings may have left open.
    algorithm: str
    centroid_model: CentroidModel
    segments: tuple[Segment, ...]
    lineage: tuple[LineageEvent, ...]
    quality: dict[str, object]
    #: The number the next new segment gets; ids are never used again.
    next_segment_number: int
    #: For the report to draw; nothing of it is kept.
    portrait: Portrait
