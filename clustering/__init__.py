"""Features in, segments out that keep their identity; the only place that knows scikit-learn."""

from clustering.algorithms import ALGORITHMS
from clustering.due import BEYOND_COMPARE, DRIFT_LIMIT, drift, due
from clustering.fitting import Fitted, fit
from clustering.naive import fit_naive
from clustering.policy import BelowMinimum, ClusteringPolicy
from clustering.wording import sensitive_words

__all__ = [
    "ALGORITHMS",
    "BEYOND_COMPARE",
    "DRIFT_LIMIT",
    "BelowMinimum",
    "ClusteringPolicy",
    "Fitted",
    "drift",
    "due",
    "fit",
    "fit_naive",
    "sensitive_words",
]
