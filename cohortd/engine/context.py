"""Features of what it was like where and when a customer was active: weather, holidays, prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis

from cohortd.core.modelling import FeatureSpec, Impute
from cohortd.core.tables import EVENT_TEXT_FIELDS
from cohortd.engine.definition import Definition
from cohortd.engine.scope import Scope, exact_mean, slug_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

_USUAL = "usual_"


def surroundings(context: ir.Table) -> ir.Table:
    """Make one row a day, and place where there are places; several rows of one are averaged."""
    keys = [name for name in ("date", "place") if name in context.columns]
    columns = [name for name in context.columns if name not in keys]
    if "place" in keys:
        context = context.mutate(place=slug_of(context.place))
    return context.group_by(keys).agg(**{name: exact_mean(context[name]) for name in columns})


def _active_days(scope: Scope) -> ir.Table:
    """One row a customer, day and place with an event, beside what that day and a usual one were like."""
    assert scope.context is not None
    places = [name for name in ("place",) if name in scope.context.columns]
    placed = _placed(scope) if places else scope.events
    days = placed.select("customer_id", *places, date=placed.occurred_at.date()).distinct()
    numbers = [name for name in scope.context.columns if name not in ("date", "place")]
    day_s = scope.context.date.epoch_seconds()
    span = scope.context.filter((day_s >= scope.start_s) & (day_s < scope.as_of_s))
    means = {f"{_USUAL}{name}": exact_mean(span[name]) for name in numbers}
    counted = {**means, "spanned": span.count()}
    usual = span.group_by(places).agg(**counted) if places else span.agg(**counted)
    beside = days.inner_join(scope.context, ["date", *places])
    return beside.inner_join(usual, places) if places else beside.cross_join(usual)


def _placed(scope: Scope) -> ir.Table:
    """Say of each event where it was; those of which nobody knows it have no surroundings."""
    place = scope.vocabulary.place
    if place in EVENT_TEXT_FIELDS:
        return scope.events.mutate(place=slug_of(scope.events[place]))
    assert scope.customers is not None
    home = scope.customers.select("customer_id", place=slug_of(scope.customers[place]))
    return scope.events.inner_join(home, "customer_id")


@dataclass(frozen=True, slots=True)
class ContextFamily:
    """One feature a column of the context table."""

    name: str
    title: str
    member_title: str
    words: tuple[str, str]
    expression: Callable[[ir.Table, str], ir.Scalar]

    @property
    def spec(self) -> FeatureSpec:
        """The family itself, before it is expanded."""
        return self._spec(self.name, self.title, ("occurred_at", "context.date"), ("", ""))

    def member(self, column: str, place: str = "") -> Definition:
        """Make the feature ``<family>:<column>``, for customers who are at *place*."""
        shown = column.removeprefix("is_").replace("_", " ")
        needs = ["occurred_at", f"context.{column}"]
        if place:
            needs += ["context.place", place if place in EVENT_TEXT_FIELDS else f"customers.{place}"]
        spec = self._spec(
            f"{self.name}:{column}",
            self.member_title.format(shown),
            tuple(needs),
            (self.words[0].format(shown), self.words[1].format(shown)),
        )
        return Definition(spec, lambda scope: self.expression(scope.events, column), rows=_active_days)

    def _spec(self, name: str, title: str, needs: tuple[str, ...], words: tuple[str, str]) -> FeatureSpec:
        return FeatureSpec(
            name,
            title,
            needs,
            heavy_tail=False,
            impute=Impute.MEDIAN,
            high_word=words[0],
            low_word=words[1],
            table="context",
        )


def _mean(days: ir.Table, column: str) -> ir.Scalar:
    return exact_mean(days[column])


def _lift(days: ir.Table, column: str) -> ir.Scalar:
    known = days[column].notnull()
    return exact_mean(days[column]) - exact_mean(days[f"{_USUAL}{column}"], known)


CONTEXT_FAMILIES = {
    family.name: family
    for family in (
        ContextFamily(
            "context_mean",
            "Mean of each column of the context table over the days with an event",
            "Mean {} on the days with an event",
            ("high {}", "low {}"),
            _mean,
        ),
        ContextFamily(
            "context_lift",
            "The same, less the mean over all days of the window at that place",
            "{} on the days with an event, against all days there",
            ("more with {}", "less with {}"),
            _lift,
        ),
    )
}


def no_surroundings() -> ir.Table:
    """Stand in where there is no context table: no day has any."""
    return ibis.table({"date": "date"}, name="no_context")
