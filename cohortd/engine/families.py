"""Features of which there are several of a kind: one a value of a text column, a weekday, a quarter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cohortd.core.modelling import FeatureSpec, Impute
from cohortd.engine.definition import Definition
from cohortd.engine.scope import Scope, row_share

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True, slots=True)
class Family:
    """One feature a value of a text column: which share of the customer's events has it."""

    name: str
    column: str
    title: str
    #: How one member is worded, with ``{}`` for the value.
    member_title: str
    high_word: str

    @property
    def spec(self) -> FeatureSpec:
        """The family itself, before it is expanded."""
        return _share_spec(self.name, self.title, (self.column,))

    def member(self, slug: str) -> Definition:
        """Make the feature ``<family>:<slug>``."""
        shown = slug.replace("_", " ")
        spec = _share_spec(
            f"{self.name}:{slug}",
            self.member_title.format(shown),
            (self.column,),
            high=self.high_word.format(shown),
            low=f"little {shown}",
        )
        return Definition(spec, lambda scope: self._share(scope, slug))

    def _share(self, scope: Scope, slug: str) -> ir.Scalar:
        return row_share(scope.events, scope.events[self.column] == slug)


@dataclass(frozen=True, slots=True)
class FixedFamily:
    """One feature a stretch of the calendar: which share of the customer's events lies in it."""

    name: str
    title: str
    #: Slug -> what the stretch is called, in order; and how that goes into a sentence.
    members: Mapping[str, str]
    within: str
    #: The number of the stretch each event lies in, counted from 0.
    number: Callable[[Scope], ir.IntegerColumn]

    @property
    def spec(self) -> FeatureSpec:
        """The family itself, before it is expanded."""
        return _share_spec(self.name, self.title, ())

    def member(self, slug: str) -> Definition:
        """Make the feature ``<family>:<slug>``; the slug must be one of the members."""
        shown, number = self.members[slug], list(self.members).index(slug)
        spec = _share_spec(
            f"{self.name}:{slug}",
            f"Share of events {self.within.format(shown)} (UTC)",
            (),
            high=f"{shown} shoppers",
        )
        return Definition(spec, lambda scope: row_share(scope.events, self.number(scope) == number))


def _share_spec(
    name: str, title: str, needs: tuple[str, ...], *, high: str = "", low: str = ""
) -> FeatureSpec:
    return FeatureSpec(
        name,
        title,
        ("occurred_at", *needs),
        heavy_tail=False,
        impute=Impute.ZERO,
        high_word=high,
        low_word=low,
    )


_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_QUARTERS = ("January to March", "April to June", "July to September", "October to December")

FIXED_FAMILIES = {
    family.name: family
    for family in (
        FixedFamily(
            name="weekday_share",
            title="Share of events on each weekday (UTC)",
            members={day.lower(): day for day in _WEEKDAYS},
            within="on {}s",
            number=lambda scope: scope.weekdays(),
        ),
        FixedFamily(
            name="quarter_share",
            title="Share of events in each quarter of the year (UTC)",
            members={quarter.lower().replace(" ", "_"): quarter for quarter in _QUARTERS},
            within="from {}",
            number=lambda scope: scope.events.occurred_at.quarter() - 1,
        ),
    )
}

FAMILIES = {
    family.name: family
    for family in (
        Family(
            name="category_share",
            column="category",
            title="Share of events in each of the largest categories",
            member_title="Share of events in category {}",
            high_word="{} buyers",
        ),
        Family(
            name="channel_share",
            column="channel",
            title="Share of events in each of the largest channels",
            member_title="Share of events in channel {}",
            high_word="{} shoppers",
        ),
        Family(
            name="device_share",
            column="device",
            title="Share of events on each of the commonest devices",
            member_title="Share of events on device {}",
            high_word="{} users",
        ),
        Family(
            name="type_share",
            column="type",
            title="Share of events of each of the commonest types",
            member_title="Share of events of type {}",
            high_word="much {}",
        ),
    )
}
