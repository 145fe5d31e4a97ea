"""Features of when and how often: recency, tenure, gaps, time of day, week and year."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cohortd.core.modelling import Impute
from cohortd.engine.registry import feature
from cohortd.engine.scope import SECONDS_A_DAY, Scope, exact_mean, ratio, row_share, trend

if TYPE_CHECKING:
    import ibis.expr.types as ir

_SATURDAY = 5
_DAYS_A_YEAR = 365.25
#: Nearer to the morning than most is far from being a morning shopper: no name for a segment.
_NO_NAME = ("", "")


@feature(
    "recency_days", "Days since the last event", words=("lapsed", "recently active"), has_windows=False
)
def _recency_days(scope: Scope) -> ir.Scalar:
    return ((scope.as_of_s - scope.seconds().max()) / SECONDS_A_DAY).floor()


@feature("tenure_days", "Days since the first event known", words=("long-standing", "new"), history=True)
def _tenure_days(scope: Scope) -> ir.Scalar:
    return ((scope.as_of_s - scope.seconds().min()) / SECONDS_A_DAY).floor()


@feature("event_count", "Events", words=("very active", "rarely active"), counted=True)
def _event_count(scope: Scope) -> ir.Scalar:
    return scope.events.count()


@feature("active_days", "Days with an event", words=("regulars", "occasional"), counted=True)
def _active_days(scope: Scope) -> ir.Scalar:
    return scope.active_days()


@feature(
    "active_day_share",
    "Days with an event as a share of the days since the first one in the window",
    words=("daily users", "sporadic users"),
    heavy_tail=False,
)
def _active_day_share(scope: Scope) -> ir.Scalar:
    first_s = scope.days().min().epoch_seconds()
    return ratio(scope.active_days(), ((scope.as_of_s - first_s) / SECONDS_A_DAY).ceil())


@feature(
    "interpurchase_days",
    "Days from one day with an event to the next",
    words=("long gaps", "short gaps"),
    absent=Impute.MEDIAN,
)
def _interpurchase_days(scope: Scope) -> ir.Scalar:
    first_s, last_s = (day.epoch_seconds() for day in (scope.days().min(), scope.days().max()))
    return ratio((last_s - first_s) / SECONDS_A_DAY, scope.active_days() - 1)


@feature(
    "activity_trend",
    "Events of the later half against the earlier, from -1 to 1",
    words=("growing", "declining"),
    heavy_tail=False,
)
def _activity_trend(scope: Scope) -> ir.Scalar:
    is_late = scope.is_late()
    early, late = (scope.events.count(where=half).cast("float64") for half in (~is_late, is_late))
    return trend(early, late)


@feature(
    "night_share",
    "Share of events from 22 to 6 o'clock (UTC)",
    words=("night shoppers", ""),
    heavy_tail=False,
)
def _night_share(scope: Scope) -> ir.Scalar:
    return row_share(scope.events, scope.hours().isin((22, 23, 0, 1, 2, 3, 4, 5)))


@feature(
    "evening_share",
    "Share of events from 18 to 22 o'clock (UTC)",
    words=("evening shoppers", ""),
    heavy_tail=False,
)
def _evening_share(scope: Scope) -> ir.Scalar:
    return row_share(scope.events, scope.hours().isin((18, 19, 20, 21)))


@feature(
    "hour_sin",
    "Time of day of the events on a circle, from -1 (all at 18 o'clock UTC) to 1 (all at 6)",
    words=_NO_NAME,
    heavy_tail=False,
)
def _hour_sin(scope: Scope) -> ir.Scalar:
    return exact_mean((scope.seconds_of_day() * (math.tau / SECONDS_A_DAY)).sin())


@feature(
    "hour_cos",
    "Time of day of the events on a circle, from -1 (all at noon UTC) to 1 (all at midnight)",
    words=_NO_NAME,
    heavy_tail=False,
)
def _hour_cos(scope: Scope) -> ir.Scalar:
    return exact_mean((scope.seconds_of_day() * (math.tau / SECONDS_A_DAY)).cos())


@feature(
    "weekend_share",
    "Share of events on Saturdays and Sundays (UTC)",
    words=("weekend shoppers", "weekday shoppers"),
    heavy_tail=False,
)
def _weekend_share(scope: Scope) -> ir.Scalar:
    return row_share(scope.events, scope.weekdays() >= _SATURDAY)


@feature(
    "season_sin",
    "Time of year of the events on a circle, from -1 (all around October 1) to 1 (around April 1)",
    words=_NO_NAME,
    heavy_tail=False,
)
def _season_sin(scope: Scope) -> ir.Scalar:
    return exact_mean((scope.days_of_year() * (math.tau / _DAYS_A_YEAR)).sin())


@feature(
    "season_cos",
    "Time of year of the events on a circle, from -1 (all around July 1) to 1 (around New Year)",
    words=_NO_NAME,
    heavy_tail=False,
)
def _season_cos(scope: Scope) -> ir.Scalar:
    return exact_mean((scope.days_of_year() * (math.tau / _DAYS_A_YEAR)).cos())
