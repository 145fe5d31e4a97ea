"""Features in, segments out that keep their identity; the only place that knows scikit-learn."""

from typing import TYPE_CHECKING

from clustering.due import due
from clustering.fitted import Fitted
from clustering.policy import DRIFT_LIMIT, BelowMinimum, ClusteringPolicy, DriftLimits, Preparing
from clustering.readings import BEYOND_COMPARE, Reading
from clustering.sensitive import is_sensitive, refuse_sensitive
from clustering.wording import sensitive_words
from cohortd.core.on_demand import on_demand

if TYPE_CHECKING:
    from clustering.algorithms import ALGORITHMS
    from clustering.drifting import read_drift
    from clustering.explaining import Explanation, explain
    from clustering.fitting import fit
    from clustering.naive import fit_naive

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

#: What needs numpy, pandas and scikit-learn.
__getattr__ = on_demand(
    __name__,
    {
        "ALGORITHMS": "algorithms",
        "Explanation": "explaining",
        "explain": "explaining",
        "fit": "fitting",
        "fit_naive": "naive",
        "read_drift": "drifting",
    },
)
