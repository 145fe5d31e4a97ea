"""From raw features to comparable numbers, and back: impute, log1p, scale, without twins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd

from clustering.measuring import Points
from clustering.places import Places, coordinates
from clustering.policy import Preparing
from clustering.remembering import number_in, strings_in, texts_in
from clustering.scaling import Numbers, constant, filled, learn_one, scaled, unscaled
from clustering.twins import Twins, find_twins
from cohortd.core.modelling import FeatureSpec, ModelVersion, Part, PreparedFeature

#: Prepared values are cut here while fitting, so one absurd customer cannot own a centroid.
OUTLIER_LIMIT: Final = 6.0


@dataclass(frozen=True, slots=True)
class Preparation:
    """The features a model reads, and why the others were left out."""

    features: tuple[PreparedFeature, ...]
    #: Feature -> why, in words.
    dropped: dict[str, str]
    #: Feature left out -> the one that says the same.
    twins: dict[str, str] = field(default_factory=dict)


def learn(
    sample: pd.DataFrame,
    specs: Sequence[FeatureSpec],
    how: Preparing | None = None,
    previous: ModelVersion | None = None,
) -> Preparation:
    """Learn fill, center and scale of every feature that tells customers apart.

    Should none do, the first stays with scale 1: a model needs a feature to be computed.

    Args:
        sample: Raw features, one row a customer.
        specs: What the settings ask for, in their order.
        how: What people decide.
        previous: The model that goes on. Which of its features take logs, and which were left out
            because another says the same, stays.
    """
    how = how or Preparing()
    before = _features_of(previous)
    features: dict[str, PreparedFeature] = {}
    dropped: dict[str, str] = {}
    for spec in specs:
        values = column_of(sample, spec.name)
        feature = learn_one(values, spec, scaling=how.scaling, known=before.get(spec.name))
        if feature is not None:
            features[spec.name] = feature
        else:
            absent = not np.isfinite(values).any()
            dropped[spec.name] = "absent for everybody" if absent else "the same for everybody"
    if not features:
        return Preparation((constant(column_of(sample, specs[0].name), specs[0]),), dropped)
    twins = find_twins(
        prepare(sample, tuple(features.values())),
        tuple(features),
        limit=how.correlation_limit,
        known=frozenset(before),
        before=_twins_of(previous, specs, how),
    )
    for name, (other, correlation) in twins.items():
        dropped[name] = f"says the same as {other} (correlation {correlation:.2f})"
    read = tuple(feature for name, feature in features.items() if name not in twins)
    return Preparation(read, dropped, {name: other for name, (other, _) in twins.items()})


def prepare(sample: pd.DataFrame, features: Sequence[PreparedFeature]) -> Points:
    """One row a customer, one column a feature, cut at six deviations; a missing column is absent."""
    return np.clip(_uncut(sample, features), -OUTLIER_LIMIT, OUTLIER_LIMIT)


def outliers(sample: pd.DataFrame, features: Sequence[PreparedFeature]) -> dict[str, int]:
    """Count whose value was cut while fitting, by feature; features without any are left out."""
    cut = (np.abs(_uncut(sample, features)) > OUTLIER_LIMIT).sum(axis=0)
    return {feature.name: int(n) for feature, n in zip(features, cut, strict=True) if n}


def column_of(sample: pd.DataFrame, name: str) -> Numbers:
    """One raw feature; NaN where it is absent, everywhere where the column is."""
    if name not in sample.columns:
        return np.full(len(sample), np.nan)
    return sample[name].to_numpy(dtype=np.float64, na_value=np.nan)


def re_express(
    places: Places, before: Sequence[PreparedFeature], after: Sequence[PreparedFeature]
) -> Places | None:
    """The same places in raw units, prepared anew; None where a feature was not known before.

    Raw units are what survives a refitted scaler: without this a warm start drifts.
    """
    known = {feature.name: number for number, feature in enumerate(before)}
    if any(feature.name not in known for feature in after):
        return None
    order = [known[feature.name] for feature in after]
    pairs = [(before[number], feature) for number, feature in zip(order, after, strict=True)]
    columns = [
        scaled(unscaled(places.centroids[:, number], old), new)
        for number, (old, new) in zip(order, pairs, strict=True)
    ]
    centroids = np.stack(columns, axis=1)
    if any(old.log != new.log for old, new in pairs):
        return Places(centroids)  # what was an ellipsoid is none any more
    stretch = np.array([new.scale / old.scale for old, new in pairs])
    shift = np.array([(new.center - old.center) / old.scale for old, new in pairs])
    parts = (_re_expressed(part, order, stretch, shift) for part in places.parts)
    return Places(centroids, tuple(parts), places.soft)


def _re_expressed(part: Part, order: Sequence[int], stretch: Points, shift: Points) -> Part:
    if not part.center:
        return part
    center = (np.array(part.center)[list(order)] - shift) / stretch
    axes = np.array(part.axes)[:, list(order)] if part.axes else np.eye(len(order))
    stretched = axes * stretch
    return replace(part, center=coordinates(center), axes=tuple(coordinates(axis) for axis in stretched))


def _uncut(sample: pd.DataFrame, features: Sequence[PreparedFeature]) -> Points:
    columns = [
        scaled(filled(column_of(sample, feature.name), feature.fill), feature) for feature in features
    ]
    return np.stack(columns, axis=1)


def _features_of(previous: ModelVersion | None) -> dict[str, PreparedFeature]:
    if previous is None:
        return {}
    return {feature.name: feature for feature in previous.centroid_model.features}


def _twins_of(previous: ModelVersion | None, specs: Sequence[FeatureSpec], how: Preparing) -> Twins | None:
    """What was decided for a model of the same features; None where there is none, or of others."""
    if previous is None:
        return None
    quality = previous.quality
    if set(strings_in(quality, "features")) != {spec.name for spec in specs}:
        return None
    # A model from before there was a limit keeps what it reads.
    limit = number_in(quality, "correlation_limit") or how.correlation_limit
    return Twins(limit, texts_in(quality, "twins"))
