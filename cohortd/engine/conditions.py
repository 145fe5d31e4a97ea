"""Conditions that people write in SQL over features and attributes.

Their text is never run: it is read into a tree of which only what ``terms`` knows is allowed, and
that is said again in Ibis.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

import ibis
import sqlglot
from sqlglot import exp

from cohortd.core.errors import SettingsError
from cohortd.core.modelling import FeatureSpec
from cohortd.core.tables import CONTACT_FIELDS
from cohortd.engine.aggregation import number_of
from cohortd.engine.catalog import catalog, definition_of, is_family
from cohortd.engine.names import FeatureName
from cohortd.engine.terms import Kind, kind_of, say
from cohortd.engine.vocabulary import STANDARD, Vocabulary

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: A word so near to a feature's name is a typing mistake, even where attributes may have any name.
_TOO_CLOSE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Condition:
    """What holds of a customer or does not; where a value is absent that it needs, it does not."""

    text: str
    #: The features and customer attributes that it reads.
    specs: tuple[FeatureSpec, ...]
    attributes: tuple[str, ...]
    tree: exp.Expression = field(repr=False, compare=False)

    def of(self, table: ir.Table) -> ir.BooleanColumn:
        """Say of each row of a table with these columns whether it holds."""
        told = say(
            self.tree, Kind.TRUTH, lambda column, kind: self._column(table, column.name, kind), self._kind
        )
        return told.fill_null(ibis.literal(False))  # noqa: FBT003 - a value

    def _kind(self, column: exp.Column) -> Kind | None:
        return None if column.name in self.attributes else Kind.NUMBER

    def _column(self, table: ir.Table, name: str, kind: Kind) -> ir.Value:
        if name not in self.attributes:
            return table[name]
        if kind is Kind.NUMBER:
            return number_of(table[name])
        text = table[name].cast("string")
        return text == "1" if kind is Kind.TRUTH else text  # as sources write true


def parse_condition(
    text: str, attributes: Collection[str] | None, vocabulary: Vocabulary = STANDARD
) -> Condition:
    """Read a condition.

    Args:
        text: A SQL expression such as ``recency_days > 90 AND plan = 'gold'``.
        attributes: The customer attributes that are mapped; None where any column may be one.
        vocabulary: What else the settings say of features.

    Raises:
        SettingsError: It is none, holds more SQL than a condition may, or names what is not there.
    """
    specs: dict[str, FeatureSpec] = {}
    named: dict[str, None] = {}

    def look_up(column: exp.Column) -> Kind | None:
        name = _name_of(column)
        definition = definition_of(name, vocabulary)
        if definition is not None:
            specs[name] = definition.spec
            return Kind.NUMBER
        _check_attribute(name, attributes, vocabulary)
        named[name] = None
        return None

    try:
        tree = _tree(text)
        kind = kind_of(tree, look_up)
    except RecursionError:
        raise SettingsError("it has too many parts within parts") from None
    if kind not in {Kind.TRUTH, None}:
        raise SettingsError(f"it is a {kind}: compare it with something, as in `value_sum > 500`")
    if not specs and not named:
        raise SettingsError("it names no feature and no attribute, so it would be true of all or nobody")
    return Condition(text, tuple(specs.values()), tuple(named), tree)


def _tree(text: str) -> exp.Expression:
    try:
        trees = sqlglot.parse(text, dialect="duckdb")
    except sqlglot.errors.SqlglotError as error:
        told = next((each["description"] for each in getattr(error, "errors", ())), "")
        raise SettingsError(f"it is no SQL condition: {told.rstrip('.') or 'it cannot be read'}") from None
    if len(trees) != 1 or trees[0] is None:
        raise SettingsError("it must be one SQL condition, such as `recency_days > 90 AND value_sum > 500`")
    if isinstance(trees[0], exp.Alias):
        raise SettingsError('names with a colon go in double quotes, as "category_share:grocery" > 0.5')
    return cast("exp.Expression", trees[0])


def _name_of(column: exp.Column) -> str:
    if not isinstance(column.this, exp.Identifier) or column.table:
        raise SettingsError(f"`{column.sql()}` is no name of a feature or an attribute")
    return str(column.name)


def _check_attribute(name: str, attributes: Collection[str] | None, vocabulary: Vocabulary) -> None:
    asked = FeatureName.read(name)
    if is_family(asked):
        raise SettingsError(f'{name} is a family of features: name one, as "{asked.of("grocery")}"')
    if name in CONTACT_FIELDS:
        raise SettingsError(f"{name} is a contact field: those only name and reach a person")
    if attributes is None:
        _refuse(name, _features(vocabulary), cutoff=_TOO_CLOSE)
    elif name not in attributes:
        _refuse(name, [*_features(vocabulary), *attributes], cutoff=0.0)


def _features(vocabulary: Vocabulary) -> list[str]:
    return [*catalog(), *(own.name for own in vocabulary.own_features)]


def _refuse(name: str, known: list[str], *, cutoff: float) -> None:
    """Refuse a name that is unknown, or nearly a known one."""
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=max(cutoff, 0.5))
    if nearest:
        raise SettingsError(f"there is no feature or attribute {name!r}; did you mean {nearest[0]}?")
    if not cutoff:
        names = ", ".join(sorted(each for each in known if not is_family(FeatureName.read(each))))
        raise SettingsError(f"there is no feature or attribute {name!r}; known are {names}")
