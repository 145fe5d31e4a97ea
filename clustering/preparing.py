"""From raw features to comparable numbers, and back: impute, log1p, scale."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.measuring import Points
from clustering.places import Places, coordinates
from cohortd.core.modelling import FeatureSpec, Impute, Part, PreparedFeature

#: Center and scale are learnt between these quantiles, so one absurd value cannot flatten a feature.
_TRIM = (0.005, 0.995)
#: Prepared values are cut here while fitting, so one absurd customer cannot own a centroid.
_CLIP = 6.0
_NO_SPREAD = 1e-9


@dataclass(frozen=True, slots=True)
class Preparation:
    """The features a model reads, and why the others were left out."""

    features: tuple[PreparedFeature, ...]
    dropped: dict[str, str]


def learn(sample: pd.DataFrame, specs: Sequence[FeatureSpec]) -> Preparation:
    """Learn fill, center and scale of every feature that tells customers apart.

    Should none do, the first stays with scale 1: a model needs a feature to be computed.
    """
    features: list[PreparedFeature] = []
    dropped: dict[str, str] = {}
    for spec in specs:
        values = _column(sample, spec.name)
        feature = _learn_one(values, spec)
        if feature is not None:
            features.append(feature)
        else:
            absent = not np.isfinite(values).any()
            dropped[spec.name] = "absent for everybody" if absent else "the same for everybody"
    if not features:
        features.append(_constant(_column(sample, specs[0].name), specs[0]))
    return Preparation(tuple(features), dropped)


def prepare(sample: pd.DataFrame, features: Sequence[PreparedFeature]) -> Points:
    """One row a customer, one column a feature, cut at six deviations; a missing column is absent."""
    columns = [
        _scaled(_filled(_column(sample, feature.name), feature.fill), feature) for feature in features
    ]
    return np.clip(np.stack(columns, axis=1), -_CLIP, _CLIP)


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
        _scaled(_raw(places.centroids[:, number], old), new)
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


def _learn_one(values: NDArray[np.float64], spec: FeatureSpec) -> PreparedFeature | None:
    present = values[np.isfinite(values)]
    if not len(present):
        return None
    fill = float(np.median(present)) if spec.impute is Impute.MEDIAN else 0.0
    numbers = _logged(_filled(values, fill), log=spec.heavy_tail)
    trimmed = np.clip(numbers, *np.quantile(numbers, _TRIM))
    # Rare features (a coupon used by one in a thousand) have no spread left after trimming.
    settled = trimmed if _spread(trimmed) else numbers
    if not _spread(settled):
        return None
    return PreparedFeature(spec.name, fill, spec.heavy_tail, float(settled.mean()), float(settled.std()))


def _constant(values: NDArray[np.float64], spec: FeatureSpec) -> PreparedFeature:
    present = values[np.isfinite(values)]
    fill = float(present[0]) if len(present) else 0.0
    center = float(_logged(np.array([fill]), log=spec.heavy_tail)[0])
    return PreparedFeature(spec.name, fill, spec.heavy_tail, center, 1.0)


def _column(sample: pd.DataFrame, name: str) -> NDArray[np.float64]:
    if name not in sample.columns:
        return np.full(len(sample), np.nan)
    return sample[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _filled(values: NDArray[np.float64], fill: float) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, fill)


def _logged(values: NDArray[np.float64], *, log: bool) -> NDArray[np.float64]:
    return np.log1p(np.maximum(values, 0.0)) if log else values


def _scaled(raw: NDArray[np.float64], feature: PreparedFeature) -> NDArray[np.float64]:
    return (_logged(raw, log=feature.log) - feature.center) / feature.scale


def _raw(prepared: NDArray[np.float64], feature: PreparedFeature) -> NDArray[np.float64]:
    numbers = prepared * feature.scale + feature.center
    return np.expm1(numbers) if feature.log else numbers


def _spread(numbers: NDArray[np.float64]) -> bool:
    return float(numbers.std()) > _NO_SPREAD * max(1.0, float(np.abs(numbers).max()))
