"""Every feature of the random events computed in pandas, which shares nothing with the engine."""

import functools
from datetime import timedelta

import numpy as np
import pandas as pd
from engine_events import AS_OF, random_events

from cohortd.engine.families import FAMILIES, FIXED_FAMILIES

WINDOW = timedelta(weeks=13)
SLUGS = ("dairy_eggs", "wine", "brot", "käse", "tea", "fish", "web", "store", "phone", "view")


@functools.cache
def by_hand(window: timedelta | None = WINDOW, *, seed: int = 3) -> pd.DataFrame:
    """Compute all features of the random events customer by customer; no window is all of time."""
    events = random_events(seed=seed)
    for family in FAMILIES.values():
        slugs = events[family.column].str.lower().str.replace(r"[\W_]+", "_", regex=True)
        events[family.column] = slugs.str.strip("_")
    history = events[events.occurred_at.dt.floor("s") < AS_OF]
    start = history.occurred_at.min().floor("s") if window is None else AS_OF - window
    inside = history[history.occurred_at.dt.floor("s") >= start]
    flags, rows = _flags(inside), {}
    for customer, own in inside.groupby("customer_id"):
        everything = history[history.customer_id == customer]
        half = start + pd.Timedelta(seconds=int((AS_OF - start).total_seconds()) // 2)
        rows[customer] = {
            **_rhythm(own, everything, half=half),
            **_spending(own, everything, half=half),
            **_visiting(own),
            **flags.loc[own.index].mean(),
        }
    return (
        pd.DataFrame.from_dict(rows, orient="index").rename_axis("customer_id").sort_index().astype(float)
    )


def _rhythm(own: pd.DataFrame, everything: pd.DataFrame, *, half: pd.Timestamp) -> dict[str, float]:
    days = own.occurred_at.dt.floor("D")
    hour = own.occurred_at.dt.hour
    late = own.occurred_at.dt.floor("s") >= half
    of_day = (own.occurred_at.dt.floor("s") - days).dt.total_seconds() / 86_400 * 2 * np.pi
    of_year = (own.occurred_at.dt.day_of_year - 1) / 365.25 * 2 * np.pi
    return {
        "recency_days": (AS_OF - own.occurred_at.max().floor("s")).days,
        "tenure_days": (AS_OF - everything.occurred_at.min().floor("s")).days,
        "event_count": len(own),
        "active_days": days.nunique(),
        "active_day_share": days.nunique() / (AS_OF.floor("D") - days.min()).days,
        "interpurchase_days": (
            (days.max() - days.min()).days / (days.nunique() - 1) if len(set(days)) > 1 else np.nan
        ),
        "activity_trend": _trend((~late).sum(), late.sum()),
        "night_share": ((hour >= 22) | (hour < 6)).mean(),
        "evening_share": ((hour >= 18) & (hour < 22)).mean(),
        "hour_sin": np.sin(of_day).mean(),
        "hour_cos": np.cos(of_day).mean(),
        "weekend_share": (own.occurred_at.dt.day_of_week >= 5).mean(),
        "season_sin": np.sin(of_year).mean(),
        "season_cos": np.cos(of_year).mean(),
    }


def _spending(own: pd.DataFrame, everything: pd.DataFrame, *, half: pd.Timestamp) -> dict[str, float]:
    late = own.occurred_at.dt.floor("s") >= half
    orders, paid, off = own.order_id.nunique(), own.value.sum(), own.discount.abs().sum()
    early_order, late_order = (
        _over(own.value[which].sum(), own.order_id[which].nunique()) for which in (~late, late)
    )
    known_days = (AS_OF - everything.occurred_at.min().floor("s")).total_seconds() / 86_400
    recent = everything.value[everything.occurred_at.dt.floor("s") >= AS_OF - timedelta(days=90)].sum()
    lifetime = everything.value.sum()
    return {
        "order_count": orders,
        "value_sum": paid,
        "order_value_mean": _over(paid, orders),
        "order_value_trend": _trend(early_order, late_order),
        "quantity_sum": own.quantity.sum(),
        "order_quantity_mean": _over(own.quantity.sum(), orders),
        "item_value_mean": _over(paid, own.quantity.sum()),
        "return_share": _over(-own.value.clip(upper=0).sum(), own.value.clip(lower=0).sum()),
        "category_breadth": own.category.nunique(),
        "channel_breadth": own.channel.nunique(),
        "value_trend": _trend(own.value[~late].sum(), own.value[late].sum()),
        "lifetime_value": lifetime,
        "lifetime_progression": _trend(lifetime / known_days, recent / min(known_days, 90)),
        "discount_share": _over(off, off + max(paid, 0)),
    }


def _visiting(own: pd.DataFrame) -> dict[str, float]:
    sessions, views = own.session_id.nunique(), (own.type == "view").sum()
    converted = own[own.type == "purchase"]
    conversions = converted.order_id.nunique() + converted.order_id.isna().sum()
    before = own[own.occurred_at <= converted.occurred_at.max()] if len(converted) else own[:0]
    return {
        "session_count": sessions,
        "duration_sum_s": own.duration_s.sum(),
        "session_duration_mean_s": _over(own.duration_s.sum(), sessions),
        "page_views": views,
        "pages_per_session": _over(views, sessions),
        "content_velocity": views / own.occurred_at.dt.floor("D").nunique(),
        "conversion_count": conversions,
        "conversion_rate": _over(converted.session_id.nunique(), sessions),
        "touchpoints_mean": _over((before.type != "purchase").sum(), conversions),
    }


def _flags(events: pd.DataFrame) -> pd.DataFrame:
    """Mark, event by event, what the members of families count."""
    flags = {
        f"{name}:{slug}": events[family.column] == slug
        for name, family in FAMILIES.items()
        for slug in SLUGS
    }
    for number, slug in enumerate(FIXED_FAMILIES["weekday_share"].members):
        flags[f"weekday_share:{slug}"] = events.occurred_at.dt.day_of_week == number
    for number, slug in enumerate(FIXED_FAMILIES["quarter_share"].members):
        flags[f"quarter_share:{slug}"] = events.occurred_at.dt.quarter == number + 1
    return pd.DataFrame(flags)


def _over(part: float, whole: float) -> float:
    return part / whole if whole else np.nan


def _trend(early: float, late: float) -> float:
    if np.isnan(early) or np.isnan(late):
        return np.nan
    return (late - early) / (abs(early) + abs(late)) if early or late else np.nan
