"""Why segments are what they are: effects, rules, journey and a portrait of one fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from clustering.effects import effect_matrix, largest_effects
from clustering.explaining import explain
from clustering.finding import Findings
from clustering.journey import journey
from clustering.portraying import portray
from cohortd.core.modelling import FeatureSpec
from cohortd.core.portrait import Portrait


@dataclass(frozen=True, slots=True)
class Told:
    """What people may ask of a fit; JSON is kept with the version, the portrait only drawn."""

    #: Segment id -> step of the journey.
    stages: Mapping[str, str]
    quality: dict[str, object]
    portrait: Portrait


def tell(
    sample: pd.DataFrame, findings: Findings, ids: Sequence[str], specs: Sequence[FeatureSpec]
) -> Told:
    """Compare, explain and portray the segments of a fit.

    Args:
        sample: The raw features that were fitted on.
        findings: What came of it.
        ids: The segment of each row of the fit.
        specs: The features of its centroids.
    """
    fit, points = findings.outcome.fit, findings.points
    matrix = effect_matrix(points, fit.labels, len(ids))
    effects = largest_effects(matrix, sample, fit.labels, specs)
    read = journey(sample, fit.labels, len(ids), specs)
    stages = dict(zip(ids, read.stages, strict=True))
    explanation = explain(sample, [ids[row] for row in fit.labels], specs)
    return Told(
        stages=stages,
        quality={
            "effects": {each: [asdict(e) for e in told] for each, told in zip(ids, effects, strict=True)},
            "explanation": explanation.to_json(),
            "stages": {"read_from": read.read_from, **stages},
        },
        portrait=portray(
            points,
            fit.labels,
            fit.centroids,
            segment_ids=ids,
            specs=specs,
            effects=matrix,
            grown=findings.algorithm == "ward",
        ),
    )
