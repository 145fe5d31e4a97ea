"""What a feature's expression may look at, and sums that do not depend on the order of rows."""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

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

    def seconds(self) -> ir.IntegerColumn:
        """When each event happened, in whole seconds (DuckDB's own are fractional)."""
        return self.events.occurred_at.epoch_seconds().floor().cast("int64")

    def orders(self) -> ir.IntegerScalar:
        """How many orders: distinct order ids, else distinct sessions, else rows."""
        for column in ("order_id", "session_id"):
            if column in self.events.columns:
                return self.events[column].nunique()
        return self.events.count()

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


def exact_sum(column: ir.NumericColumn, where: ir.BooleanValue | None = None) -> ir.FloatingScalar:
    """Sum the same to the last bit for any order of rows; no row at all makes 0, never NULL."""
    number = column.cast("float64")
    known = ibis.ifelse(number.isnull() | number.isnan(), 0.0, number)
    bounded = ibis.greatest(ibis.least(known, LARGEST_VALUE), -LARGEST_VALUE)
    total = bounded.cast(_EXACT).sum(where=where)
    return total.cast("float64").fill_null(0.0)


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
