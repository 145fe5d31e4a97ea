"""What only a broken source does stops a sync before it moves anybody, and says which column."""

from collections.abc import Callable
from datetime import datetime, timedelta

from shop import LAST_DAY, Shop

Row = dict[str, str]


def _of_last_days(row: Row, days: int) -> bool:
    return datetime.fromisoformat(row["occurred_at"]) > LAST_DAY - timedelta(days=days)


def _in_cents(events: list[Row]) -> list[Row]:
    return [{**row, "value": str(float(row["value"]) * 100)} for row in events]


def _one_value(events: list[Row]) -> list[Row]:
    return [{**row, "value": "1.00"} for row in events]


def _one_category(events: list[Row]) -> list[Row]:
    return [{**row, "category": "unknown"} for row in events]


def _loaded_twice(events: list[Row]) -> list[Row]:
    return [*events, *(row | {"order_id": f"again-{n}"} for n, row in enumerate(events))]


def _without_times_of_day(events: list[Row]) -> list[Row]:
    return [{**row, "occurred_at": row["occurred_at"][:10]} for row in events]


def _years_ahead(events: list[Row]) -> list[Row]:
    return [
        {**row, "occurred_at": "2999-01-01T00:00:00+00:00"} if n % 20 == 0 else row
        for n, row in enumerate(events)
    ]


def _without_the_last_week(events: list[Row]) -> list[Row]:
    return [row for row in events if not _of_last_days(row, 7)]


def _without_three_days(events: list[Row]) -> list[Row]:
    return [row for row in events if not _of_last_days(row, 10) or _of_last_days(row, 7)]


Break = Callable[[list[Row]], list[Row]]

#: Several faults at once, and what the guard says of each.
BROKEN: tuple[tuple[tuple[Break, ...], tuple[str, ...]], ...] = (
    (
        (_in_cents, _one_category, _loaded_twice),
        (
            "events.value: the median of all rows is about ",
            "events.category: all 8,640 rows say the same",
            "events: 50.0% of the 8,640 rows only repeat another",
        ),
    ),
    (
        (_one_value, _without_times_of_day, _years_ahead),
        (
            "events.value: all 4,104 rows say the same",
            "events.occurred_at: 100.0% of the 4,104 rows are of midnight",
            "events.occurred_at: 5.0% of the rows (216) are of a time yet to come",
        ),
    ),
    ((_without_the_last_week,), ("events.occurred_at: the newest event is of 2026-02-2",)),
    ((_without_three_days,), ("events.occurred_at: 3 days had events at the last sync",)),
)


def test_a_broken_source_stops_the_sync_and_says_which_column(synced: Shop) -> None:
    events = synced.events
    said: list[list[str]] = []
    for breaks, _ in BROKEN:
        synced.events = events
        for each in breaks:
            synced.events = each(synced.events)
        synced.write()
        guards = synced.call("plan", "--json").json["guards"]
        said.append([stop["detail"] for stop in guards if stop["guard"] == "source_anomaly"])

    for (_, expected), told in zip(BROKEN, said, strict=True):
        for beginning in expected:
            assert [each for each in told if each.startswith(beginning)], (beginning, told)


def test_nobody_moves_no_model_is_made_and_a_revocation_gets_out_all_the_same(synced: Shop) -> None:
    gone = "c00002"
    before = synced.held()
    synced.change(segmentation={"refit_every": "1d"}, guards={"moved_share": 1.0, "removed_share": 1.0})
    synced.events = _in_cents(synced.events)
    synced.consent.append(
        {
            "customer_id": gone,
            "status": "revoked",
            "recorded_at": "2026-06-01T00:00:00Z",
            "purpose": "advertising",
        }
    )
    synced.write()
    stopped = synced.call("run", "--once", "--wait", "--timeout", "30", "--json")
    refused = synced.call("recluster", "--json")
    left = {member for members in before.values() for member in members} - synced.everything_held()

    assert (stopped.code, stopped.json["model_version"]) == (3, 1), stopped.out
    assert {stop["guard"] for stop in stopped.json["guards"]} == {"source_anomaly"}
    assert refused.code == 3
    assert "No model was made of this" in refused.out + refused.err
    assert left == set().union(*(synced.known_of(gone, name) for name in ("google", "meta")))


def test_what_was_approved_is_usual_from_then_on(synced: Shop) -> None:
    synced.change(guards={"moved_share": 1.0, "removed_share": 1.0})
    synced.events = _in_cents(synced.events)
    synced.write()
    plan = synced.call("plan", "--json").json
    approved = synced.sync("--approve", plan["plan_id"])
    again = synced.sync()

    assert [stop["guard"] for stop in plan["guards"]] == ["source_anomaly"]
    assert (approved.code, again.code) == (0, 0), approved.out + again.out
