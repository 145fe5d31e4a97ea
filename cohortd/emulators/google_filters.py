"""The emulated filters of lists: AIP-160 at the Data Manager, GAQL's WHERE at Google Ads."""

import re
from typing import Any, Final, TypeAlias

from cohortd.emulators.google_calls import Problem, RefusedError

#: Field, whether it must equal, and what.
Terms: TypeAlias = tuple[tuple[str, bool, str], ...]

_FIELDS: Final = frozenset(
    {"id", "display_name", "description", "membership_status", "integration_code", "access_reason"}
)
_TERM: Final = re.compile(r"""\s*([a-z_.]+)\s*(=|!=)\s*("(?:[^"\\]|\\.)*"|[A-Za-z0-9_]+)\s*""")


def matches(message: Any, terms: Terms) -> bool:
    """Whether a message passes all terms of a filter."""
    return all((value_of(message, path) == wanted) == equal for path, equal, wanted in terms)


def unquoted(value: str) -> str:
    """Read a value as it was written, with or without quotes."""
    if value[:1] in {'"', "'"}:
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def value_of(message: Any, path: str) -> str:
    """Write a field's value as filters do: enums by their names."""
    *parents, name = path.split(".")
    for parent in parents:
        message = getattr(message, parent)
    field = message.DESCRIPTOR.fields_by_name[name]
    value = getattr(message, name)
    if field.enum_type is not None:
        return str(field.enum_type.values_by_number[value].name)
    return str(value)


def parse_filter(text: str) -> Terms:
    """Read an AIP-160 filter of ``field = value`` terms joined by AND; nothing lets everything pass.

    Raises:
        RefusedError: The filter is something else.
    """
    terms: list[tuple[str, bool, str]] = []
    position = 0
    while text.strip():
        found = _TERM.match(text, position)
        if found is None or found[1] not in _FIELDS:
            raise RefusedError("INVALID_ARGUMENT", Problem("INVALID_FILTER", "filter"))
        terms.append((found[1], found[2] == "=", unquoted(found[3])))
        position = found.end()
        if position == len(text):
            break
        if text[position : position + 3] != "AND":
            raise RefusedError("INVALID_ARGUMENT", Problem("INVALID_FILTER", "filter"))
        position += 3
    return tuple(terms)
