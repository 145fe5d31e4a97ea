"""Which segments become audiences, out of the settings: people's own conditions are read here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clustering import refuse_sensitive
from cohortd.core.errors import SettingsError
from cohortd.core.modelling import Segment
from cohortd.engine import resolve
from cohortd.features import vocabulary_of
from cohortd.pipeline.wiring import AudiencePolicy, Rule, WhenGone
from config.rules import Rule as RuleSettings
from config.settings import Settings

if TYPE_CHECKING:
    from cohortd.engine import Condition

#: What platforms show where people said nothing; never the condition, which may name what they flag.
_DESCRIPTION = "Customers chosen by a rule."


def audience_policy(settings: Settings) -> AudiencePolicy:
    """Turn the settings of audiences into what the pipeline knows.

    Raises:
        SettingsError: A rule's condition is none, or names what is not there.
    """
    wanted = settings.audiences
    return AudiencePolicy(
        wanted.minimum_size,
        wanted.name_prefix,
        WhenGone(wanted.when_gone),
        rules=tuple(_rule(settings, key, rule) for key, rule in wanted.rules.items()),
        exclude_only=frozenset(wanted.exclude_only),
        pinned=wanted.pinned,
        most=wanted.most,
        intersections=wanted.intersections,
        most_intersections=wanted.most_intersections,
    )


def _rule(settings: Settings, key: str, rule: RuleSettings) -> Rule:
    segment = Segment(f"rule-{key}", rule.name, rule.description or _DESCRIPTION, kind="rule")
    return Rule(segment, _condition(settings, key, rule.condition))


def _condition(settings: Settings, key: str, text: str) -> Condition:
    from cohortd.engine import parse_condition  # noqa: PLC0415 - reads SQL, which few settings have

    customers = settings.sources.customers
    try:
        attributes = None if customers.columns is None else customers.attributes
        vocabulary = vocabulary_of(settings)
        condition = parse_condition(text, attributes, vocabulary)
        named = resolve(condition.attributes, condition.attributes) if condition.attributes else []
        refuse_sensitive([*condition.specs, *named], settings.segmentation.allow_sensitive)
        return condition
    except SettingsError as error:
        raise SettingsError(f"audiences.rules.{key}.condition: {error}") from None
