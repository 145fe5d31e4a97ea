"""What a plan has to tell people besides its numbers."""

import math
from collections.abc import Collection, Mapping, Sequence

from cohortd.core.modelling import ModelVersion, Segment
from cohortd.core.planning import Delta, Target
from cohortd.ledger import Comparison
from cohortd.pipeline.audiences import Audiences
from cohortd.pipeline.choosing import choice_notes
from cohortd.pipeline.desired import Desired
from cohortd.pipeline.models import MAIN, versions_in_force
from cohortd.pipeline.naming import name_faults
from cohortd.pipeline.refitting import within_reach
from cohortd.pipeline.serving import unknown_segments
from cohortd.pipeline.weighing import Weighed
from cohortd.pipeline.wiring import Pipeline


def plan_notes(
    pipeline: Pipeline,
    comparison: Comparison,
    weighed: Weighed,
    *,
    audiences: Audiences,
    desired: Desired,
) -> tuple[str, ...]:
    """Gather the sentences: what was left out, what needs a look."""
    compared, segments = weighed.compared, audiences.segments
    return (
        *nowhere(pipeline),
        *older_minimum(pipeline, versions_in_force(pipeline).get(MAIN)),
        *audiences.notes,
        *name_faults(pipeline, segments),
        *unknown_segments(pipeline, segments),
        *_left_alone(pipeline, compared),
        *_over_limit(pipeline, desired, segments),
        *_left_as_they_are(compared, weighed.left),
        *_following(comparison),
        *choice_notes(weighed.replaced, segments),
    )


def nowhere(pipeline: Pipeline) -> list[str]:
    """Say where a plan has nowhere to go: its empty table does not tell why."""
    told = "there is no destination in the settings: nothing is sent anywhere (destinations)"
    return [] if pipeline.destinations else [told]


def older_minimum(pipeline: Pipeline, version: ModelVersion | None) -> list[str]:
    """Say that segments stem from a larger minimum than is set now: smaller ones wait for a refit."""
    found = version.quality if version is not None else {}
    was, customers = found.get("minimum"), found.get("customers")
    if not isinstance(was, int) or not isinstance(customers, int):
        return []
    policy = within_reach(pipeline)
    now = max(policy.minimum_size, math.ceil(policy.minimum_share * customers))
    if now >= was:
        return []
    told = (
        f"the segments were found under a minimum of {was:,} customers, now {now:,}: the next model"
        " goes by that; 'cohortd recluster --force' makes it at once"
    )
    return [told]


def _left_as_they_are(compared: Mapping[Target, Delta], left: Collection[Target]) -> list[str]:
    return [
        f"the segment of {target.audience} on {target.destination} is gone; its"
        f" {compared[target].present:,} members stay there (audiences.when_gone)"
        for target in sorted(left, key=lambda target: (target.destination, target.audience))
        if compared[target].removes
    ]


def _over_limit(pipeline: Pipeline, desired: Desired, segments: Sequence[Segment]) -> list[str]:
    """Say which audiences found no room for everybody."""
    names = {segment.id: segment.name for segment in segments}
    return [
        f"{names.get(target.audience, target.audience)} on {target.destination}:"
        f" {members:,} {'member finds' if members == 1 else 'members find'} no room under its"
        f" member_limit of {pipeline.destinations[target.destination].member_limit:,}; those who can be"
        " matched by more identifiers are preferred"
        for target, members in sorted(
            desired.over_limit.items(), key=lambda item: (item[0].destination, item[0].audience)
        )
    ]


def _following(comparison: Comparison) -> list[str]:
    waiting = sum(comparison.waiting().values())
    told = (
        f"this version normalizes otherwise: {waiting:,} members are sent by their new digests within a"
        " week, some at every sync"
    )
    return [told] if waiting else []


def _left_alone(pipeline: Pipeline, deltas: Mapping[Target, Delta]) -> list[str]:
    """Say where members are left on destinations that are no longer in the settings."""
    left: dict[str, int] = {}
    for target, delta in deltas.items():
        if target.destination not in pipeline.destinations and delta.present:
            left[target.destination] = left.get(target.destination, 0) + delta.present
    return [
        f"destination {name} is no longer in the settings, but {members:,} members are still there:"
        " put it back until they are taken off"
        for name, members in sorted(left.items())
    ]
