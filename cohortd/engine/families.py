"""Features of which there are as many as a text column has common values."""

from dataclasses import dataclass

import ibis.expr.types as ir

from cohortd.core.modelling import FeatureSpec, Impute
from cohortd.engine.definition import Definition
from cohortd.engine.scope import Scope, row_share


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
        return self._spec(self.name, self.title)

    def member(self, slug: str) -> Definition:
        """Make the feature ``<family>:<slug>``."""
        shown = slug.replace("_", " ")
        spec = self._spec(
            f"{self.name}:{slug}",
            self.member_title.format(shown),
            high=self.high_word.format(shown),
            low=f"little {shown}",
        )
        return Definition(spec, lambda scope: self._share(scope, slug))

    def _spec(self, name: str, title: str, *, high: str = "", low: str = "") -> FeatureSpec:
        return FeatureSpec(
            name,
            title,
            ("occurred_at", self.column),
            heavy_tail=False,
            impute=Impute.ZERO,
            high_word=high,
            low_word=low,
        )

    def _share(self, scope: Scope, slug: str) -> ir.Scalar:
        return row_share(scope.events, scope.events[self.column] == slug)


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
