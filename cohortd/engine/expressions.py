"""Own features: one SQL aggregate over the events, read node by node into our own expressions.

Nothing of the text reaches the database. What is not in the tables below is refused, so that an
expression can neither read anything else nor depend on the order of rows, on chance or on the clock.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

import ibis
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from cohortd.core.errors import SettingsError
from cohortd.core.modelling import FeatureSpec
from cohortd.core.tables import EVENT_NUMBER_FIELDS, EVENT_TEXT_FIELDS
from cohortd.engine.definition import Definition
from cohortd.engine.scope import SECONDS_A_DAY, Scope, exact_mean, exact_sum, finite, ratio
from cohortd.engine.sql_conditions import Conditions
from cohortd.engine.sql_nodes import RefusedError, only, shown
from cohortd.engine.vocabulary import OwnFeature

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Days from an event to the end of the data: what ``now()`` would otherwise be wanted for.
DAYS_AGO: Final = "days_ago"
COLUMNS: Final = (*EVENT_NUMBER_FIELDS, *EVENT_TEXT_FIELDS, "occurred_at", DAYS_AGO)
AGGREGATES: Final = "sum, avg, min, max, median and count"

_LARGEST_WHOLE: Final = 2.0**53
_DIGITS: Final = frozenset("0123456789")

# Else it writes a line of its own for every statement it does not know, which is refused here anyway.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


@functools.lru_cache(maxsize=256)
def own_definition(own: OwnFeature) -> Definition:
    """Make a feature of an expression.

    Raises:
        SettingsError: It is not one aggregate made of what is allowed; says what is wrong.
    """
    try:
        tree = _parsed(own.sql)
        needs = _columns(tree)
        _Outside(_any_events()).total(tree)
    except RefusedError as refusal:
        raise SettingsError(f"segmentation.expressions.{own.name}: {refusal}") from None
    except RecursionError:
        raise SettingsError(f"segmentation.expressions.{own.name}: is nested too deeply") from None
    spec = FeatureSpec(
        own.name,
        own.title,
        ("occurred_at", *(name for name in needs if name != "occurred_at")),
        heavy_tail=own.heavy_tail,
        impute=own.absent,
        high_word=own.high_word,
        low_word=own.low_word,
    )
    return Definition(spec, lambda scope: _Outside(scope).total(tree))


def _parsed(sql: str) -> exp.Expr:
    try:
        statements = [each for each in sqlglot.parse(sql, dialect="duckdb") if each is not None]
    except (SqlglotError, RecursionError):
        raise RefusedError("cannot be read as one SQL expression, such as sum(value) / count(*)") from None
    if len(statements) != 1:
        raise RefusedError(f"must be one expression, not {len(statements)}")
    return statements[0]


def _columns(tree: exp.Expr) -> tuple[str, ...]:
    """The events' columns it reads, in order of appearance."""
    names = dict.fromkeys(column.name.lower() for column in tree.find_all(exp.Column))
    return tuple(name for name in names if name != DAYS_AGO)


def _any_events() -> Scope:
    """Events with every column there may be, to try an expression on."""
    numbers = dict.fromkeys(EVENT_NUMBER_FIELDS, "float64")
    texts = dict.fromkeys(("customer_id", *EVENT_TEXT_FIELDS), "string")
    return Scope(ibis.table({**numbers, **texts, "occurred_at": "timestamp"}, name="events"), 0, 0)


class _Reading(Conditions):
    """Arithmetic, which is the same inside and outside of aggregates."""

    def number(self, node: exp.Expr) -> ir.FloatingValue:
        if not isinstance(node, exp.Expr):
            raise RefusedError("a value is missing")
        found = _ARITHMETIC.get(type(node))
        if found is not None:
            return found(self, node)
        if self.is_condition(node):
            return self.holds(node).cast("float64")
        return self.leaf(node)

    def leaf(self, node: exp.Expr) -> ir.FloatingValue:
        raise NotImplementedError

    def two(self, node: exp.Expr) -> tuple[ir.FloatingValue, ir.FloatingValue]:
        only(node, "this", "expression")
        return self.number(node.this), self.number(node.expression)

    def several(self, node: exp.Expr) -> list[ir.FloatingValue]:
        only(node, "this", "expressions")
        return [self.number(each) for each in (node.this, *node.expressions)]


