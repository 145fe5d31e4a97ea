"""Processor time of work, as little disturbed by what else runs as can be had."""

import time
from collections.abc import Callable, Sequence

_RUNS = 5


def cpu_seconds(parts: Sequence[Callable[[], object]], *, runs: int = _RUNS) -> float:
    """Do all *parts* several times, and add up the best time of each."""
    best = [float("inf")] * len(parts)
    for _ in range(runs):
        for number, part in enumerate(parts):
            start = time.process_time()
            part()
            best[number] = min(best[number], time.process_time() - start)
    return sum(best)
