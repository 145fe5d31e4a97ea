"""Features of visits: sessions, pages, time spent, and the way to a conversion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cohortd.core.modelling import Impute
from cohortd.engine.registry import feature
from cohortd.engine.scope import Scope, exact_sum, ratio

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: What the settings' lists of types change; see ``meaning_of``.
OF_CONVERSIONS = frozenset({"conversion_count", "conversion_rate", "touchpoints_mean"})
OF_PAGE_VIEWS = frozenset({"page_views", "pages_per_session", "content_velocity"})


@feature(
    "session_count",
    "Sessions",
    needs=("session_id",),
    words=("frequent visitors", "rare visitors"),
    counted=True,
)
def _session_count(scope: Scope) -> ir.Scalar:
    return scope.events.session_id.nunique()


@feature(
    "duration_sum_s",
    "Seconds spent",
    needs=("duration_s",),
    words=("long stays", "short stays"),
    counted=True,
)
def _duration_sum_s(scope: Scope) -> ir.Scalar:
    return exact_sum(scope.events.duration_s)


@feature(
    "session_duration_mean_s",
    "Seconds spent in a session",
    needs=("duration_s", "session_id"),
    words=("long visits", "short visits"),
    absent=Impute.MEDIAN,
)
def _session_duration_mean_s(scope: Scope) -> ir.Scalar:
    return ratio(exact_sum(scope.events.duration_s), scope.events.session_id.nunique())


@feature("page_views", "Page views", words=("many pages", "few pages"), counted=True, reads=("type",))
def _page_views(scope: Scope) -> ir.Scalar:
    return scope.page_views()


@feature(
    "pages_per_session",
    "Page views in a session",
    needs=("session_id",),
    words=("deep browsers", "quick lookers"),
    absent=Impute.MEDIAN,
    reads=("type",),
)
def _pages_per_session(scope: Scope) -> ir.Scalar:
    return ratio(scope.page_views(), scope.events.session_id.nunique())


@feature(
    "content_velocity",
    "Page views on a day with an event",
    words=("binge viewers", "light viewers"),
    absent=Impute.MEDIAN,
    reads=("type",),
)
def _content_velocity(scope: Scope) -> ir.Scalar:
    return ratio(scope.page_views(), scope.active_days())


@feature(
    "conversion_count",
    "Conversions",
    needs=("type",),
    words=("frequent converters", "rare converters"),
    counted=True,
)
def _conversion_count(scope: Scope) -> ir.Scalar:
    return scope.conversions()


@feature(
    "conversion_rate",
    "Share of sessions with a conversion",
    needs=("type", "session_id"),
    words=("decided buyers", "window shoppers"),
    heavy_tail=False,
)
def _conversion_rate(scope: Scope) -> ir.Scalar:
    sessions = scope.events.session_id
    return ratio(sessions.nunique(where=scope.is_conversion()), sessions.nunique())


def _up_to_the_last_conversion(scope: Scope) -> ir.Table:
    conversions = scope.events.filter(scope.is_conversion())
    last = conversions.group_by("customer_id").agg(converted_at=conversions.occurred_at.max())
    joined = scope.events.inner_join(last, "customer_id")
    return joined.filter(joined.occurred_at <= joined.converted_at)


@feature(
    "touchpoints_mean",
    "Other events before a conversion",
    needs=("type",),
    words=("slow deciders", "quick deciders"),
    absent=Impute.MEDIAN,
    rows=_up_to_the_last_conversion,
)
def _touchpoints_mean(scope: Scope) -> ir.Scalar:
    return ratio(scope.events.count(where=~scope.is_conversion()), scope.conversions())
