"""What a condition may be made of, what each part takes and gives, and how Ibis says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import ibis
from sqlglot import exp

from cohortd.core.errors import SettingsError

if TYPE_CHECKING:
    import ibis.expr.types as ir


class Kind(StrEnum):
    """What a part of a condition is worth."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "condition"


#: Says which kind a column has; None where what it is compared with decides.
KindOfColumn = Callable[[exp.Column], Kind | None]
#: Gives a column as that kind.
ColumnAs: TypeAlias = "Callable[[exp.Column, Kind], ir.Value]"


@dataclass(frozen=True, slots=True)
class _Term:
    """One operator or function."""

    #: None: all parts are of one kind, whichever it is.
    takes: Kind | None
    #: None: what it takes.
    gives: Kind | None
    build: Callable[..., ir.Value]
    parts: tuple[str, ...] = ("this", "expression")


_ONE: Final = ("this",)
_MANY: Final = ("this", "expressions")
_NUMBER, _TEXT, _TRUTH = Kind.NUMBER, Kind.TEXT, Kind.TRUTH

_TERMS: Final[Mapping[type[exp.Expression], _Term]] = {
    exp.Paren: _Term(None, None, lambda a: a, _ONE),
    exp.And: _Term(_TRUTH, _TRUTH, lambda a, b: a & b),
    exp.Or: _Term(_TRUTH, _TRUTH, lambda a, b: a | b),
    exp.Not: _Term(_TRUTH, _TRUTH, lambda a: ~a, _ONE),
    exp.EQ: _Term(None, _TRUTH, lambda a, b: a == b),
    exp.NEQ: _Term(None, _TRUTH, lambda a, b: a != b),
    exp.GT: _Term(None, _TRUTH, lambda a, b: a > b),
    exp.GTE: _Term(None, _TRUTH, lambda a, b: a >= b),
    exp.LT: _Term(None, _TRUTH, lambda a, b: a < b),
    exp.LTE: _Term(None, _TRUTH, lambda a, b: a <= b),
    exp.Between: _Term(
        None, _TRUTH, lambda a, low, high: (a >= low) & (a <= high), ("this", "low", "high")
    ),
    exp.In: _Term(None, _TRUTH, lambda a, *some: a.isin(some), _MANY),
    exp.Is: _Term(None, _TRUTH, lambda a: a.isnull(), _ONE),  # what follows IS can only be NULL
    exp.Like: _Term(_TEXT, _TRUTH, lambda a, pattern: a.like(pattern)),
    exp.ILike: _Term(_TEXT, _TRUTH, lambda a, pattern: a.ilike(pattern)),
    exp.Neg: _Term(_NUMBER, _NUMBER, lambda a: -a, _ONE),
    exp.Add: _Term(_NUMBER, _NUMBER, lambda a, b: a + b),
    exp.Sub: _Term(_NUMBER, _NUMBER, lambda a, b: a - b),
    exp.Mul: _Term(_NUMBER, _NUMBER, lambda a, b: a * b),
    # Engines differ in what comes of dividing by nought: here nothing does.
    exp.Div: _Term(_NUMBER, _NUMBER, lambda a, b: a / b.nullif(0.0)),
    exp.Mod: _Term(_NUMBER, _NUMBER, lambda a, b: a % b.nullif(0.0)),
    exp.Abs: _Term(_NUMBER, _NUMBER, lambda a: a.abs(), _ONE),
    exp.Floor: _Term(_NUMBER, _NUMBER, lambda a: a.floor().cast("float64"), _ONE),
    exp.Ceil: _Term(_NUMBER, _NUMBER, lambda a: a.ceil().cast("float64"), _ONE),
    exp.Round: _Term(_NUMBER, _NUMBER, lambda a: a.round().cast("float64"), _ONE),
    exp.Length: _Term(_TEXT, _NUMBER, lambda a: a.length().cast("float64"), _ONE),
    exp.Lower: _Term(_TEXT, _TEXT, lambda a: a.lower(), _ONE),
    exp.Upper: _Term(_TEXT, _TEXT, lambda a: a.upper(), _ONE),
    exp.Trim: _Term(_TEXT, _TEXT, lambda a: a.strip(), _ONE),
    exp.Coalesce: _Term(None, None, lambda a, *more: ibis.coalesce(a, *more), _MANY),  # noqa: PLW0108 - not loaded before it is used
    exp.Nullif: _Term(None, None, lambda a, b: a.nullif(b)),
    exp.Least: _Term(None, None, lambda a, *more: ibis.least(a, *more), _MANY),  # noqa: PLW0108 - not loaded before it is used
    exp.Greatest: _Term(None, None, lambda a, *more: ibis.greatest(a, *more), _MANY),  # noqa: PLW0108 - not loaded before it is used
}
_KNOWN: Final = (
    "comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, ILIKE, IS NULL, + - * / %, abs, ceil, coalesce, floor,"
    " greatest, least, length, lower, nullif, round, trim and upper"
)


def kind_of(node: exp.Expression, kind_of_column: KindOfColumn) -> Kind | None:
    """Check a part of a condition and say what it is worth; None where what is around it decides.

    Raises:
        SettingsError: It is none that is known, or its parts do not go together.
    """
    match node:
        case exp.Column():
            return kind_of_column(node)
        case exp.Boolean():
            return Kind.TRUTH
        case exp.Literal():
            return Kind.TEXT if node.is_string else Kind.NUMBER
        case _:
            term = _term(node)
            kinds = [kind_of(part, kind_of_column) for part in _parts(node, term)]
            taken = term.takes or _common(kinds)
            for kind in kinds:
                if kind not in {None, taken}:
                    raise SettingsError(f"{_shown(node)} puts a {taken} and a {kind} together")
            return term.gives or taken


def say(node: exp.Expression, kind: Kind, column: ColumnAs, kind_of_column: KindOfColumn) -> ir.Value:
    """Say a checked part in Ibis, as a value of that kind."""
    match node:
        case exp.Column():
            return column(node, kind)
        case exp.Boolean():
            return ibis.literal(bool(node.this))
        case exp.Literal():
            return ibis.literal(node.this) if node.is_string else ibis.literal(float(node.this), "float64")
        case _:
            term = _term(node)
            parts = _parts(node, term)
            taken = term.takes or _common([kind_of(part, kind_of_column) for part in parts])
            taken = taken or (kind if term.gives is None else Kind.TEXT)
            return term.build(*(say(part, taken, column, kind_of_column) for part in parts))


def _term(node: exp.Expression) -> _Term:
    term = _TERMS.get(type(node))
    told = {name for name, value in node.args.items() if _says_something(value)}
    is_null = isinstance(node, exp.Is) and isinstance(node.expression, exp.Null)
    if term is None or told.difference(term.parts, {"expression"} if is_null else ()):
        raise SettingsError(f"{_shown(node)} is nothing that a condition knows; it knows {_KNOWN}")
    return term


def _says_something(value: object) -> bool:
    """Whether an argument is more than a mark of the dialect, which are true or false."""
    return value is not None and not isinstance(value, bool) and value != []


def _parts(node: exp.Expression, term: _Term) -> list[Any]:
    found: list[Any] = []
    for name in term.parts:
        value = node.args.get(name)
        found += value if isinstance(value, list) else [value]
    if None in found:
        raise SettingsError(f"{_shown(node)} lacks a value")
    return found


def _common(kinds: list[Kind | None]) -> Kind | None:
    return next((kind for kind in kinds if kind is not None), None)


def _shown(node: exp.Expression) -> str:
    return f"`{node.sql(dialect='duckdb')[:60]}`"
