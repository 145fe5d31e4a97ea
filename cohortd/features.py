"""Features out of their settings: attributes asked for, own expressions, what is in the context."""

from collections.abc import Iterable

from cohortd.core.errors import SettingsError
from cohortd.core.modelling import Impute
from cohortd.core.tables import EVENT_TEXT_FIELDS
from cohortd.engine import FeatureName, OwnFeature, Vocabulary, catalog
from config.features import OwnExpression
from config.settings import Settings


def attributes_of(settings: Settings) -> tuple[str, ...]:
    """Attributes that features ask for: mapped ones, or with no mapping the table's own columns."""
    customers = settings.sources.customers
    known = {*catalog(), *settings.segmentation.expressions}
    asked = [name for name in _asked(settings) if _base(name) not in known and ":" not in name]
    if customers.columns is None:
        return tuple(asked)
    return tuple(name for name in asked if name in customers.attributes)


def place_attribute(settings: Settings) -> tuple[str, ...]:
    """Name the attribute that says where a customer is; none where an event says it, or nothing does.

    Raises:
        SettingsError: There is no such attribute, or none is needed.
    """
    context, customers = settings.sources.context, settings.sources.customers
    if context is None or context.by_place is None or context.by_place in EVENT_TEXT_FIELDS:
        return ()
    if customers.columns is not None and context.by_place not in customers.attributes:
        raise SettingsError(
            f"sources.context.by_place: the customers have no attribute {context.by_place};"
            " map it in sources.customers.columns, or name one of the events' columns:"
            f" {', '.join(EVENT_TEXT_FIELDS)}"
        )
    return (context.by_place,)


def context_numbers(settings: Settings) -> tuple[str, ...]:
    """Columns of the context to read: mapped ones, else those that features ask for by name."""
    context = settings.sources.context
    if context is None:
        return ()
    if context.columns is not None:
        return context.numbers
    asked = (FeatureName.read(name) for name in _asked(settings))
    return tuple(
        dict.fromkeys(name.member for name in asked if name.member and name.base.startswith("context_"))
    )


def vocabulary_of(settings: Settings) -> Vocabulary:
    """Gather what the engine must know beside its catalog.

    Raises:
        SettingsError: An expression has the name of something else.
    """
    wanted, context = settings.segmentation, settings.sources.context
    _refuse_known(wanted.expressions, {*catalog(), *settings.sources.customers.attributes})
    return Vocabulary(
        conversion_types=wanted.conversion_types,
        page_view_types=wanted.page_view_types,
        own_features=tuple(_own(name, each) for name, each in wanted.expressions.items()),
        place=(context.by_place if context is not None else None) or "",
    )


def _own(name: str, expression: OwnExpression) -> OwnFeature:
    return OwnFeature(
        name=name,
        sql=expression.sql,
        title=expression.title,
        high_word=expression.high,
        low_word=expression.low,
        heavy_tail=expression.heavy_tail,
        absent=Impute(expression.absent),
    )


def _refuse_known(names: Iterable[str], known: set[str]) -> None:
    for name in names:
        if name in known:
            raise SettingsError(
                f"segmentation.expressions: {name} is a feature or an attribute already; use another name"
            )


def _asked(settings: Settings) -> tuple[str, ...]:
    chosen = settings.segmentation.chosen
    return () if isinstance(chosen, str) else chosen


def _base(name: str) -> str:
    return FeatureName.read(name).base