class _Outside(_Reading):
    """Numbers made of aggregates."""

    def total(self, tree: exp.Expr) -> ir.FloatingScalar:
        number = self.number(tree).cast("float64")
        if not tree.find(*_AGGREGATES):
            raise RefusedError(f"must be an aggregate over a customer's events: {AGGREGATES} make one")
        return number

    def leaf(self, node: exp.Expr) -> ir.FloatingValue:
        where = None
        if isinstance(node, exp.Filter):
            only(node, "this", "expression")
            where = _Inside(self.scope).holds(node.expression.this)
            node = node.this
        aggregate = _AGGREGATES.get(type(node))
        if aggregate is not None:
            return aggregate(_Inside(self.scope), node, where)
        if isinstance(node, exp.Column):
            self.column(node)
        raise RefusedError(f"{shown(node)} is not allowed")

    def column(self, node: exp.Column) -> str:
        name = super().column(node)
        raise RefusedError(f"{name} must stand inside one of {AGGREGATES}, as in max({name})")


class _Inside(_Reading):
    """Numbers of one event."""

    def each(self, node: exp.Expr) -> ir.Column:
        """Read what is aggregated: a value an event, even where it is always the same."""
        value = self.anything(node)
        if isinstance(value, ibis.expr.types.Column):
            return value
        return ibis.ifelse(self.scope.events.occurred_at.isnull(), ibis.null(value.type()), value)

    def numbers(self, node: exp.Expr) -> ir.FloatingColumn:
        """Read the numbers of all events."""
        only(node, "this")
        if isinstance(node.this, exp.Column):
            return finite(self._column(node.this))
        return finite(self.each(node.this))

    def leaf(self, node: exp.Expr) -> ir.FloatingValue:
        if isinstance(node, exp.Column):
            return self._column(node)
        part = self.part_of_time(node)
        if part is not None:
            return part.cast("float64")
        if type(node) in _AGGREGATES or isinstance(node, exp.Filter):
            raise RefusedError(f"{shown(node)} cannot stand inside another aggregate")
        raise RefusedError(f"{shown(node)} is not allowed")

    def _column(self, node: exp.Column) -> ir.FloatingValue:
        name = self.column(node)
        if name == DAYS_AGO:
            return ((self.scope.as_of_s - self.scope.seconds()) / SECONDS_A_DAY).floor().cast("float64")
        if name not in EVENT_NUMBER_FIELDS:
            raise RefusedError(f"{name} is no number: compare or count it")
        return self.scope.events[name].cast("float64")


def _literal(_: _Reading, node: exp.Expr) -> ir.FloatingValue:
    if node.is_string:
        raise RefusedError(f"'{node.this}' is no number")
    return ibis.literal(float(node.this), "float64")


def _case(level: _Reading, node: exp.Expr) -> ir.FloatingValue:
    only(node, "this", "ifs", "default")
    subject = node.args.get("this")
    branches = []
    for branch in node.args["ifs"]:
        condition = exp.EQ(this=subject.copy(), expression=branch.this.copy()) if subject else branch.this
        branches.append((level.holds(condition), level.number(branch.args["true"])))
    return ibis.cases(*branches, else_=_or_null(level, node.args.get("default")))


def _if(level: _Reading, node: exp.Expr) -> ir.FloatingValue:
    only(node, "this", "true", "false")
    other = _or_null(level, node.args.get("false"))
    return ibis.ifelse(level.holds(node.this), level.number(node.args["true"]), other)


def _or_null(level: _Reading, node: exp.Expr | None) -> ir.FloatingValue:
    return ibis.null("float64") if node is None else level.number(node)


def _round(level: _Reading, node: exp.Expr) -> ir.FloatingValue:
    only(node, "this", "decimals")
    digits = node.args.get("decimals")
    if digits is not None and not (isinstance(digits, exp.Literal) and digits.this in _DIGITS):
        raise RefusedError("round takes a plain number of digits, from 0 to 9")
    number = _countable(level.number(node.this))
    return number.round(int(digits.this) if digits is not None else 0).cast("float64")


