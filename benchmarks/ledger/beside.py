"""What revocations of another process wait while the leader is busy with something large."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Final

from benchmarks.ledger.opening import NOW, opened, revocation
from benchmarks.ledger.places import Place
from cohortd.core.identifiers import Family

_PAUSE_S: Final = 0.2


@contextmanager
def revocations(place: Place, count: int) -> Iterator[dict[str, float]]:
    """Revoke one person after another for the length of the block; what they waited is known behind it."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_revoke, args=(place, count, theirs))
    waited: dict[str, float] = {}
    process.start()
    try:
        yield waited
        ours.send("enough")
        waits = sorted(ours.recv())
    finally:
        process.kill()
        process.join()
    waited["beside_revocations"] = len(waits)
    waited["beside_median_ms"] = 1000 * waits[len(waits) // 2]
    waited["beside_slowest_ms"] = 1000 * waits[-1]


def _revoke(place: Place, count: int, told: Connection) -> None:
    waits: list[float] = []
    with opened(place) as ledger:
        while not told.poll(_PAUSE_S) or not waits:
            start = time.perf_counter()
            ledger.consent.withdraw(
                revocation(count - 1 - len(waits)), families=[Family.GOOGLE], trigger="revoked", now=NOW
            )
            waits.append(time.perf_counter() - start)
    told.send(waits)
