"""The quality record of a fit: what people read of it and the next fit remembers; JSON-ready."""

from collections.abc import Mapping, Sequence

from clustering.choosing import Choice
from clustering.contest import Outcome
from clustering.measuring import SILHOUETTE_POINTS, Points, silhouettes, subset
from clustering.merging import Floor
from clustering.models import Fit
from clustering.policy import ClusteringPolicy
from clustering.preparing import Preparation
from clustering.wording import sensitive_words
from cohortd.core.modelling import FeatureSpec, Segment


def quality_of(
    points: Points,
    outcome: Outcome,
    *,
    choice: Choice,
    sizes: Mapping[str, int],
    segments: Sequence[Segment],
    specs: Sequence[FeatureSpec],
    preparation: Preparation,
    floor: Floor,
    policy: ClusteringPolicy,
) -> dict[str, object]:
    """Gather it; sizes are customers as the sample shows them, inertia is per customer."""
    return {
        "customers": floor.customers,
        "sample": len(points),
        "minimum": floor.minimum,
        "features": [spec.name for spec in specs],
        "dropped": dict(preparation.dropped),
        "k": len(segments),
        "k_chosen": choice.k,
        "k_asked": policy.k,
        "k_reason": choice.reason,
        "k_scores": [each.to_json() for each in choice.scores],
        "way": outcome.way,
        "inertia": outcome.fit.inertia,
        "inertia_ratio": outcome.ratio,
        "challenger_wins": outcome.wins,
        "silhouette": _silhouette(points, outcome.fit, seed=policy.seed),
        "sizes": {each: floor.estimate(size) for each, size in sizes.items()},
        "warnings": _warnings(segments),
    }


def _silhouette(points: Points, fit: Fit, *, seed: int) -> float:
    rows = subset(points, SILHOUETTE_POINTS, seed=seed)
    return silhouettes(points[rows], [fit.labels[rows]])[0]


def _warnings(segments: Sequence[Segment]) -> list[str]:
    """Our own names never carry such words; a person's may, and a platform may then flag the audience."""
    return [
        f"segment {each.id} is named {each.name!r}: {', '.join(found)} may pass for a personal attribute"
        for each in segments
        if (found := sensitive_words(each.name))
    ]
