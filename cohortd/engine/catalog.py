"""Every feature cohortd knows: how it reads to people, what it needs, how it is computed."""

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from cohortd.core.modelling import FeatureSpec, Impute
from cohortd.engine.definition import Definition, Expression
from cohortd.engine.families import FAMILIES
from cohortd.engine.scope import Scope, exact_sum, ratio, row_share

SECONDS_A_DAY = 86_400
_SATURDAY = 5

DEFINITIONS: dict[str, Definition] = {}


def catalog() -> dict[str, FeatureSpec]:
    """Every feature by its name; a family (``category_share``) stands for several features."""
    features = {name: definition.spec for name, definition in DEFINITIONS.items()}
    return features | {name: family.spec for name, family in FAMILIES.items()}


def definition_of(name: str) -> Definition | None:
    """Find a feature over events, a family's member (``category_share:grocery``) included."""
    family, colon, slug = name.partition(":")
    if colon and slug and family in FAMILIES:
        return FAMILIES[family].member(slug)
    return DEFINITIONS.get(name)


def _feature(
    name: str,
    title: str,
    *,
    needs: tuple[str, ...] = (),
    words: tuple[str, str],
    heavy_tail: bool = True,
    absent: Impute = Impute.ZERO,
    history: bool = False,
) -> Callable[[Expression], Expression]:
    """Enter a function into the catalog; *words* are for high and for low values."""
    spec = FeatureSpec(
        name,
        title,
        ("occurred_at", *needs),
        heavy_tail=heavy_tail,
        impute=absent,
        high_word=words[0],
        low_word=words[1],
    )

    def enter(expression: Expression) -> Expression:
        DEFINITIONS[name] = Definition(spec, expression, history)
        return expression

    return enter


@_feature("recency_days", "Days since the last event", words=("lapsed", "recently active"))
def _recency_days(scope: Scope) -> ir.Scalar:
    return ((scope.as_of_s - scope.seconds().max()) / SECONDS_A_DAY).floor()


@_feature("tenure_days", "Days since the first event known", words=("long-standing", "new"), history=True)
def _tenure_days(scope: Scope) -> ir.Scalar:
    return ((scope.as_of_s - scope.seconds().min()) / SECONDS_A_DAY).floor()


@_feature("event_count", "Events", words=("very active", "rarely active"))
def _event_count(scope: Scope) -> ir.Scalar:
    return scope.events.count()


@_feature("order_count", "Orders", words=("frequent buyers", "rare buyers"))
def _order_count(scope: Scope) -> ir.Scalar:
    return scope.orders()


@_feature("session_count", "Sessions", needs=("session_id",), words=("frequent visitors", "rare visitors"))
def _session_count(scope: Scope) -> ir.Scalar:
    return scope.events.session_id.nunique()


@_feature("value_sum", "Value of all events", needs=("value",), words=("big spenders", "small spenders"))
def _value_sum(scope: Scope) -> ir.Scalar:
    return exact_sum(scope.events.value)


@_feature(
    "order_value_mean",
    "Value of an order",
    needs=("value",),
    words=("large orders", "small orders"),
    absent=Impute.MEDIAN,
)
def _order_value_mean(scope: Scope) -> ir.Scalar:
    return ratio(exact_sum(scope.events.value), scope.orders())


@_feature("quantity_sum", "Items", needs=("quantity",), words=("many items", "few items"))
def _quantity_sum(scope: Scope) -> ir.Scalar:
    return exact_sum(scope.events.quantity)


@_feature(
    "order_quantity_mean",
    "Items in an order",
    needs=("quantity",),
    words=("stock-up trips", "quick trips"),
    absent=Impute.MEDIAN,
)
def _order_quantity_mean(scope: Scope) -> ir.Scalar:
    return ratio(exact_sum(scope.events.quantity), scope.orders())


@_feature("active_days", "Days with an event", words=("regulars", "occasional"))
def _active_days(scope: Scope) -> ir.Scalar:
    return scope.active_days()


@_feature(
    "interpurchase_days",
    "Days from one day with an event to the next",
    words=("long gaps", "short gaps"),
    absent=Impute.MEDIAN,
)
def _interpurchase_days(scope: Scope) -> ir.Scalar:
    first_s, last_s = (day.epoch_seconds() for day in (scope.days().min(), scope.days().max()))
    return ratio((last_s - first_s) / SECONDS_A_DAY, scope.active_days() - 1)


@_feature(
    "category_breadth",
    "Different categories",
    needs=("category",),
    words=("broad choice", "narrow choice"),
)
def _category_breadth(scope: Scope) -> ir.Scalar:
    return scope.events.category.nunique()


@_feature("duration_sum_s", "Seconds spent", needs=("duration_s",), words=("long stays", "short stays"))
def _duration_sum_s(scope: Scope) -> ir.Scalar:
    return exact_sum(scope.events.duration_s)


@_feature(
    "value_trend",
    "Value of the later half against the earlier, from -1 to 1",
    needs=("value",),
    words=("growing", "declining"),
    heavy_tail=False,
)
def _value_trend(scope: Scope) -> ir.Scalar:
    is_late, value = scope.is_late(), scope.events.value
    return _trend(exact_sum(value, ~is_late), exact_sum(value, is_late))


@_feature(
    "activity_trend",
    "Events of the later half against the earlier, from -1 to 1",
    words=("growing", "declining"),
    heavy_tail=False,
)
def _activity_trend(scope: Scope) -> ir.Scalar:
    is_late = scope.is_late()
    early, late = (scope.events.count(where=half).cast("float64") for half in (~is_late, is_late))
    return _trend(early, late)


@_feature(
    "night_share",
    "Share of events from 22 to 6 o'clock (UTC)",
    words=("night shoppers", ""),
    heavy_tail=False,
)
def _night_share(scope: Scope) -> ir.Scalar:
    return row_share(scope.events, scope.hours().isin((22, 23, 0, 1, 2, 3, 4, 5)))


@_feature(
    "evening_share",
    "Share of events from 18 to 22 o'clock (UTC)",
    words=("evening shoppers", ""),
    heavy_tail=False,
)
def _evening_share(scope: Scope) -> ir.Scalar:
    return row_share(scope.events, scope.hours().isin((18, 19, 20, 21)))


@_feature(
    "weekend_share",
    "Share of events on Saturdays and Sundays (UTC)",
    words=("weekend shoppers", "weekday shoppers"),
    heavy_tail=False,
)
def _weekend_share(scope: Scope) -> ir.Scalar:
    return row_share(scope.events, scope.events.occurred_at.day_of_week.index() >= _SATURDAY)


@_feature(
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


def _trend(early: ir.FloatingScalar, late: ir.FloatingScalar) -> ir.FloatingScalar:
    return ratio(late - early, early.abs() + late.abs())
