"""The quality record of a fit: what people read of it and the next fit remembers; JSON-ready."""

from collections.abc import Mapping, Sequence

from clustering.finding import Findings
from clustering.measuring import SILHOUETTE_POINTS, Points, silhouettes, subset
from clustering.models import Fit
from clustering.policy import ClusteringPolicy
from clustering.wording import sensitive_words
from cohortd.core.modelling import FeatureSpec, ModelVersion, Segment


def quality_of(
    findings: Findings,
    segments: Sequence[Segment],
    *,
    sizes: Mapping[str, int],
    specs: Sequence[FeatureSpec],
    policy: ClusteringPolicy,
    previous: ModelVersion | None,
) -> dict[str, object]:
    """Gather it; sizes are customers as the sample shows them, inertia is per customer."""
    floor, choice, outcome = findings.floor, findings.choice, findings.outcome
    picked = findings.picked
    return {
        "customers": floor.customers,
        "sample": len(findings.points),
        "minimum": floor.minimum,
        "features": [spec.name for spec in specs],
        "dropped": dict(findings.preparation.dropped),
        "algorithm": findings.algorithm,
        "algorithm_asked": policy.algorithm,
        "algorithm_reason": picked.reason
        if picked is not None
        else " ".join(findings.notes) or "set by hand",
        "algorithm_scores": [each.to_json() for each in picked.trials] if picked is not None else [],
        "noise": outcome.fit.noise,
        "k": len(segments),
        "k_chosen": choice.k,
        "k_asked": policy.k,
        "k_reason": choice.reason,
        "k_scores": [each.to_json() for each in choice.scores],
        "way": outcome.way,
        "inertia": outcome.fit.inertia,
        "inertia_ratio": outcome.ratio,
        "challenger_wins": outcome.wins,
        "silhouette": _silhouette(findings.points, outcome.fit, seed=policy.seed),
        "sizes": {each: floor.estimate(size) for each, size in sizes.items()},
        "warnings": [*findings.notes, *_sensitive(segments), *_outgrown(segments, previous)],
    }


def _silhouette(points: Points, fit: Fit, *, seed: int) -> float:
    rows = subset(points, SILHOUETTE_POINTS, seed=seed)
    return silhouettes(points[rows], [fit.labels[rows]])[0]


def _sensitive(segments: Sequence[Segment]) -> list[str]:
    """Our own names never carry such words; a person's may, and a platform may then flag the audience."""
    return [
        f"segment {each.id} is named {each.name!r}: {', '.join(found)} may pass for a personal attribute"
        for each in segments
        if (found := sensitive_words(each.name))
    ]


def _outgrown(segments: Sequence[Segment], previous: ModelVersion | None) -> list[str]:
    """A name stays even where its segment became another: then a person should look at it."""
    before = {each.id: each.description for each in previous.segments} if previous is not None else {}
    return [
        f"segment {each.id} is still named {each.name!r} but has changed: {each.description}"
        for each in segments
        if before.get(each.id, each.description) != each.description
    ]
