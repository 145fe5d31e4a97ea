"""When a model is refitted, and how far the data has moved from it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import pandas as pd

from clustering.measuring import inertia
from clustering.places import places_of
from clustering.preparing import prepare
from clustering.remembering import number_in, strings_in
from cohortd.core.modelling import FeatureSpec, ModelVersion

#: A model whose customers lie this much farther from their centroids than at its fit is stale.
DRIFT_LIMIT: Final = 1.1
#: What drift() answers when no ratio can be had; large, finite and fit for JSON.
BEYOND_COMPARE: Final = 1000.0


def due(
    previous: ModelVersion | None,
    *,
    as_of: datetime,
    refit_every: timedelta,
    force: bool,
    drift: float | None,
    drift_limit: float = DRIFT_LIMIT,
) -> str | None:
    """Say why a refit is wanted: first, forced, due or drifted; None when the model may stay.

    Args:
        previous: The current model.
        as_of: The time the features look back from.
        refit_every: Age, by data, at which a model is due.
        force: Whether a person asked for it.
        drift: What `drift` answered, or None where it was not asked.
        drift_limit: The most of it that a model may live with.
    """
    if previous is None:
        return "first"
    if force:
        return "forced"
    if as_of - previous.as_of >= refit_every:
        return "due"
    if drift is not None and drift > drift_limit:
        return "drifted"
    return None


def drift(sample: pd.DataFrame, specs: Sequence[FeatureSpec], previous: ModelVersion) -> float:
    """Inertia per customer under the previous model, relative to what it was at its fit.

    A model that reads other features than the settings now ask for is beyond comparison.
    """
    asked = strings_in(previous.quality, "features")
    if asked and set(asked) != {spec.name for spec in specs}:
        return BEYOND_COMPARE
    at_fit = number_in(previous.quality, "inertia")
    if sample.empty or at_fit is None:
        return 1.0
    places = places_of(previous.centroid_model)
    points = prepare(sample, previous.centroid_model.features)
    now = inertia(points, places.centroids, places.nearest(points))
    if at_fit > 0:
        return min(now / at_fit, BEYOND_COMPARE)
    return BEYOND_COMPARE if now > 0 else 1.0
