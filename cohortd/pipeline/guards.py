"""The guards of law 9: pure checks of a plan's numbers against the limits."""

from collections.abc import Iterable, Mapping

from cohortd.core.planning import Delta, GuardStop, Target
from cohortd.core.reporting import SourceReport


def bad_rows(sources: Iterable[SourceReport], *, limit: float) -> list[GuardStop]:
    """Stop where a table lost more than *limit* of its rows to faults."""
    stops = []
    for source in sources:
        lost = sum(source.dropped.values())
        if source.read and lost / source.read > limit:
            reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(source.dropped.items()))
            stops.append(
                GuardStop(
                    "bad_rows",
                    f"{source.table}: {lost:,} of {source.read:,} rows could not be used"
                    f" ({_percent(lost / source.read)}, limit {_percent(limit)}): {reasons}",
                )
            )
    return stops


def source_drop(rows: Mapping[str, int], before: Mapping[str, int], *, limit: float) -> list[GuardStop]:
    """Stop where a table shrank by more than *limit* since the last finished sync."""
    stops = []
    for table, was in sorted(before.items()):
        now = rows.get(table, 0)
        drop = (was - now) / was if was else 0.0
        if drop > limit:
            stops.append(
                GuardStop(
                    "source_drop",
                    f"{table}: {now:,} rows, {was:,} at the last sync"
                    f" ({_percent(drop)} fewer, limit {_percent(limit)})",
                )
            )
    return stops


def moved_share(share: float | None, *, limit: float) -> list[GuardStop]:
    """Stop where more than *limit* of the customers changed segment."""
    if share is None or share <= limit:
        return []
    return [
        GuardStop(
            "moved_share", f"{_percent(share)} of the customers changed segment, limit {_percent(limit)}"
        )
    ]


def removed_share(
    deltas: Mapping[Target, Delta], *, limit: float, names: Mapping[str, str]
) -> list[GuardStop]:
    """Stop where more than *limit* of an audience, or of a destination in all, would leave.

    *names* are the segments' by id; one that is gone has none.
    """
    stops = []
    totals: dict[str, tuple[int, int]] = {}
    for target, delta in sorted(deltas.items(), key=lambda item: (item[0].destination, item[0].audience)):
        removes, present = totals.get(target.destination, (0, 0))
        totals[target.destination] = (removes + delta.removes, present + delta.present)
        name = names.get(target.audience)
        called = f"{name} ({target.audience})" if name else target.audience
        stops += _leaving(f"{called} on {target.destination}", delta.removes, delta.present, limit=limit)
    if not stops:
        for destination, (removes, present) in sorted(totals.items()):
            stops += _leaving(f"{destination} in all", removes, present, limit=limit)
    return stops


def _leaving(where: str, removes: int, present: int, *, limit: float) -> list[GuardStop]:
    if not present or removes / present <= limit:
        return []
    return [
        GuardStop(
            "removed_share",
            f"{where}: {removes:,} of {present:,} members would be removed"
            f" ({_percent(removes / present)}, limit {_percent(limit)})",
        )
    ]


def _percent(share: float) -> str:
    return f"{share:.1%}"
