"""The guards of law 9: pure checks of a plan's numbers against the limits."""

from collections.abc import Iterable, Mapping

from cohortd.core.planning import Delta, GuardStop, Target
from cohortd.core.quality import SourceQuality
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


def null_share(
    sources: Iterable[SourceQuality], before: Mapping[tuple[str, str], float], *, limit: float
) -> list[GuardStop]:
    """Stop where a column has lost the values of more than *limit* of its table's rows.

    *before* is the share of rows with a value by table and column, at the last finished sync; a
    column that was not read then, or is not now, says nothing.
    """
    stops = []
    for (table, column), now in filled_shares(sources).items():
        was = before.get((table, column), 0.0)
        if was - now > limit:
            stops.append(
                GuardStop(
                    "null_share",
                    f"{table}.{column}: {_percent(now)} of the rows have a value, {_percent(was)} at the"
                    f" last sync (limit {_percent(limit)} fewer)",
                )
            )
    return stops


def filled_shares(sources: Iterable[SourceQuality]) -> dict[tuple[str, str], float]:
    """Give the share of rows with a value by table and column."""
    return {
        (source.table, field.name): field.rows / source.counted
        for source in sources
        for field in source.fields
        if source.counted
    }


def moved_share(share: float | None, *, limit: float) -> list[GuardStop]:
    """Stop where more than *limit* of the customers changed segment."""
    if share is None or share <= limit:
        return []
    return [
        GuardStop(
            "moved_share", f"{_percent(share)} of the customers changed segment, limit {_percent(limit)}"
        )
    ]


def churn_budget(moved: float, *, without: float, limit: float, version: int) -> GuardStop | None:
    """Keep model version *version* in force where another would move more than *limit*.

    Unless as many move under the one in force too: then to stay with it spares nobody anything.
    """
    if moved <= limit or moved <= without:
        return None
    return GuardStop(
        "churn_budget",
        f"{_percent(moved)} of the customers would change segment, limit {_percent(limit)}; under model"
        f" version {version}, which stays in force, {_percent(without)} do",
    )


def removed_share(
    deltas: Mapping[Target, Delta], *, limit: float, names: Mapping[str, str]
) -> list[GuardStop]:
    """Stop where more than *limit* of an audience, or of a destination in all, would leave.

    *names* are the segments' by id; one that is gone has none.
    """
    stops = []
    totals: dict[str, tuple[int, int]] = {}
    for target, delta in _in_order(deltas):
        removes, present = totals.get(target.destination, (0, 0))
        totals[target.destination] = (removes + delta.removes, present + delta.present)
        stops += _leaving(_called(target, names), delta.removes, delta.present, limit=limit)
    if not stops:
        for destination, (removes, present) in sorted(totals.items()):
            stops += _leaving(f"{destination} in all", removes, present, limit=limit)
    return stops


def audience_drop(
    deltas: Mapping[Target, Delta], *, limit: float | None, names: Mapping[str, str]
) -> list[GuardStop]:
    """Stop where an audience would be smaller than it is by more than *limit*."""
    stops = []
    for target, delta in _in_order(deltas):
        drop = (delta.present - delta.eligible) / delta.present if delta.present else 0.0
        if limit is not None and drop > limit:
            stops.append(
                GuardStop(
                    "audience_drop",
                    f"{_called(target, names)}: {delta.eligible:,} members instead of {delta.present:,}"
                    f" ({_percent(drop)} fewer, limit {_percent(limit)})",
                )
            )
    return stops


def first_size(deltas: Mapping[Target, Delta], *, limit: int | None) -> list[GuardStop]:
    """Stop where a destination that has nobody yet would get more than *limit* members at once."""
    totals: dict[str, tuple[int, int]] = {}
    for target, delta in _in_order(deltas):
        adds, present = totals.get(target.destination, (0, 0))
        totals[target.destination] = (adds + delta.adds, present + delta.present)
    return [
        GuardStop("first_size", f"{destination}: {adds:,} members would be sent at first, limit {limit:,}")
        for destination, (adds, present) in totals.items()
        if limit is not None and not present and adds > limit
    ]


def approval(approved: str, plan_id: str) -> list[GuardStop]:
    """Stop where another plan was approved than the one that would be applied now."""
    return [
        GuardStop(
            "approval",
            f"plan {approved} was approved, but what would be done now is plan {plan_id}:"
            " the data, the model or consent changed since",
        )
    ]


def _in_order(deltas: Mapping[Target, Delta]) -> list[tuple[Target, Delta]]:
    return sorted(deltas.items(), key=lambda item: (item[0].destination, item[0].audience))


def _called(target: Target, names: Mapping[str, str]) -> str:
    name = names.get(target.audience)
    return f"{f'{name} ({target.audience})' if name else target.audience} on {target.destination}"


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
