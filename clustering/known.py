"""Which algorithms there are, by their names in the settings; knows nothing of how they work."""

import difflib
from typing import Final

from cohortd.core.errors import SettingsError

#: What the settings say to let the data choose among the algorithms.
AUTO: Final = "auto"
NAMES: Final = ("kmeans", "bisecting_kmeans", "gaussian_mixture", "ward", "hdbscan", "dbscan")


def check_algorithm(name: str) -> None:
    """Refuse what is no algorithm.

    Raises:
        SettingsError: There is none of that name; says the nearest.
    """
    if name in NAMES:
        return
    known = (*NAMES, AUTO)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise SettingsError(f"segmentation.algorithm {name!r} is not known{hint} Known are: {', '.join(known)}")
