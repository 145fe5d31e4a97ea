"""Sources from which nothing new has come for long, by what the last sync saw."""

from datetime import datetime, timedelta
from typing import Final

from cohortd.core.delivery import AccessCheck
from cohortd.core.times import format_time, parse_time
from cohortd.ledger import RunRow
from cohortd.pipeline.wiring import Pipeline

KIND: Final = "source_stale"
_CURE: Final = "See whether what fills it still runs; audiences stand still meanwhile."


def stale_lines(pipeline: Pipeline, last: RunRow | None) -> list[AccessCheck]:
    """Tell of the events and of consent, where the settings say how old they may be.

    Args:
        pipeline: Whose.
        last: The last sync that ended.
    """
    policy, found = pipeline.alerts, []
    if policy.events_stale_after is not None:
        found += _line(pipeline, "events", _newest_event(last), policy.events_stale_after)
    if policy.consent_stale_after is not None:
        found += _line(
            pipeline, "consent", pipeline.ledger.consent.last_received_at(), policy.consent_stale_after
        )
    return found


def _line(
    pipeline: Pipeline, source: str, newest: datetime | None, allowed: timedelta
) -> list[AccessCheck]:
    if newest is None or pipeline.clock() - newest <= allowed:
        return []
    detail = f"nothing new since {format_time(newest)[:16]}Z"
    return [AccessCheck(f"source {source}", ok=False, detail=detail, cure=_CURE, kind=KIND)]


def _newest_event(last: RunRow | None) -> datetime | None:
    figures = last.summary.get("figures") if last is not None else None
    for table in figures if isinstance(figures, list) else ():
        if isinstance(table, dict) and table.get("table") == "events" and table.get("newest"):
            return parse_time(str(table["newest"]))
    return None
