"""How customers spread over a feature, remembered in a few numbers, and how far that has moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from clustering.preparing import column_of
from clustering.scaling import Numbers, filled
from cohortd.core.modelling import PreparedFeature

#: Tenths of the customers the fit was made on.
_PARTS: Final = 10
#: Added to every count: a part that was or is empty must not weigh without end.
_SMOOTH: Final = 0.5
#: How rarely chance alone may pass for drift, a feature and a look.
_BY_CHANCE: Final = 0.001


@dataclass(frozen=True, slots=True)
class Population:
    """The customers of one feature: how many are up to the first cut, up to the second, and above the last.

    Cuts are raw values, so that another scaling changes nothing.
    """

    cuts: tuple[float, ...]
    counts: tuple[int, ...]
    #: What all but one in a hundred customers do not exceed.
    top: float

    @property
    def customers(self) -> int:
        """How many there are in all."""
        return sum(self.counts)


def populations_of(sample: pd.DataFrame, features: Sequence[PreparedFeature]) -> dict[str, Population]:
    """Remember a sample by the deciles of its features; equal deciles are one."""
    found = {}
    for feature in features:
        values = filled(column_of(sample, feature.name), feature.fill)
        deciles = np.quantile(values, np.arange(1, _PARTS) / _PARTS, method="inverted_cdf")
        cuts = np.unique(deciles[deciles < values.max()])
        found[feature.name] = Population(_floats(cuts), _counts(values, cuts), _top(values))
    return found


def psi_of(
    sample: pd.DataFrame,
    feature: PreparedFeature,
    then: Population,
    *,
    ages: bool = False,
    slack: float = 0.0,
) -> float:
    """The population stability index of a feature: 0 where customers spread over it as they did *then*.

    With *ages* it grows for everybody as time goes by, as tenure does: that much, seen at those who have
    most of it, is no drift. Everybody grew a week older in a week, and nobody became another customer.

    With *slack* it may be that much more or less for everybody, whichever fits best: days since
    somebody was here are one more for all as soon as a new day has its first event.
    """
    values = filled(column_of(sample, feature.name), feature.fill)
    if ages:
        values = values - (_top(values) - then.top)
    shifts = (0.0, slack, -slack) if slack else (0.0,)
    return min(_index(values + shift, then) for shift in shifts)


def _index(values: Numbers, then: Population) -> float:
    was = _shares(then.counts)
    now = _shares(_counts(values, np.array(then.cuts)))
    return float(((now - was) * np.log(now / was)).sum())


def noise_of(then: Population, customers: int) -> float:
    """What the index of two draws from one population stays below, but for one look in a thousand.

    It is chi-squared with as many degrees of freedom as there are cuts, times the sum of one over both
    numbers of customers: with few customers alone it is large (B. Yurdakul, 2018).
    """
    if not then.cuts or not customers:
        return 0.0
    # Loaded only here: it takes longer than most commands, which look at no drift.
    from scipy.special import chdtri  # noqa: PLC0415

    return float(chdtri(len(then.cuts), _BY_CHANCE)) * (1 / then.customers + 1 / customers)


def to_json(populations: Mapping[str, Population]) -> dict[str, object]:
    """As a model's quality record keeps them."""
    return {
        name: {"cuts": list(each.cuts), "counts": list(each.counts), "top": each.top}
        for name, each in populations.items()
    }


def of_json(kept: object) -> dict[str, Population]:
    """Read them back; a record from before they were kept has none."""
    if not isinstance(kept, Mapping):
        return {}
    return {
        str(name): Population(tuple(each["cuts"]), tuple(each["counts"]), each["top"])
        for name, each in kept.items()
    }


def _counts(values: Numbers, cuts: Numbers) -> tuple[int, ...]:
    parts = np.searchsorted(cuts, values, side="left")
    return tuple(int(n) for n in np.bincount(parts, minlength=len(cuts) + 1))


def _shares(counts: Sequence[int]) -> Numbers:
    smoothed = np.array(counts, dtype=np.float64) + _SMOOTH
    return np.asarray(smoothed / smoothed.sum(), dtype=np.float64)


def _top(values: Numbers) -> float:
    return float(np.quantile(values, 0.99, method="inverted_cdf"))


def _floats(numbers: Numbers) -> tuple[float, ...]:
    return tuple(float(number) for number in numbers)
