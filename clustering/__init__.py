"""Features in, segments out that keep their identity; the only place that knows scikit-learn."""

from clustering.algorithms import ALGORITHMS
from clustering.drifting import BEYOND_COMPARE, DRIFT_LIMIT, DriftLimits, Reading, read_drift
from clustering.due import due
from clustering.explaining import Explanation, explain
from clustering.fitting import Fitted, fit
from clustering.naive import fit_naive
from clustering.policy import BelowMinimum, ClusteringPolicy
from clustering.preparing import Preparing
from clustering.sensitive import is_sensitive, refuse_sensitive
from clustering.wording import sensitive_words

__all__ = [
    "ALGORITHMS",
    "BEYOND_COMPARE",
    "DRIFT_LIMIT",
    "BelowMinimum",
    "ClusteringPolicy",
    "DriftLimits",
    "Explanation",
    "Fitted",
    "Preparing",
    "Reading",
    "due",
    "explain",
    "fit",
    "fit_naive",
    "is_sensitive",
    "read_drift",
    "refuse_sensitive",
    "sensitive_words",
]
