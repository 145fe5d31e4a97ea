"""The most memory a process takes while customers stream through it."""

import multiprocessing
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from benchmarks.identity.customers import batches
from cohortd.core.identifiers import Family
from cohortd.identity import identify

_KIBIBYTES = 1024
_FIELDS = ["email", "first_name", "last_name", "city", "postal_code", "country", "phone"]


@dataclass(frozen=True, slots=True)
class Peak:
    """One stream, measured in a process of its own."""

    rows: int
    mebibytes: float
    seconds: float


def peaks(sizes: Sequence[int]) -> list[Peak]:
    """Measure one stream after the other; customers are made as they are read."""
    return [_peak(rows) for rows in sizes]


def _peak(rows: int) -> Peak:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_stream, args=(rows, there))
    process.start()
    found = here.recv()
    process.join()
    assert isinstance(found, Peak)
    return found


def _stream(rows: int, answer: Connection) -> None:
    start = time.perf_counter()
    for batch in batches(rows):
        for family in Family:
            identify(batch.select(_FIELDS), family, default_region="US", hashed=frozenset())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIBIBYTES
    answer.send(Peak(rows, most, time.perf_counter() - start))
