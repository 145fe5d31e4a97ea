"""Intersections: whoever is in two segments at once, where that are enough."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cohortd.core.modelling import Segment
from cohortd.pipeline.belonging import Belonging, Division
from cohortd.pipeline.holding import floor_of
from cohortd.pipeline.serving import marked, unmarked
from cohortd.pipeline.wiring import Pipeline

#: Between the ids of the two; no id has it within.
JOINT: Final = "+"


@dataclass(frozen=True, slots=True)
class Crossed:
    """Everybody's audiences with the intersections, and those as segments."""

    belonging: Belonging
    segments: tuple[Segment, ...]
    #: Sentences for people.
    notes: tuple[str, ...]


def with_intersections(pipeline: Pipeline, belonging: Belonging, segments: Sequence[Segment]) -> Crossed:
    """Add the intersections that the settings name and that are there already or large enough.

    What is there stays until its segments are gone: below the floor it is held, as any audience is.
    """
    policy = pipeline.audiences
    crossings = list(_crossings(pipeline, belonging))
    sizes: dict[str, int] = {}
    for crossing in crossings:
        sizes |= crossing.sizes()
    there = _there(pipeline)
    floor = _floor(pipeline)
    able = [audience for audience, size in sizes.items() if size >= floor or audience in there]
    able.sort(key=lambda audience: (audience not in there, -sizes[audience]))
    chosen, rest = set(able[: policy.most_intersections]), able[policy.most_intersections :]
    kept = [division for each in crossings if (division := each.only(chosen)).audiences]
    known = {segment.id: segment for segment in segments}
    found = (intersection_of(pipeline, known, each) for division in kept for each in division.audiences)
    return Crossed(
        replace(belonging, divisions=(*belonging.divisions, *kept)),
        tuple(segment for segment in found if segment is not None),
        tuple(_notes(pipeline, belonging, rest)),
    )


def intersection_of(pipeline: Pipeline, known: Mapping[str, Segment], audience: str) -> Segment | None:
    """Describe an intersection by its two segments; None where it is none, or one of them is gone."""
    left, _, right = (known.get(each) for each in audience.partition(JOINT))
    if left is None or right is None:
        return None
    first, second = unmarked(left), unmarked(right)
    given = pipeline.segmentation.clustering.names.get(audience)
    whole = Segment(
        audience,
        given or f"{first.name} + {second.name}",
        f"In both: {first.description} {second.description}".rstrip(),
        kind="intersection",
    )
    return marked(pipeline, whole)


def _crossings(pipeline: Pipeline, belonging: Belonging) -> Iterator[Division]:
    """Every pair that is asked for, once; the first of the two is whichever is divided by first."""
    taken: set[str] = set()
    for asked in pipeline.audiences.intersections:
        sides = [
            (number, side)
            for number in range(len(belonging.divisions))
            for name in asked
            if (side := _asked(belonging, number, name)).audiences
        ]
        if len(sides) == 2 and sides[0][0] != sides[1][0]:  # noqa: PLR2004 - a pair
            whole = sides[0][1].crossed(sides[1][1], lambda left, right: f"{left}{JOINT}{right}")
            fresh = whole.only([audience for audience in whole.audiences if audience not in taken])
            taken.update(fresh.audiences)
            yield fresh


def _asked(belonging: Belonging, number: int, name: str) -> Division:
    division = belonging.divisions[number]
    return division if name and name == division.name else division.only({name})


def _there(pipeline: Pipeline) -> set[str]:
    remotes = pipeline.ledger.remotes.all()
    return {remote.target.audience for remote in remotes if remote.state != "retired"}


def _floor(pipeline: Pipeline) -> int:
    """Fewest customers with whom some destination may be fed."""
    served = min((d.connector.limits.minimum_size for d in pipeline.destinations.values()), default=1)
    return floor_of(None, wanted=pipeline.audiences.minimum_size, served=served)


def _notes(pipeline: Pipeline, belonging: Belonging, rest: Sequence[str]) -> Iterator[str]:
    models = {division.name for division in belonging.divisions if division.name}
    known = {*models, *belonging.audiences}
    unknown = sorted({name for pair in pipeline.audiences.intersections for name in pair} - known)
    if unknown:
        yield (
            f"audiences.intersections: there is no segment {', '.join(unknown)}; there are"
            f" {', '.join(sorted(known))}"
        )
    if rest:
        yield (
            f"audiences.intersections: {len(rest):,} more would be large enough than"
            f" audiences.most_intersections ({pipeline.audiences.most_intersections:,}) lets be sent"
        )
