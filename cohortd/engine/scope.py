"""What a feature's expression may look at, and sums that do not depend on the order of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis

from cohortd.engine.vocabulary import STANDARD, Vocabulary

if TYPE_CHECKING:
    import ibis.expr.types as ir

SECONDS_A_DAY = 86_400

#: Sums run in decimals, for the sum of doubles changes with the number of threads. Values beyond
#: this are counted as this: decimal(18, 6) ends at 10**12.
LARGEST_VALUE = 1e11
_EXACT = "decimal(18, 6)"
#: What is neither a letter nor a digit in any script; DuckDB and Spark read it alike.
_NOT_WORD = r"[^\p{L}\p{N}]+"


@dataclass(frozen=True, slots=True)
class Scope:
    """The events that count for a feature, and the times it may refer to.

    Text columns that are compared by value (categories, channels) are slugs already.
    Times are whole seconds since the epoch: the engines disagree on fractions.
    """

    events: ir.Table
    as_of_s: int
    start_s: int
    vocabulary: Vocabulary = STANDARD
    #: Beside the events, for the few features that need them; of the context see ``context.py``.
    customers: ir.Table | None = None
    context: ir.Table | None = None

    def seconds(self) -> ir.IntegerColumn:
        """When each event happened, in whole seconds (DuckDB's own are fractional)."""
        return self.events.occurred_at.epoch_seconds().floor().cast("int64")

    def orders(self, where: ir.BooleanValue | None = None) -> ir.IntegerScalar:
        """How many orders: distinct order ids, else distinct sessions, else rows."""
        for column in ("order_id", "session_id"):
            if column in self.events.columns:
                return self.events[column].nunique(where=where)
        return self.events.count(where=where)

    def is_conversion(self) -> ir.BooleanColumn:
        """Whether an event is of one of the types that count as conversions; never NULL."""
        return self._is_of(self.vocabulary.conversion_types)

    def conversions(self) -> ir.IntegerValue:
        """How many conversions: their distinct orders, and those that name no order one by one."""
        converted = self.is_conversion()
        if "order_id" not in self.events.columns:
            return self.events.count(where=converted)
        order = self.events.order_id
        return order.nunique(where=converted) + self.events.count(where=converted & order.isnull())

    def page_views(self) -> ir.IntegerScalar:
        """How many events are of a type that counts as a page view; all where there are no types."""
        if "type" not in self.events.columns:
            return self.events.count()
        return self.events.count(where=self._is_of(self.vocabulary.page_view_types))

    def _is_of(self, types: tuple[str, ...]) -> ir.BooleanColumn:
        slugs = [slug_of(ibis.literal(each)) for each in types]
        return self.events.type.isin(slugs).fill_null(False)  # noqa: FBT003 - the value

    def days(self) -> ir.DateColumn:
        """The day of each event, UTC."""
        return self.events.occurred_at.date()

    def active_days(self) -> ir.IntegerScalar:
        """On how many days anything happened."""
        return self.days().nunique()

    def is_late(self) -> ir.BooleanColumn:
        """Whether an event lies in the later half of the time looked at."""
        return self.seconds() >= self.start_s + (self.as_of_s - self.start_s) // 2

    def hours(self) -> ir.IntegerColumn:
        """The hour of each event, UTC."""
        return self.events.occurred_at.hour()

    def weekdays(self) -> ir.IntegerColumn:
        """The weekday of each event, UTC; Monday is 0."""
        return self.events.occurred_at.day_of_week.index()

    def seconds_of_day(self) -> ir.IntegerColumn:
        """Whole seconds since midnight, UTC."""
        return self.seconds() % SECONDS_A_DAY

    def days_of_year(self) -> ir.IntegerColumn:
        """Whole days since the year began, UTC."""
        return self.events.occurred_at.day_of_year() - 1


def exact_sum(column: ir.NumericColumn, where: ir.BooleanValue | None = None) -> ir.FloatingScalar:
    """Sum the same to the last bit for any order of rows; no row at all makes 0, never NULL."""
    number = column.cast("float64")
    known = ibis.ifelse(number.isnull() | number.isnan(), 0.0, number)
    bounded = ibis.greatest(ibis.least(known, LARGEST_VALUE), -LARGEST_VALUE)
    total = bounded.cast(_EXACT).sum(where=where)
    return total.cast("float64").fill_null(0.0)


def exact_mean(column: ir.NumericColumn, where: ir.BooleanValue | None = None) -> ir.FloatingScalar:
    """Average the same to the last bit for any order of rows; NULL where no row holds a number."""
    number = finite(column.cast("float64"))
    return ratio(exact_sum(number, where), number.count(where=where))


def finite(number: ir.FloatingColumn) -> ir.FloatingColumn:
    """Make NULL of what is no number or endless."""
    return ibis.ifelse(number.isnan() | number.isinf(), ibis.null("float64"), number)


def trend(early: ir.FloatingScalar, late: ir.FloatingScalar) -> ir.FloatingScalar:
    """Compare two numbers, from -1 (nothing came later) to 1; NULL where both are 0."""
    return ratio(late - early, early.abs() + late.abs())


def ratio(part: ir.NumericValue, whole: ir.NumericValue) -> ir.FloatingValue:
    """Divide; NULL where *whole* is 0."""
    return part.cast("float64") / whole.cast("float64").nullif(0.0)


def row_share(events: ir.Table, where: ir.BooleanValue) -> ir.FloatingScalar:
    """Which part of the rows satisfies *where*."""
    return ratio(events.count(where=where), events.count())


def slug_of(column: ir.StringColumn) -> ir.StringColumn:
    """Lower-case letters and digits with single underscores between; NULL where nothing is left."""
    plain = column.cast("string").lower().re_replace(_NOT_WORD, "_").re_replace("^_|_$", "")
    return plain.nullif("")
