"""Every clustering algorithm by its name in the settings."""

import difflib
from types import MappingProxyType
from typing import Final

from clustering.density import Dbscan, Hdbscan
from clustering.mixtures import Mixture
from clustering.models import Algorithm, Bisecting, Lloyd, Ward
from cohortd.core.errors import SettingsError

#: What the settings say to let the data choose among the algorithms.
AUTO: Final = "auto"

ALGORITHMS: Final[MappingProxyType[str, Algorithm]] = MappingProxyType(
    {
        "kmeans": Lloyd(),
        "bisecting_kmeans": Bisecting(),
        "gaussian_mixture": Mixture(),
        "ward": Ward(),
        "hdbscan": Hdbscan(),
        "dbscan": Dbscan(),
    }
)


def algorithm_named(name: str) -> Algorithm:
    """Find an algorithm by its name in the settings.

    Raises:
        SettingsError: There is none of that name.
    """
    if name in ALGORITHMS:
        return ALGORITHMS[name]
    known = (*ALGORITHMS, AUTO)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise SettingsError(f"segmentation.algorithm {name!r} is not known{hint} Known are: {', '.join(known)}")
