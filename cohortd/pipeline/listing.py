"""The audiences as ``cohortd audiences`` lists them: here, on the platform, and how it went there."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from cohortd.core.delivery import RemoteStatus
from cohortd.ledger import Reading, Remote
from cohortd.pipeline.drifting import SMALLEST, Drift, drifts_of, middle
from cohortd.pipeline.outcome import platform_size
from cohortd.pipeline.why import NOTHING_TOLD, why_of
from cohortd.pipeline.wiring import Pipeline

_WEEK: Final = timedelta(days=7)
#: A reading so much nearer or further than a week ago still stands for it.
_ABOUT: Final = timedelta(days=2)
#: How much of the past a listing holds.
HISTORY: Final = timedelta(days=60)


def audience_rows(pipeline: Pipeline) -> list[dict[str, object]]:
    """One row a remote audience, in the order of their making."""
    counts = pipeline.ledger.members.counts()
    current = pipeline.ledger.models.current()
    names = {segment.id: segment.name for segment in current.segments} if current else {}
    why = {segment.id: why_of(current, segment) for segment in current.segments} if current else {}
    readings = pipeline.ledger.readings.since(pipeline.clock() - HISTORY)
    drifts = drifts_of(pipeline, of_paused=True)
    rows = []
    for remote in pipeline.ledger.remotes.all():
        states = counts.get(remote.target, {})
        past = readings.get(remote.id, ())
        row: dict[str, object] = {
            "audience": remote.target.audience,
            "name": names.get(remote.target.audience, remote.name),
            "destination": remote.target.destination,
            "platform": remote.platform,
            "remote_id": remote.remote_id,
            "size": states.get("adding", 0) + states.get("present", 0),
            "confirmed": states.get("present", 0),
            "rejected": states.get("rejected", 0),
            **why.get(remote.target.audience, NOTHING_TOLD),
            **_told(remote.status or RemoteStatus(), remote, past),
            "state": remote.state,
            "note": remote.note,
            "drift": [_drift(each) for each in drifts.get(remote.target, ())],
            "history": [_reading(each) for each in past],
        }
        rows.append(row)
    return rows


def week_ago(readings: Sequence[Reading]) -> Reading | None:
    """The reading nearest to a week before the newest one; None where there is none about then."""
    if not readings:
        return None
    wanted = readings[-1].at - _WEEK
    nearest = min(readings, key=lambda reading: abs(reading.at - wanted))
    return nearest if abs(nearest.at - wanted) <= _ABOUT else None


def change_in_a_week(readings: Sequence[Reading]) -> int | None:
    """How many people more the platform shows than a week ago, by the middle of what it says."""
    before = week_ago(readings)
    then = middle(before.status) if before else None
    now = middle(readings[-1].status) if readings else None
    return round(now - then) if now is not None and then is not None else None


def matched_share(readings: Sequence[Reading]) -> dict[str, float] | None:
    """Between which shares of our confirmed members the platform shows; None of small numbers."""
    newest = readings[-1] if readings else None
    if newest is None or newest.confirmed < SMALLEST:
        return None
    lower, upper = newest.status.size_lower, newest.status.size_upper
    if lower is None or upper is None:
        return None
    return {"lower": round(lower / newest.confirmed, 3), "upper": round(upper / newest.confirmed, 3)}


def _told(status: RemoteStatus, remote: Remote, past: Sequence[Reading]) -> dict[str, object]:
    """What the platform says, and since when."""
    before = week_ago(past)
    return {
        "platform_size": platform_size(status),
        "platform_size_lower": status.size_lower,
        "platform_size_upper": status.size_upper,
        "platform_size_week_ago": platform_size(before.status) if before else "",
        "change_in_a_week": change_in_a_week(past),
        "platform_state": status.state,
        "platform_name": status.name,
        "match_rate": status.match_rate,
        "upload_match_rate": status.upload_match_rate,
        "matched_share": matched_share(past),
        "usable": status.usable,
        "eligible": dict(status.eligible),
        "flags": [flag.value for flag in status.flags],
        "cure": status.cure,
        "membership_days": status.membership_days,
        "terms_accepted": status.terms,
        "read_at": _time(remote.checked_at),
    }


def _drift(drift: Drift) -> Mapping[str, object]:
    return {
        "kind": drift.kind,
        "detail": drift.sentence,
        "cure": drift.cure,
        "needs_person": drift.needs_person,
    }


def _reading(reading: Reading) -> Mapping[str, object]:
    status = reading.status
    return {
        "at": _time(reading.at),
        "confirmed": reading.confirmed,
        "platform_size_lower": status.size_lower,
        "platform_size_upper": status.size_upper,
        "match_rate": status.match_rate,
        "upload_match_rate": status.upload_match_rate,
        "usable": status.usable,
        "eligible": dict(status.eligible),
        "flags": [flag.value for flag in status.flags],
        "platform_state": status.state,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else str(at)