def _cast(level: _Reading, node: exp.Expr) -> ir.FloatingValue:
    only(node, "this", "to")
    if node.args["to"].this not in {exp.DType.DOUBLE, exp.DType.FLOAT}:
        raise RefusedError("cast makes nothing but DOUBLE here: use floor, ceil or round for whole numbers")
    return level.number(node.this)


def _countable(number: ir.FloatingValue) -> ir.FloatingValue:
    """Leave out what is no whole number to the database once it is rounded: that would stop the run."""
    return ibis.ifelse(number.abs() <= _LARGEST_WHOLE, number, ibis.null("float64"))


def _logarithm(level: _Reading, node: exp.Expr) -> ir.FloatingValue:
    only(node, "this")
    number = level.number(node.this)
    # Where there is none the database would stop the whole run.
    return ibis.ifelse(number > 0, number, ibis.null("float64")).ln()


def _root(level: _Reading, node: exp.Expr) -> ir.FloatingValue:
    only(node, "this")
    number = level.number(node.this)
    return ibis.ifelse(number >= 0, number, ibis.null("float64")).sqrt()


def _unary(
    make: Callable[[ir.FloatingValue], ir.FloatingValue],
) -> Callable[[_Reading, exp.Expr], ir.FloatingValue]:
    def read(level: _Reading, node: exp.Expr) -> ir.FloatingValue:
        only(node, "this")
        return make(level.number(node.this)).cast("float64")

    return read


def _binary(
    make: Callable[[ir.FloatingValue, ir.FloatingValue], ir.FloatingValue],
) -> Callable[[_Reading, exp.Expr], ir.FloatingValue]:
    return lambda level, node: make(*level.two(node))


_ARITHMETIC: Final[Mapping[type[exp.Expr], Callable[[_Reading, exp.Expr], ir.FloatingValue]]] = {
    exp.Paren: _unary(lambda number: number),
    exp.Neg: _unary(lambda number: -number),
    exp.Abs: _unary(lambda number: number.abs()),
    exp.Floor: _unary(lambda number: _countable(number).floor()),
    exp.Ceil: _unary(lambda number: _countable(number).ceil()),
    exp.Ln: _logarithm,
    exp.Sqrt: _root,
    exp.Add: _binary(lambda left, right: left + right),
    exp.Sub: _binary(lambda left, right: left - right),
    exp.Mul: _binary(lambda left, right: left * right),
    exp.Div: _binary(ratio),
    exp.Mod: _binary(lambda left, right: left % right.nullif(0.0)),
    exp.Nullif: _binary(lambda left, right: left.nullif(right)),
    exp.Coalesce: lambda level, node: ibis.coalesce(*level.several(node)),
    exp.Greatest: lambda level, node: ibis.greatest(*level.several(node)),
    exp.Least: lambda level, node: ibis.least(*level.several(node)),
    exp.Literal: _literal,
    exp.Null: lambda _level, _node: ibis.null("float64"),
    exp.Case: _case,
    exp.If: _if,
    exp.Round: _round,
    exp.Cast: _cast,
}

_Where: TypeAlias = "ir.BooleanValue | None"


def _count(level: _Inside, node: exp.Expr, where: _Where) -> ir.FloatingValue:
    only(node, "this")
    if isinstance(node.this, exp.Star):
        return level.scope.events.count(where=where).cast("float64")
    distinct = isinstance(node.this, exp.Distinct)
    counted = node.this.expressions[0] if distinct else node.this
    if distinct:
        only(node.this, "expressions")
        if len(node.this.expressions) != 1:
            raise RefusedError("count(DISTINCT ...) takes one column")
    values = level.each(counted)
    return (values.nunique(where=where) if distinct else values.count(where=where)).cast("float64")


_AGGREGATES: Final[Mapping[type[exp.Expr], Callable[[_Inside, exp.Expr, _Where], ir.FloatingValue]]] = {
    exp.Sum: lambda level, node, where: exact_sum(level.numbers(node), where),
    exp.Avg: lambda level, node, where: exact_mean(level.numbers(node), where),
    exp.Min: lambda level, node, where: level.numbers(node).min(where=where),
    exp.Max: lambda level, node, where: level.numbers(node).max(where=where),
    exp.Median: lambda level, node, where: level.numbers(node).median(where=where),
    exp.Count: _count,
}
