"""Every clustering algorithm by its name in the settings."""

from types import MappingProxyType
from typing import Final

from clustering.density import Dbscan, Hdbscan
from clustering.known import check_algorithm
from clustering.mixtures import Mixture
from clustering.models import Algorithm, Bisecting, Lloyd, Ward

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
    check_algorithm(name)
    return ALGORITHMS[name]
