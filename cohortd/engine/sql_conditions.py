"""Conditions within own SQL expressions: comparisons of numbers, texts and times."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias

import ibis
from sqlglot import exp

from cohortd.core.tables import EVENT_NUMBER_FIELDS, EVENT_TEXT_FIELDS
from cohortd.engine.families import FAMILIES
from cohortd.engine.scope import Scope, slug_of
from cohortd.engine.sql_nodes import RefusedError, only, shown

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Texts that are compared as slugs: "Dairy & Eggs" is "dairy-eggs".
_SLUGGED: Final = frozenset(family.column for family in FAMILIES.values())
_TIME: Final = "occurred_at"


class Conditions:
    """Reads what is true or false; a subclass knows numbers."""

    def __init__(self, scope: Scope) -> None:
        """Read over these events."""
        self.scope = scope

    def number(self, node: exp.Expr) -> ir.FloatingValue:
        """Read a number."""
        raise NotImplementedError

    def is_condition(self, node: exp.Expr) -> bool:
        """Whether a node says what is true or false."""
        return type(node) in _CONDITIONS

    def holds(self, node: exp.Expr) -> ir.BooleanValue:
        """Read a condition.

        Raises:
            RefusedError: It is none, or not one that is allowed.
        """
        found = _CONDITIONS.get(type(node))
        if found is None:
            raise RefusedError(f"{shown(node)} is no condition, such as value > 100")
        return found(self, node)

    def column(self, node: exp.Column) -> str:
        """Check a column's name.

        Raises:
            RefusedError: There is no such column, or it is said to be another table's.
        """
        only(node, "this")
        name = node.name.lower()
        known = (*EVENT_NUMBER_FIELDS, *EVENT_TEXT_FIELDS, _TIME, "days_ago")
        if name not in known:
            raise RefusedError(f"there is no column {node.name}; there are {', '.join(known)}")
        return name

    def anything(self, node: exp.Expr) -> ir.Column:
        """Read what may be counted: a text, a number."""
        if isinstance(node, exp.Column) and self.column(node) in EVENT_TEXT_FIELDS:
            return self.scope.events[self.column(node)]
        return self.number(node)

    def part_of_time(self, node: exp.Expr) -> ir.IntegerValue | None:
        """Read ``hour(occurred_at)`` and the like; None for anything else."""
        inner, part = node.args.get("this"), type(node).__name__.lower()
        if isinstance(node, exp.Extract):
            only(node, "this", "expression")
            inner, part = node.expression, node.this.name.lower()
            part = {"isodow": "dayofweekiso"}.get(part, part)
        read = _PARTS.get(part)
        if read is None or not isinstance(inner, exp.Column) or self.column(inner) != _TIME:
            return None
        return read(self.scope.events.occurred_at)


def _paren(level: Conditions, node: exp.Expr) -> ir.BooleanValue:
    only(node, "this")
    return level.holds(node.this)


def _not(level: Conditions, node: exp.Expr) -> ir.BooleanValue:
    only(node, "this")
    return ~level.holds(node.this)


def _both(level: Conditions, node: exp.Expr) -> ir.BooleanValue:
    only(node, "this", "expression")
    return level.holds(node.this) & level.holds(node.expression)


def _either(level: Conditions, node: exp.Expr) -> ir.BooleanValue:
    only(node, "this", "expression")
    return level.holds(node.this) | level.holds(node.expression)


def _boolean(_: Conditions, node: exp.Expr) -> ir.BooleanValue:
    return ibis.literal(bool(node.this))


def _is_null(level: Conditions, node: exp.Expr) -> ir.BooleanValue:
    only(node, "this", "expression")
    if not isinstance(node.expression, exp.Null):
        raise RefusedError("IS can be followed by NULL only")
    return level.anything(node.this).isnull()


def _in(level: Conditions, node: exp.Expr) -> ir.BooleanValue:
    only(node, "this", "expressions")
    if not node.expressions:
        raise RefusedError("IN takes a list of values, not a query")
    found = [_compared(level, node.this, each, operator.eq) for each in node.expressions]
    whole = found[0]
    for each in found[1:]:
        whole |= each
    return whole


def _between(level: Conditions, node: exp.Expr) -> ir.BooleanValue:
    only(node, "this", "low", "high")
    from_low = _compared(level, node.this, node.args["low"], operator.ge)
    return from_low & _compared(level, node.this, node.args["high"], operator.le)


_Compare: TypeAlias = "Callable[[ir.Value, ir.Value], ir.BooleanValue]"


def _comparison(compare: _Compare) -> Callable[[Conditions, exp.Expr], ir.BooleanValue]:
    def read(level: Conditions, node: exp.Expr) -> ir.BooleanValue:
        only(node, "this", "expression")
        return _compared(level, node.this, node.expression, compare)

    return read


def _compared(level: Conditions, left: exp.Expr, right: exp.Expr, compare: _Compare) -> ir.BooleanValue:
    names = [level.column(side) for side in (left, right) if isinstance(side, exp.Column)]
    if _TIME in names:
        return compare(_time(level, left), _time(level, right))
    texts = [name for name in names if name in EVENT_TEXT_FIELDS]
    if not texts:
        return compare(level.number(left), level.number(right))
    if compare not in {operator.eq, operator.ne}:
        raise RefusedError(f"{texts[0]} is a text: compare it with =, <> or IN")
    slugged = any(name in _SLUGGED for name in texts)
    return compare(_text(level, left, slugged=slugged), _text(level, right, slugged=slugged))


def _text(level: Conditions, node: exp.Expr, *, slugged: bool) -> ir.StringValue:
    if isinstance(node, exp.Column) and level.column(node) in EVENT_TEXT_FIELDS:
        text = level.scope.events[level.column(node)]
        return slug_of(text) if slugged and level.column(node) not in _SLUGGED else text
    if isinstance(node, exp.Literal) and node.is_string:
        literal = ibis.literal(str(node.this))
        return slug_of(literal) if slugged else literal
    raise RefusedError(f"a text can be compared with a text such as 'web', not with {shown(node)}")


def _time(level: Conditions, node: exp.Expr) -> ir.TimestampValue:
    if isinstance(node, exp.Column) and level.column(node) == _TIME:
        return level.scope.events.occurred_at
    literal = node.this if isinstance(node, exp.Cast) and node.to.this in _TIMES else node
    if not isinstance(literal, exp.Literal) or not literal.is_string:
        raise RefusedError("occurred_at can be compared with a time such as '2024-06-01' (UTC)")
    try:
        read = datetime.fromisoformat(str(literal.this))
        return ibis.literal(read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read)
    except (ValueError, OverflowError):
        raise RefusedError(f"'{literal.this}' is no time such as '2024-06-01 18:00' (UTC)") from None


_TIMES: Final = frozenset({exp.DType.DATE, exp.DType.TIMESTAMP})
_PARTS: Final[Mapping[str, Callable[[ir.TimestampValue], ir.IntegerValue]]] = {
    "hour": lambda time: time.hour(),
    "dayofweekiso": lambda time: time.day_of_week.index() + 1,
    "day": lambda time: time.day(),
    "month": lambda time: time.month(),
    "quarter": lambda time: time.quarter(),
    "year": lambda time: time.year(),
}
_CONDITIONS: Final[Mapping[type[exp.Expr], Callable[[Conditions, exp.Expr], ir.BooleanValue]]] = {
    exp.Paren: _paren,
    exp.Not: _not,
    exp.And: _both,
    exp.Or: _either,
    exp.Boolean: _boolean,
    exp.Is: _is_null,
    exp.In: _in,
    exp.Between: _between,
    exp.EQ: _comparison(operator.eq),
    exp.NEQ: _comparison(operator.ne),
    exp.GT: _comparison(operator.gt),
    exp.GTE: _comparison(operator.ge),
    exp.LT: _comparison(operator.lt),
    exp.LTE: _comparison(operator.le),
}
