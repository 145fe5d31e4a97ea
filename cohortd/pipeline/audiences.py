"""Every audience of a run: those of all models' segments, of people's rules, and of two at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cohortd.core.modelling import Segment
from cohortd.engine import Engine
from cohortd.pipeline.belonging import Belonging
from cohortd.pipeline.clusters import Clustered
from cohortd.pipeline.crossing import with_intersections
from cohortd.pipeline.models import versions_of
from cohortd.pipeline.reading import Tables
from cohortd.pipeline.rules import belonging_of
from cohortd.pipeline.serving import living_segments
from cohortd.pipeline.wiring import Pipeline


@dataclass(frozen=True, slots=True)
class Audiences:
    """What may be sent, and who is in it."""

    belonging: Belonging
    #: The models' first, then people's own, then intersections.
    segments: tuple[Segment, ...]
    #: Sentences for people.
    notes: tuple[str, ...]


def audiences_of(
    pipeline: Pipeline, engine: Engine, tables: Tables, models: Mapping[str, Clustered], *, as_of: datetime
) -> Audiences:
    """Find out which audiences there are and who belongs to each, under these models."""
    segments = living_segments(pipeline, versions_of(models))
    belonging = belonging_of(pipeline, engine, tables, models, as_of=as_of)
    crossed = with_intersections(pipeline, belonging, segments)
    told = (
        f"model {name}: {note}" if name else note for name, each in models.items() for note in each.notes
    )
    return Audiences(crossed.belonging, (*segments, *crossed.segments), (*told, *crossed.notes))
