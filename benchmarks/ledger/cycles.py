"""The ledger itself, at its work."""

import time
from datetime import timedelta
from typing import Final

import numpy as np

from benchmarks.ledger import beside
from benchmarks.ledger.measuring import Spent, peak_mb
from benchmarks.ledger.opening import NOW, TARGET, opened, revocation
from benchmarks.ledger.people import KINDS, Words, digests_of, members, tables
from benchmarks.ledger.places import Place
from cohortd.core.delivery import BatchState, Receipt
from cohortd.core.identifiers import Family
from cohortd.core.planning import Delta
from cohortd.ledger import Ledger, Withdrawn

_BATCH: Final = 10_000
#: A platform takes at least as long to answer.
_CALL_S: Final = 0.15
_FORGETS_DAYS: Final = 540
#: Everybody is made anew for each.
_SLICES: Final = 16


def load(place: Place, count: int) -> dict[str, float]:
    """Bring everybody in as a first sync does: compared, queued, claimed, confirmed.

    Meanwhile another process takes consent back from one person after another, as ``revoke`` does.
    """
    with opened(place) as ledger, beside.revocations(place, count) as waited:
        planned, claimed, settled = Spent(), Spent(), Spent()
        _cycle(ledger, count, planned)
        with ledger.leadership() as epoch:
            _drain(ledger, epoch, claimed, settled)
    parts = {"plan": planned, "claim": claimed, "settle": settled}
    total = sum(spent.cpu_s for spent in parts.values())
    wall = sum(spent.wall_s for spent in parts.values())
    by_part = {f"{name}_cpu_s": spent.cpu_s for name, spent in parts.items()}
    return {"cpu_s": total, "wall_s": wall, "peak_mb": peak_mb(), **by_part, **waited}


def fill(place: Place, count: int) -> dict[str, float]:
    """Put everybody straight into the tables, as if they had been sent yesterday."""
    with opened(place):
        pass
    spent = Spent()
    sent = int((NOW - timedelta(days=1)).timestamp())
    with spent.more(), place.filling() as filler:
        for part in range(_SLICES):
            low, high = part * 256 // _SLICES, (part + 1) * 256 // _SLICES
            for kind in KINDS:
                digests, owners = _slice(count, kind, low, high)
                order = np.argsort(digests[:, 0].byteswap())
                filler.add(kind, digests[order], owners[order], sent)
    return {"cpu_s": spent.cpu_s, "wall_s": spent.wall_s, "peak_mb": peak_mb()}


def no_change(place: Place, count: int) -> dict[str, float]:
    """Plan and queue what is there already."""
    return _measured(place, count, changed=0)


def change(place: Place, count: int) -> dict[str, float]:
    """Plan and queue with another e-mail for one person in a hundred."""
    return _measured(place, count, changed=count // 100)


def revoke(place: Place, count: int) -> dict[str, float]:
    """Take consent back from a thousand people, one at a time and then another thousand at once."""
    some = min(1_000, count // 4)
    with opened(place) as ledger:
        single, waits = Spent(), []
        for number in range(some):
            start = time.perf_counter()
            with single.more():
                ledger.consent.withdraw(
                    revocation(number * (count // 2 // some)),
                    families=[Family.GOOGLE],
                    trigger="revoked",
                    now=NOW,
                )
            waits.append(time.perf_counter() - start)
        together = Spent()
        asked = [
            Withdrawn(revocation(count // 2 + n * (count // 2 // some)), [Family.GOOGLE])
            for n in range(some)
        ]
        with together.more():
            ledger.consent.withdraw_many(asked, trigger="revoked", now=NOW)
    waits.sort()
    return {
        "cpu_s": single.cpu_s,
        "wall_s": single.wall_s,
        "median_ms": 1000 * waits[len(waits) // 2],
        "p99_ms": 1000 * waits[len(waits) * 99 // 100],
        "slowest_ms": 1000 * waits[-1],
        "together_cpu_s": together.cpu_s,
        "together_wall_s": together.wall_s,
        "peak_mb": peak_mb(),
    }


def size(place: Place, count: int) -> dict[str, float]:
    """Say what the ledger's file takes a member, free pages aside."""
    return {"bytes_a_member": place.bytes_used() / count}


def _measured(place: Place, count: int, *, changed: int) -> dict[str, float]:
    with opened(place) as ledger:
        spent = Spent()
        delta, parts = _cycle(ledger, count, spent, changed=changed)
    if (delta.eligible, delta.adds, delta.removes) != (count, changed, changed):
        raise AssertionError(f"the ledger compares wrongly: {delta}")
    return {"cpu_s": spent.cpu_s, "wall_s": spent.wall_s, "peak_mb": peak_mb(), **parts}


def _cycle(ledger: Ledger, count: int, spent: Spent, *, changed: int = 0) -> tuple[Delta, dict[str, float]]:
    """Do what a sync does between reading the tables and sending; making the people is not counted."""
    parts = {name: Spent() for name in ("stage", "compare", "name", "queue")}
    with ledger.compare() as comparison:
        for table in tables(count, changed=changed):
            with spent.more(), parts["stage"].more():
                comparison.stage(TARGET, Family.GOOGLE, table)
        with spent.more(), parts["compare"].more():
            deltas = comparison.deltas(now=NOW, refresh_after=lambda _: _FORGETS_DAYS)
        with spent.more(), parts["name"].more():
            comparison.fingerprint()
        with ledger.leadership() as epoch, spent.more(), parts["queue"].more():
            comparison.enqueue(
                [TARGET], hold_adds=(), rows_per_batch=lambda _: _BATCH, version=1, at=NOW, epoch=epoch
            )
    return deltas[TARGET], {f"{name}_cpu_s": part.cpu_s for name, part in parts.items()}


def _drain(ledger: Ledger, epoch: int, claimed: Spent, settled: Spent) -> None:
    while True:
        with claimed.more():
            work = ledger.outbox.claim(
                now=NOW, epoch=epoch, destinations=["google"], overlapping=lambda _: True
            )
        if work is None:
            return
        time.sleep(_CALL_S)
        with settled.more():
            ledger.outbox.settle(
                work.batch.id, Receipt(BatchState.CONFIRMED), now=NOW, epoch=epoch, first_poll_s=None
            )


def _slice(count: int, kind: int, low: int, high: int) -> tuple[Words, Words]:
    found = []
    for first in range(0, count, 1_000_000):
        some = min(1_000_000, count - first)
        digests = digests_of(first, some, kind)
        byte = digests.view(np.uint8)[:, 0]
        places = np.flatnonzero((byte >= low) & (byte < high))
        found.append((digests[places], members(first, some)[places]))
    return np.concatenate([d for d, _ in found]), np.concatenate([m for _, m in found])
