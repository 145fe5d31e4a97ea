"""The yardstick: a fresh fit with scikit-learn's raw numbers, remembering nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from clustering.measuring import Labels
from clustering.models import COLD_STARTS
from clustering.preparing import learn, prepare
from clustering.scoring import distinct
from cohortd.core.modelling import FeatureSpec


def fit_naive(sample: pd.DataFrame, specs: Sequence[FeatureSpec], k: int, seed: int) -> Labels:
    """Cluster afresh; one raw label a row, in the sample's order.

    Same preparation and algorithm as `fit`, so what differs is identity alone.
    """
    if sample.empty:
        return np.zeros(0, dtype=np.intp)
    points = prepare(sample, learn(sample, specs).features)
    with threadpool_limits(1):
        model = KMeans(min(k, distinct(points)), n_init=COLD_STARTS, random_state=seed)
        return np.asarray(model.fit_predict(points), dtype=np.intp)
