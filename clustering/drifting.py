"""How far the data has moved from a model: by feature, by distance, by how far segments are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd
from threadpoolctl import threadpool_limits

from clustering.measuring import Points, inertia, silhouettes, subset
from clustering.places import Places, places_of
from clustering.populations import Population, noise_of, of_json, psi_of
from clustering.preparing import prepare
from clustering.readings import BEYOND_COMPARE, Reading
from clustering.remembering import number_in, strings_in
from cohortd.core.modelling import FeatureSpec, ModelVersion, PreparedFeature

#: Features that grow by a day a day for everybody: that alone is no drift.
_AGEING: Final = frozenset({"tenure_days"})
#: Features in whole days up to the last one that has an event: the hour of the look is no drift.
_TO_THE_DAY: Final = frozenset({"recency_days"})
#: Features that go with the calendar and the weather, for everybody: distances say when it is too much.
_CALENDAR: Final = frozenset({"season_sin", "season_cos", "quarter_share", "context_mean"})
#: Points a silhouette is looked at over at every run: its standard deviation is 0.005.
_SILHOUETTE_POINTS: Final = 5000


def read_drift(sample: pd.DataFrame, specs: Sequence[FeatureSpec], previous: ModelVersion) -> Reading:
    """Look at *sample* with the model's eyes.

    A model that reads other features than the settings now ask for is beyond comparison.
    """
    asked = strings_in(previous.quality, "features")
    if asked and set(asked) != {spec.name for spec in specs}:
        return Reading(inertia_ratio=BEYOND_COMPARE, comparable=False)
    if sample.empty:
        return Reading()
    places = places_of(previous.centroid_model)
    with threadpool_limits(1):  # as in `fit`
        points = prepare(sample, previous.centroid_model.features)
        psi, noise = _by_feature(sample, previous)
        return Reading(
            psi,
            noise,
            inertia_ratio=_inertia_ratio(points, places, number_in(previous.quality, "inertia")),
            silhouette=_silhouette(points, places),
            silhouette_at_fit=number_in(previous.quality, "silhouette"),
        )


def _by_feature(sample: pd.DataFrame, previous: ModelVersion) -> tuple[dict[str, float], dict[str, float]]:
    then: Mapping[str, Population] = of_json(previous.quality.get("populations"))
    known = [
        feature
        for feature in previous.centroid_model.features
        if feature.name in then and _plain(feature.name) not in _CALENDAR
    ]
    found = {f.name: _psi(sample, f, then[f.name]) for f in known}
    noise = {f.name: noise_of(then[f.name], len(sample)) for f in known}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0]))), noise


def _psi(sample: pd.DataFrame, feature: PreparedFeature, then: Population) -> float:
    plain = _plain(feature.name)
    return psi_of(sample, feature, then, ages=plain in _AGEING, slack=1.0 if plain in _TO_THE_DAY else 0.0)


def _plain(name: str) -> str:
    """A feature's name without its window, and without the value of which it is the share."""
    return name.partition(":")[0].partition("@")[0]


def _inertia_ratio(points: Points, places: Places, at_fit: float | None) -> float:
    if at_fit is None:
        return 1.0
    now = inertia(points, places.centroids, places.nearest(points))
    if at_fit > 0:
        return min(now / at_fit, BEYOND_COMPARE)
    return BEYOND_COMPARE if now > 0 else 1.0


def _silhouette(points: Points, places: Places) -> float:
    some = points[subset(points, _SILHOUETTE_POINTS, seed=0)]
    return silhouettes(some, [places.nearest(some)])[0]
