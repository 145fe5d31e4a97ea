"""How long to wait after a failure where the platform does not say."""

from collections.abc import Callable

#: Gives a number from 0 to below 1; ``random.random``, or none of it in tests.
Chance = Callable[[], float]
_MOST_DOUBLINGS = 30


def back_off_s(failures: int, *, first_s: float, longest_s: float, chance: Chance) -> float:
    """Seconds to wait after so many failures in a row: twice as long each time, half of it by chance.

    The one half is certain, so that a platform in trouble is not asked again at once. The other is not,
    so that all who found it in trouble do not come back together, at the longest wait neither.
    """
    bound = min(first_s * 2.0 ** min(max(failures - 1, 0), _MOST_DOUBLINGS), longest_s)
    return bound * (1 + chance()) / 2
