"""Features that say the same as another: in distances they would count twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from clustering.measuring import Points

#: With fewer customers two features are easily alike by chance.
_ENOUGH: Final = 30


@dataclass(frozen=True, slots=True)
class Twins:
    """What was decided, as the next fit must know it: a model that goes on keeps its features."""

    #: The limit by which it was decided.
    limit: float
    #: Feature that is left out -> the one that says the same.
    left_out: Mapping[str, str] = field(default_factory=dict)


def find_twins(
    points: Points,
    names: Sequence[str],
    *,
    limit: float,
    known: frozenset[str],
    before: Twins | None,
) -> dict[str, tuple[str, float]]:
    """Name each feature to leave out, the earlier one that says the same, and their correlation.

    Args:
        points: Prepared customers, one column a feature.
        names: Of the columns, in the order of the settings: of two the later one is left out.
        limit: The correlation from which two say the same, whatever its sign.
        known: Features of the model that goes on. They stay, and those it left out stay out, until the
            settings ask for other features or another limit: customers would move for nothing.
        before: What was decided for that model; None where the settings now ask for something else.
    """
    if limit >= 1 or len(points) < _ENOUGH or len(names) < 2:  # noqa: PLR2004 - twins are two
        return {}
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = np.atleast_2d(np.corrcoef(points, rowvar=False))
    goes_on = before is not None and before.limit == limit
    found: dict[str, tuple[str, float]] = {}
    kept: list[int] = []
    for place, name in _in_order(names, known if goes_on else frozenset()):
        twin = None
        if goes_on and before is not None and before.left_out.get(name) in names:
            twin = names.index(before.left_out[name])
        elif not (goes_on and name in known):
            twin = next((other for other in kept if abs(alike[place, other]) >= limit), None)
        if twin is None:
            kept.append(place)
        else:
            found[name] = (names[twin], float(alike[place, twin]))
    return found


def _in_order(names: Sequence[str], first: frozenset[str]) -> list[tuple[int, str]]:
    """Features that must stay come before those that may be left out for their sake."""
    return sorted(enumerate(names), key=lambda item: (item[1] not in first, item[0]))
