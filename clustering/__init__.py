"""Features in, segments out that keep their identity; the only place that knows scikit-learn."""

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from clustering.drifting import BEYOND_COMPARE, DRIFT_LIMIT, DriftLimits, Reading, read_drift
from clustering.due import due
from clustering.policy import BelowMinimum, ClusteringPolicy
from clustering.preparing import Preparing
from clustering.sensitive import is_sensitive, refuse_sensitive
from clustering.wording import sensitive_words

if TYPE_CHECKING:
    from clustering.algorithms import ALGORITHMS
    from clustering.explaining import Explanation, explain
    from clustering.fitting import Fitted, fit
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

#: What needs scikit-learn is loaded when it is first asked for: a revocation must not wait for it.
_HEAVY: Final = MappingProxyType(
    {
        "ALGORITHMS": "algorithms",
        "Explanation": "explaining",
        "explain": "explaining",
        "Fitted": "fitting",
        "fit": "fitting",
        "fit_naive": "naive",
    }
)


def __getattr__(name: str) -> object:
    if name not in _HEAVY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HEAVY[name]}"), name)
