"""Builds one expression that computes many features at once."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir

from cohortd.core.modelling import FeatureSpec
from cohortd.engine.catalog import definition_of
from cohortd.engine.definition import Definition
from cohortd.engine.families import FAMILIES
from cohortd.engine.scope import Scope, slug_of


@dataclass(frozen=True, slots=True)
class Span:
    """The window in whole seconds since the epoch: start included, end not."""

    start_s: int
    end_s: int


def feature_table(
    events: ir.Table, customers: ir.Table, *, specs: Sequence[FeatureSpec], span: Span
) -> ir.Table:
    """Compute *specs* for every customer with an event in the span, ordered by customer.

    Where every spec is an attribute, for every customer.
    """
    definitions = {spec.name: definition_of(spec.name) for spec in specs}
    over_events = {name: found for name, found in definitions.items() if found is not None}
    parts: list[ir.Table] = []
    if over_events:
        known = events.semi_join(customers, "customer_id")
        parts = _event_parts(_slugged(known), over_events, span)
    attributes = [name for name, found in definitions.items() if found is None]
    if attributes or not parts:
        parts.append(_attributes(customers, attributes))
    joined = functools.reduce(_left_join, parts)
    columns = {spec.name: _finite(joined[spec.name]) for spec in specs}
    return joined.select("customer_id", **columns).order_by("customer_id")


def commonest_slugs(table: ir.Table, column: str, *, most: int) -> ir.Table:
    """Count the rows of each slug of a text column; the commonest first, ties by slug."""
    slugs = table.select(slug=slug_of(table[column]))
    counted = slugs.drop_null("slug").group_by("slug").agg(n=lambda t: t.count())
    return counted.order_by([ibis.desc("n"), "slug"]).limit(most)


def number_of(column: ir.Column) -> ir.FloatingColumn:
    """Read a column as numbers; NULL for what is none."""
    number = column.try_cast("float64") if column.type().is_string() else column.cast("float64")
    return _finite(number)


def _slugged(events: ir.Table) -> ir.Table:
    """Make slugs once a value instead of once a feature and row: there are far fewer values than rows."""
    for family in FAMILIES.values():
        if family.column in events.columns:
            events = _with_slugs(events, family.column)
    return events


def _with_slugs(events: ir.Table, column: str) -> ir.Table:
    values = events.select(as_written=events[column]).distinct()
    slugs = values.select("as_written", slug=slug_of(values.as_written))
    joined = events.left_join(slugs, events[column] == slugs.as_written)
    return joined.drop(column, "as_written").rename({column: "slug"})


def _event_parts(events: ir.Table, definitions: dict[str, Definition], span: Span) -> list[ir.Table]:
    """Aggregate within the window first, for that decides who is in."""
    scope = Scope(events, as_of_s=span.end_s, start_s=span.start_s)
    history = events.filter(scope.seconds() < span.end_s)
    window = history.filter(replace(scope, events=history).seconds() >= span.start_s)
    in_window = {name: item for name, item in definitions.items() if not item.history}
    parts = [_aggregated(replace(scope, events=window), in_window)]
    in_history = {name: item for name, item in definitions.items() if item.history}
    if in_history:
        parts.append(_aggregated(replace(scope, events=history), in_history))
    return parts


def _aggregated(scope: Scope, definitions: dict[str, Definition]) -> ir.Table:
    columns = {name: item.expression(scope).cast("float64") for name, item in definitions.items()}
    grouped = scope.events.group_by("customer_id")
    return grouped.agg(**columns) if columns else scope.events.select("customer_id").distinct()


def _attributes(customers: ir.Table, names: list[str]) -> ir.Table:
    return customers.select("customer_id", **{name: _attribute(customers, name) for name in names})


def _attribute(customers: ir.Table, name: str) -> ir.FloatingColumn:
    column, _, slug = name.partition(":")
    if slug:
        return (slug_of(customers[column]) == slug).cast("float64")
    return number_of(customers[column])


def _finite(number: ir.FloatingColumn) -> ir.FloatingColumn:
    return ibis.ifelse(number.isnan() | number.isinf(), ibis.null("float64"), number)


def _left_join(left: ir.Table, right: ir.Table) -> ir.Table:
    return left.left_join(right, "customer_id").drop("customer_id_right")
