"""One fit from sample to segments: the order of things, no rule of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pandas as pd
from threadpoolctl import threadpool_limits

from clustering.finding import Findings, find
from clustering.fitted import Fitted
from clustering.lineage import Identified, identify, number_of
from clustering.places import coordinates
from clustering.policy import ClusteringPolicy
from clustering.populations import populations_of, to_json
from clustering.preparing import outliers
from clustering.reporting import quality_of
from clustering.segments import newly_held, segments_of
from clustering.telling import tell
from cohortd.core.errors import SettingsError, SourceError
from cohortd.core.modelling import CentroidModel, FeatureSpec, ModelVersion


def fit(
    sample: pd.DataFrame,
    specs: Sequence[FeatureSpec],
    policy: ClusteringPolicy,
    *,
    total: int,
    previous: ModelVersion | None,
    previous_labels: pd.Series | None,
    next_segment_number: int,
) -> Fitted:
    """Cluster a sample of customers into segments that keep their identity.

    The same input gives the same answer, whatever the order of the rows and the number of cores.

    Args:
        sample: Raw features, one row a customer, indexed by customer id.
        specs: The features to read; one no customer differs in is left out and said in ``quality``.
        policy: What people decide.
        total: How many customers the sample stands for.
        previous: The model to carry on from, None at the first fit.
        previous_labels: Segment id by customer id as last assigned, for the whole or any part of
            the customers; without it (or with almost nobody of the sample in it) the previous
            model says where they were.
        next_segment_number: As the last fit returned it; 1 at the first.

    Raises:
        SettingsError: No feature is asked for, or two segments would carry one name.
        SourceError: There is no customer to cluster.
    """
    if not specs:
        raise SettingsError("segmentation asks for no feature; name a template or list features")
    if sample.empty:
        raise SourceError("no customer has anything to cluster by; check sources.events and its window")
    sample = sample[~sample.index.duplicated()].sort_index()
    with threadpool_limits(1):  # spinning threads cost small fits 45x, and their sums differ by chance
        findings = find(sample, specs, policy, total=total, previous=previous)
        identify_in = partial(
            identify,
            sample,
            findings.points,
            previous=previous,
            previous_labels=previous_labels,
            next_number=next_segment_number,
            floor=findings.floor,
            margin=policy.margin,
        )
        identified = identify_in(findings.outcome)
        if findings.outcome.calm is not None and identified.moved > policy.churn_budget:
            findings = findings.calmed(identified.moved)
            identified = identify_in(findings.outcome)
        fitted = _fitted(sample, findings, identified, specs=specs, policy=policy, previous=previous)
        return replace(fitted, quality=fitted.quality | _prepared(sample, findings, policy))


def _prepared(sample: pd.DataFrame, findings: Findings, policy: ClusteringPolicy) -> dict[str, object]:
    """How the features were prepared: for people, for the next fit, and to know drift by."""
    preparation = findings.preparation
    return {
        "scaling": policy.preparing.scaling,
        "correlation_limit": policy.preparing.correlation_limit,
        "twins": preparation.twins,
        "outliers": outliers(sample, preparation.features),
        "populations": to_json(populations_of(sample, preparation.features)),
    }


def _fitted(
    sample: pd.DataFrame,
    findings: Findings,
    identified: Identified,
    *,
    specs: Sequence[FeatureSpec],
    policy: ClusteringPolicy,
    previous: ModelVersion | None,
) -> Fitted:
    ids, found, features = identified.ids, findings.outcome.fit, findings.preparation.features
    rows = sorted(range(len(ids)), key=lambda row: number_of(ids[row]))
    centroids = {ids[row]: found.centroids[row] for row in rows}
    sizes = {ids[row]: int(found.sizes[row]) for row in rows}
    by_name = {spec.name: spec for spec in specs}
    read = [by_name[feature.name] for feature in features]
    ordered = found.places.rows(rows)
    kinds = dict(zip(centroids, ordered.kinds, strict=True)) if ordered.kinds else {}
    told = tell(sample, findings, ids, read)
    segments = segments_of(
        centroids,
        sizes,
        read,
        kinds=kinds,
        floor=findings.floor,
        policy=policy,
        previous=previous,
        stages=told.stages,
    )
    model = CentroidModel(
        features,
        tuple(coordinates(centroid) for centroid in ordered.centroids),
        tuple(centroids),
        policy.margin,
        ordered.parts,
        ordered.soft,
    )
    return Fitted(
        algorithm=findings.algorithm,
        centroid_model=model,
        segments=segments,
        lineage=(*identified.events, *newly_held(segments, previous)),
        quality={
            **quality_of(findings, segments, sizes=sizes, specs=specs, policy=policy, previous=previous),
            **told.quality,
        },
        next_segment_number=identified.next_number,
        portrait=told.portrait,
    )
