"""What clustering does where the engine is; see ``Engine.near``. Nothing else of a run is loaded there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import clustering
from cohortd.core.modelling import FeatureSpec, ModelVersion

if TYPE_CHECKING:
    import pandas as pd

    from cohortd.engine import Engine, StagedTable


def fit(
    engine: Engine,
    features: StagedTable,
    specs: Sequence[FeatureSpec],
    policy: clustering.ClusteringPolicy,
    *,
    sample_size: int,
    previous: ModelVersion | None,
    before: Path | None,
    next_segment_number: int,
) -> clustering.Fitted:
    """Fit over a sample; *before* is the assignment that was applied last, where there is one."""
    labels: pd.Series[str] | None = engine.read_assignment(before) if before is not None else None
    return clustering.fit(
        engine.sample(features, sample_size, "fit"),
        specs,
        policy,
        total=engine.count(features),
        previous=previous,
        previous_labels=labels,
        next_segment_number=next_segment_number,
    )


def read_drift(
    engine: Engine,
    features: StagedTable,
    specs: Sequence[FeatureSpec],
    current: ModelVersion,
    *,
    sample_size: int,
) -> clustering.Reading:
    """Look at a sample with the eyes of a model."""
    return clustering.read_drift(engine.sample(features, sample_size, "drift"), specs, current)
