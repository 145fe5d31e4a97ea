"""Enums of Google's that may be newer than the vendor's client."""

from typing import Any


def enum_name(message: Any, field: str) -> str:
    """The name of a plain protobuf message's enum value, or its number where the name is not known."""
    number = getattr(message, field)
    value = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(number)
    return str(value.name if value else number)
