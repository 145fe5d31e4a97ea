"""What the readers of own SQL expressions share: how a part is named, and refused."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

#: What the parser notes for other databases; no meaning here.
_NOTES: Final = frozenset({"big_int", "typed", "safe", "ignore_nulls", "_type"})


class RefusedError(ValueError):
    """What is wrong with an expression, for the person who wrote it."""


def only(node: exp.Expr, *arguments: str) -> None:
    """Refuse a node that says more than is read of it, such as a sort order.

    Raises:
        RefusedError: It does.
    """
    more = [name for name, value in node.args.items() if value and name not in _NOTES.union(arguments)]
    if more:
        raise RefusedError(f"{shown(node)}: {', '.join(more)} is not allowed here")


def shown(node: exp.Expr) -> str:
    """Name a part of an expression as its author knows it."""
    if isinstance(node, exp.Anonymous):
        return f"{node.name}()"
    if isinstance(node, exp.Func):
        return f"{node.sql_name().lower()}()"
    return node.key.upper()
