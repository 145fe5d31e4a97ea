"""How one feature is prepared: what absent means, whether to take logs, the middle and the spread."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clustering.policy import Scaling
from cohortd.core.modelling import FeatureSpec, Impute, PreparedFeature

Numbers = NDArray[np.float64]

#: Center and scale are learnt between these quantiles, so one absurd value cannot flatten a feature.
_TRIM: Final = (0.005, 0.995)
_NO_SPREAD: Final = 1e-9
#: The quartiles of a normal distribution are this many deviations apart.
_QUARTILES_APART: Final = 1.349
#: From this skewness on an attribute has a heavy tail.
_SKEWED: Final = 1.0


def learn_one(
    values: Numbers, spec: FeatureSpec, *, scaling: Scaling, known: PreparedFeature | None
) -> PreparedFeature | None:
    """Learn to prepare a feature; None where it is absent or the same for everybody.

    Args:
        values: Raw, one a customer; not finite where absent.
        spec: What an absent value means, and whether to take logs.
        scaling: What center and scale are.
        known: How the model that goes on prepares it: whether it takes logs does not change there.
    """
    present = values[np.isfinite(values)]
    if not len(present):
        return None
    fill = float(np.median(present)) if spec.impute is Impute.MEDIAN else 0.0
    log = _takes_logs(present, spec, known)
    numbers = logged(filled(values, fill), log=log)
    trimmed = np.clip(numbers, *np.quantile(numbers, _TRIM))
    # Rare features (a coupon used by one in a thousand) have no spread left after trimming.
    settled = trimmed if _spread(trimmed) else numbers
    if not _spread(settled):
        return None
    center, scale = float(settled.mean()), float(settled.std())
    if scaling == "robust":
        center, scale = _robust(numbers, (center, scale))
    return PreparedFeature(spec.name, fill, log, center, scale)


def constant(values: Numbers, spec: FeatureSpec) -> PreparedFeature:
    """Prepare a feature in which nobody differs: everybody is at 0."""
    present = values[np.isfinite(values)]
    fill = float(present[0]) if len(present) else 0.0
    log = bool(spec.heavy_tail)
    center = float(logged(np.array([fill]), log=log)[0])
    return PreparedFeature(spec.name, fill, log, center, 1.0)


def filled(values: Numbers, fill: float) -> Numbers:
    """Put *fill* where a value is absent."""
    return np.where(np.isfinite(values), values, fill)


def logged(values: Numbers, *, log: bool) -> Numbers:
    """Take logs where *log*; what is below 0 counts as 0 there."""
    return np.log1p(np.maximum(values, 0.0)) if log else values


def scaled(raw: Numbers, feature: PreparedFeature) -> Numbers:
    """Bring raw values to deviations from the middle."""
    return (logged(raw, log=feature.log) - feature.center) / feature.scale


def unscaled(prepared: Numbers, feature: PreparedFeature) -> Numbers:
    """Bring deviations back to raw values."""
    numbers = prepared * feature.scale + feature.center
    return np.expm1(numbers) if feature.log else numbers


def _takes_logs(present: Numbers, spec: FeatureSpec, known: PreparedFeature | None) -> bool:
    """The catalog knows it of its own features; of an attribute the sample says it, once."""
    if spec.heavy_tail is not None:
        return spec.heavy_tail
    if known is not None:
        return known.log
    if present.min() < 0:
        return False  # logs would make all of these one
    skew = _skewness(present)
    return skew > _SKEWED and abs(_skewness(np.log1p(present))) < skew


def _skewness(numbers: Numbers) -> float:
    if not _spread(numbers):
        return 0.0
    return float((((numbers - numbers.mean()) / numbers.std()) ** 3).mean())


def _robust(numbers: Numbers, standard: tuple[float, float]) -> tuple[float, float]:
    """Median and quartiles; where most customers are alike these show no spread, and the standard stays."""
    low, middle, high = np.quantile(numbers, (0.25, 0.5, 0.75))
    scale = float(high - low) / _QUARTILES_APART
    if scale <= _NO_SPREAD * max(1.0, float(np.abs(numbers).max())):
        return standard
    return float(middle), scale


def _spread(numbers: Numbers) -> bool:
    return float(numbers.std()) > _NO_SPREAD * max(1.0, float(np.abs(numbers).max()))
