"""What people see of a fit: segments with a name, a sentence and, where too small, a reason to wait."""

from collections.abc import Mapping, Sequence

import numpy as np

from clustering.density import LEFTOVERS
from clustering.describing import description_of, hint_of, names_for, still_describes
from clustering.measuring import Points
from clustering.merging import Floor
from clustering.micro import MICRO
from clustering.policy import ClusteringPolicy
from cohortd.core.modelling import FeatureSpec, LineageEvent, ModelVersion, Segment

_LEFTOVERS_NAME = "Everybody else"


def segments_of(
    centroids: Mapping[str, Points],
    sizes: Mapping[str, int],
    specs: Sequence[FeatureSpec],
    *,
    kinds: Mapping[str, str],
    floor: Floor,
    policy: ClusteringPolicy,
    previous: ModelVersion | None,
    stages: Mapping[str, str],
) -> tuple[Segment, ...]:
    """Name, describe, advise on and, below the floor, hold every segment.

    Args:
        centroids: Segment id -> centroid in prepared units, in the order wanted.
        sizes: Segment id -> sampled customers.
        specs: The features of the centroids.
        kinds: Segment id -> its kind where it is no plain segment.
        floor: What is too small.
        policy: What then happens, and the names people gave.
        previous: Names, descriptions and advice to stay with.
        stages: Segment id -> the step of the journey its customers are at.
    """
    before = {each.id: each for each in previous.segments} if previous is not None else {}
    rest = {each: _LEFTOVERS_NAME for each, kind in kinds.items() if kind == LEFTOVERS}
    names = names_for(
        centroids,
        specs,
        known={each.id: each.name for each in before.values()},
        given={**rest, **policy.names},
    )
    kept = _still_described(centroids, specs, previous)
    return tuple(
        Segment(
            each,
            names[each],
            before[each].description if each in kept else description_of(centroid, specs),
            _held(sizes[each], _floor_of(kinds.get(each, ""), floor, policy), policy),
            kinds.get(each) or "segment",
            (before[each].hint if each in kept else "") or hint_of(centroid, specs),
            stages.get(each, ""),
        )
        for each, centroid in centroids.items()
    )


def newly_held(segments: Sequence[Segment], previous: ModelVersion | None) -> tuple[LineageEvent, ...]:
    """The segments that from now on are not to be sent."""
    already = {each.id for each in previous.segments if each.held} if previous is not None else set()
    return tuple(
        LineageEvent("held", each.id, detail=each.held)
        for each in segments
        if each.held and each.id not in already
    )


def _floor_of(kind: str, floor: Floor, policy: ClusteringPolicy) -> Floor:
    """Micro-audiences are small: only what no platform serves is too small for one."""
    return floor.times(policy.micro_size / floor.minimum) if kind == MICRO else floor


def _held(sampled: int, floor: Floor, policy: ClusteringPolicy) -> str:
    if not floor.is_below(sampled):
        return ""
    found = f"{floor.estimate(sampled):,} customers, the minimum is {floor.minimum:,}"
    return f"for exclusion only: {found}" if policy.below_minimum == "exclude" else f"too small: {found}"


def _still_described(
    centroids: Mapping[str, Points], specs: Sequence[FeatureSpec], previous: ModelVersion | None
) -> frozenset[str]:
    """Segments whose description of last time is still true."""
    if previous is None:
        return frozenset()
    model = previous.centroid_model
    columns = {feature.name: number for number, feature in enumerate(model.features)}
    if any(spec.name not in columns for spec in specs):
        return frozenset()
    order = [columns[spec.name] for spec in specs]
    before = dict(zip(model.segment_ids, np.array(model.centroids)[:, order], strict=True))
    described = {each.id for each in previous.segments if each.description}
    return frozenset(
        each
        for each, centroid in centroids.items()
        if each in described and each in before and still_describes(before[each], centroid, specs)
    )
