"""Builds one expression that computes many features at once."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import ibis

from cohortd.core.errors import SettingsError
from cohortd.core.modelling import FeatureSpec
from cohortd.engine.catalog import definition_of
from cohortd.engine.context import no_surroundings, surroundings
from cohortd.engine.definition import Definition
from cohortd.engine.families import FAMILIES
from cohortd.engine.names import Window
from cohortd.engine.scope import SECONDS_A_DAY, Scope, finite, ratio, slug_of
from cohortd.engine.vocabulary import STANDARD, Vocabulary

if TYPE_CHECKING:
    import ibis.expr.types as ir

_CONTACT: Final = r"[^@\s]+@[^@\s]+\.[^@\s]+|^\s*\+[\d ().\-/]{7,}\s*$"


@dataclass(frozen=True, slots=True)
class Span:
    """The window in whole seconds since the epoch: start included, end not."""

    start_s: int
    end_s: int
    #: When the first event of all happened; only windows of all time need it.
    first_s: int | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """The tables that features are computed from."""

    events: ir.Table
    customers: ir.Table
    context: ir.Table | None = None
    vocabulary: Vocabulary = field(default=STANDARD)


def feature_table(tables: Input, *, specs: Sequence[FeatureSpec], span: Span) -> ir.Table:
    """Compute *specs* for every customer with an event in the span, ordered by customer.

    Where every spec is an attribute, for every customer.
    """
    attributes = [spec.name for spec in specs if spec.table == "customers"]
    asked = {spec.name: _known(spec.name, tables.vocabulary) for spec in specs if spec.table != "customers"}
    measured = dict(_measures(asked))
    parts: list[ir.Table] = []
    if asked:
        parts = list(_event_parts(tables, measured, span))
    if attributes or not parts:
        parts.append(_attributes(tables.customers, attributes))
    joined = functools.reduce(_left_join, parts)
    columns = {spec.name: finite(_column(joined, spec.name, asked.get(spec.name))) for spec in specs}
    return joined.select("customer_id", **columns).order_by("customer_id")


def commonest_slugs(table: ir.Table, column: str, *, most: int) -> ir.Table:
    """Count the rows of each slug of a text column; the commonest first, ties by slug.

    An e-mail address or a telephone number is nobody's category: it would stand in models and pages.
    """
    named = table.filter(~table[column].cast("string").re_search(_CONTACT))
    slugs = named.select(slug=slug_of(named[column]))
    counted = slugs.drop_null("slug").group_by("slug").agg(n=lambda t: t.count())
    return counted.order_by([ibis.desc("n"), "slug"]).limit(most)


def number_of(column: ir.Column) -> ir.FloatingColumn:
    """Read a column as numbers; NULL for what is none."""
    number = column.try_cast("float64") if column.type().is_string() else column.cast("float64")
    return finite(number)


def _known(name: str, vocabulary: Vocabulary) -> Definition:
    found = definition_of(name, vocabulary)
    if found is None:
        raise SettingsError(f"segmentation: there is no feature {name!r}")
    return found


def _measures(asked: Mapping[str, Definition]) -> Iterator[tuple[str, Definition]]:
    """Name what must be aggregated: of a share of two windows, both."""
    for name, definition in asked.items():
        if definition.ratio is None:
            yield name, definition
        else:
            yield from ((part.spec.name, part) for part in definition.ratio)


def _column(joined: ir.Table, name: str, definition: Definition | None) -> ir.FloatingColumn:
    if definition is None or (definition.ratio is None and definition.window is None):
        return joined[name]
    if definition.ratio is not None:
        short, long = (_column(joined, part.spec.name, part) for part in definition.ratio)
        return ratio(short, long)
    # Who has no row in a window of its own is missing from that part.
    return joined[name] if definition.empty is None else joined[name].fill_null(definition.empty)


def _slugged(events: ir.Table, definitions: Iterable[Definition]) -> ir.Table:
    """Make slugs once a value instead of once a feature and row: there are far fewer values than rows.

    Only of what is read: a join that nobody needs costs as much as several features.
    """
    read = {column for item in definitions for column in (*item.spec.needs, *item.reads)}
    for family in FAMILIES.values():
        if family.column in read.intersection(events.columns):
            events = _with_slugs(events, family.column)
    return events


def _with_slugs(events: ir.Table, column: str) -> ir.Table:
    values = events.select(as_written=events[column]).distinct()
    slugs = values.select("as_written", slug=slug_of(values.as_written))
    joined = events.left_join(slugs, events[column] == slugs.as_written)
    return joined.drop(column, "as_written").rename({column: "slug"})


def _event_parts(tables: Input, definitions: Mapping[str, Definition], span: Span) -> Iterator[ir.Table]:
    """Aggregate within the window first, for that decides who is in."""
    known = tables.events.semi_join(tables.customers, "customer_id")
    context = no_surroundings() if tables.context is None else surroundings(tables.context)
    scope = Scope(known, span.end_s, span.start_s, tables.vocabulary, tables.customers, context)
    kinds = {name: (_cut(item.window, span), item.rows) for name, item in definitions.items()}
    for window, rows in dict.fromkeys([(None, None), *kinds.values()]):
        together = {name: item for name, item in definitions.items() if kinds[name] == (window, rows)}
        slugged = replace(scope, events=_slugged(known, together.values()))
        history = replace(slugged, events=slugged.events.filter(slugged.seconds() < span.end_s))
        part = _within(history, window, span)
        yield _aggregated(part if rows is None else replace(part, events=rows(part)), together)


def _cut(window: Window | None, span: Span) -> Window | None:
    """Forget a window of all time where that is what everybody has: one pass then does for both."""
    whole = window is not None and window.days is None and span.first_s == span.start_s
    return None if whole else window


def _within(history: Scope, window: Window | None, span: Span) -> Scope:
    """Cut the events down to a feature's own window, or the one that the settings give to all."""
    if window is None:
        start_s = span.start_s
    elif window.days is None:
        return replace(history, start_s=span.start_s if span.first_s is None else span.first_s)
    else:
        start_s = span.end_s - window.days * SECONDS_A_DAY
    return replace(history, events=history.events.filter(history.seconds() >= start_s), start_s=start_s)


def _aggregated(scope: Scope, definitions: Mapping[str, Definition]) -> ir.Table:
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


def _left_join(left: ir.Table, right: ir.Table) -> ir.Table:
    return left.left_join(right, "customer_id").drop("customer_id_right")
