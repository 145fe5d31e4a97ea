"""How far each segment lies off all others, feature by feature, in deviations and in raw numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from clustering.measuring import Labels, Points
from cohortd.core.modelling import FeatureSpec

#: Effects kept for each segment, the largest first.
MOST_EFFECTS: Final = 5
#: Cohen's words for the size of d; below the least there is nothing to tell.
_SIZES: Final = ((0.8, "large"), (0.5, "medium"), (0.2, "small"))
#: A feature in which nobody of either side differs can set apart by any number of deviations.
MOST_D: Final = 20.0
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Effect:
    """One feature of one segment beside all other customers; numbers are the data's own."""

    feature: str
    title: str
    #: Difference of the means of prepared values in pooled deviations, positive where higher.
    d: float
    #: large, medium or small.
    size: str
    mean: float
    mean_others: float
    #: The middle customer's value.
    typical: float
    typical_others: float


def effect_matrix(points: Points, labels: Labels, segments: int) -> Points:
    """Cohen's d, a row a segment and a column a feature; 0 where there are no others to differ from."""
    found = np.zeros((segments, points.shape[1]))
    for row in range(segments):
        inside = labels == row
        if inside.any() and not inside.all():
            found[row] = _cohens_d(points[inside], points[~inside])
    return found


def largest_effects(
    matrix: Points, sample: pd.DataFrame, labels: Labels, specs: Sequence[FeatureSpec]
) -> list[list[Effect]]:
    """Tell of each segment in what it differs most, and by how much in raw numbers.

    Args:
        matrix: As ``effect_matrix`` gives it.
        sample: Raw features, one row a customer.
        labels: The segment's row of each.
        specs: The features, the columns of *matrix*.
    """
    raw = {
        spec.name: sample[spec.name].to_numpy(dtype=float) for spec in specs if spec.name in sample.columns
    }
    return [
        [
            _effect(specs[column], float(each[column]), raw[specs[column].name], labels == row)
            for column in np.argsort(-np.abs(each), kind="stable")[:MOST_EFFECTS]
            if size_of(float(each[column])) and specs[column].name in raw
        ]
        for row, each in enumerate(matrix)
    ]


def size_of(d: float) -> str:
    """Cohen's word for an effect; empty where it is too small for one."""
    return next((word for least, word in _SIZES if abs(d) >= least), "")


def significant(value: float, digits: int = _DIGITS) -> float:
    """Round to so many significant digits: more would be noise, and long."""
    return float(f"{value:.{digits}g}") if np.isfinite(value) else 0.0


def _cohens_d(inside: Points, others: Points) -> Points:
    freedom = max(len(inside) + len(others) - 2, 1)
    squares = [((part - part.mean(axis=0)) ** 2).sum(axis=0) for part in (inside, others)]
    pooled = np.sqrt((squares[0] + squares[1]) / freedom)
    apart = inside.mean(axis=0) - others.mean(axis=0)
    d = np.divide(apart, pooled, out=np.sign(apart) * MOST_D, where=pooled > 0)
    return np.asarray(np.clip(d, -MOST_D, MOST_D), dtype=np.float64)


def _effect(
    spec: FeatureSpec, d: float, values: Points, inside: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> Effect:
    own, others = (part[np.isfinite(part)] for part in (values[inside], values[~inside]))
    return Effect(
        feature=spec.name,
        title=spec.title,
        d=round(d, 2),
        size=size_of(d),
        mean=significant(float(own.mean()) if len(own) else 0.0),
        mean_others=significant(float(others.mean()) if len(others) else 0.0),
        typical=significant(float(np.median(own)) if len(own) else 0.0),
        typical_others=significant(float(np.median(others)) if len(others) else 0.0),
    )
