"""What the settings say of features: event types that mean something, own expressions, places."""

from __future__ import annotations

from dataclasses import dataclass

from cohortd.core.modelling import Impute

#: Event types are free text; these are compared as slugs are, so that "Page View" is ``page_view``.
CONVERSION_TYPES = ("purchase", "order", "transaction", "checkout", "subscription", "subscribe", "signup")
PAGE_VIEW_TYPES = ("page_view", "pageview", "view", "page", "screen_view", "screen", "play", "read")


@dataclass(frozen=True, slots=True)
class OwnFeature:
    """A feature that people wrote in SQL; see ``expressions.py`` for what it may say."""

    name: str
    sql: str
    title: str
    high_word: str = ""
    low_word: str = ""
    #: None where the sample must say it.
    heavy_tail: bool | None = None
    absent: Impute = Impute.MEDIAN


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the engine must know to understand a feature's name beside its own catalog."""

    conversion_types: tuple[str, ...] = CONVERSION_TYPES
    page_view_types: tuple[str, ...] = PAGE_VIEW_TYPES
    own_features: tuple[OwnFeature, ...] = ()
    #: A customers' attribute or an events' column that holds the place of the context; empty: one for all.
    place: str = ""

    def own(self, name: str) -> OwnFeature | None:
        """Find an own feature by its name."""
        return next((each for each in self.own_features if each.name == name), None)


#: What holds where the settings say nothing.
STANDARD = Vocabulary()
