"""Features of what was bought: orders, value, items, money off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from cohortd.core.modelling import Impute
from cohortd.engine.registry import feature
from cohortd.engine.scope import SECONDS_A_DAY, Scope, exact_sum, ratio, trend

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: The days that ``lifetime_progression`` holds against all of a customer's time.
RECENT_DAYS = 90


@feature("order_count", "Orders", words=("frequent buyers", "rare buyers"), counted=True)
def _order_count(scope: Scope) -> ir.Scalar:
    return scope.orders()


@feature(
    "value_sum",
    "Value of all events",
    needs=("value",),
    words=("big spenders", "small spenders"),
    counted=True,
)
def _value_sum(scope: Scope) -> ir.Scalar:
    return exact_sum(scope.events.value)


@feature(
    "order_value_mean",
    "Value of an order",
    needs=("value",),
    words=("large orders", "small orders"),
    absent=Impute.MEDIAN,
)
def _order_value_mean(scope: Scope) -> ir.Scalar:
    return ratio(exact_sum(scope.events.value), scope.orders())


@feature(
    "order_value_trend",
    "Value of an order in the later half against the earlier, from -1 to 1",
    needs=("value",),
    words=("growing orders", "shrinking orders"),
    heavy_tail=False,
)
def _order_value_trend(scope: Scope) -> ir.Scalar:
    is_late, value = scope.is_late(), scope.events.value
    early, late = (ratio(exact_sum(value, half), scope.orders(half)) for half in (~is_late, is_late))
    return trend(early, late)


@feature("quantity_sum", "Items", needs=("quantity",), words=("many items", "few items"), counted=True)
def _quantity_sum(scope: Scope) -> ir.Scalar:
    return exact_sum(scope.events.quantity)


@feature(
    "order_quantity_mean",
    "Items in an order",
    needs=("quantity",),
    words=("stock-up trips", "quick trips"),
    absent=Impute.MEDIAN,
)
def _order_quantity_mean(scope: Scope) -> ir.Scalar:
    return ratio(exact_sum(scope.events.quantity), scope.orders())


@feature(
    "item_value_mean",
    "Value of an item",
    needs=("value", "quantity"),
    words=("premium buyers", "budget buyers"),
    absent=Impute.MEDIAN,
)
def _item_value_mean(scope: Scope) -> ir.Scalar:
    return ratio(exact_sum(scope.events.value), exact_sum(scope.events.quantity))


@feature(
    "return_share",
    "Value given back (negative values) as a share of the value bought",
    needs=("value",),
    words=("frequent returners", ""),
    heavy_tail=False,
)
def _return_share(scope: Scope) -> ir.Scalar:
    value = scope.events.value
    return ratio(exact_sum(value, value < 0).abs(), exact_sum(value, value > 0))


@feature(
    "category_breadth",
    "Different categories",
    needs=("category",),
    words=("broad choice", "narrow choice"),
    counted=True,
)
def _category_breadth(scope: Scope) -> ir.Scalar:
    return scope.events.category.nunique()


@feature(
    "channel_breadth",
    "Different channels",
    needs=("channel",),
    words=("many channels", "one channel"),
    counted=True,
)
def _channel_breadth(scope: Scope) -> ir.Scalar:
    return scope.events.channel.nunique()


@feature(
    "value_trend",
    "Value of the later half against the earlier, from -1 to 1",
    needs=("value",),
    words=("growing", "declining"),
    heavy_tail=False,
)
def _value_trend(scope: Scope) -> ir.Scalar:
    is_late, value = scope.is_late(), scope.events.value
    return trend(exact_sum(value, ~is_late), exact_sum(value, is_late))


@feature(
    "lifetime_value",
    "Value of all events known, whatever the window",
    needs=("value",),
    words=("high lifetime value", "low lifetime value"),
    history=True,
)
def _lifetime_value(scope: Scope) -> ir.Scalar:
    return exact_sum(scope.events.value)


@feature(
    "lifetime_progression",
    f"Value a day of the last {RECENT_DAYS} days against that of all time as a customer, from -1 to 1",
    needs=("value",),
    words=("gaining value", "losing value"),
    heavy_tail=False,
    history=True,
)
def _lifetime_progression(scope: Scope) -> ir.Scalar:
    value, recent_s = scope.events.value, RECENT_DAYS * SECONDS_A_DAY
    known_s = (scope.as_of_s - scope.seconds().min()).cast("float64")
    recent = exact_sum(value, scope.seconds() >= scope.as_of_s - recent_s)
    return trend(
        ratio(exact_sum(value), known_s), ratio(recent, ibis.least(known_s, ibis.literal(float(recent_s))))
    )


@feature(
    "discount_share",
    "Money off as a share of the full price",
    needs=("value", "discount"),
    words=("discount seekers", "full-price buyers"),
    heavy_tail=False,
)
def _discount_share(scope: Scope) -> ir.Scalar:
    # Some tills write money off as a negative number; returns may make the sum paid negative.
    off, paid = exact_sum(scope.events.discount.abs()), exact_sum(scope.events.value)
    return ratio(off, off + ibis.greatest(paid, 0.0))
