"""What one fit tells the next through its quality record, which has been JSON in between."""

from collections.abc import Mapping


def number_in(quality: Mapping[str, object], key: str) -> float | None:
    """The number under *key*; None where it is missing or no number."""
    value = quality.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def count_in(quality: Mapping[str, object], key: str) -> int | None:
    """The whole number under *key*; None where it is missing or no number."""
    value = number_in(quality, key)
    return None if value is None else int(value)


def text_in(quality: Mapping[str, object], key: str) -> str:
    """The text under *key*; empty where it is missing or no text."""
    value = quality.get(key)
    return value if isinstance(value, str) else ""


def strings_in(quality: Mapping[str, object], key: str) -> tuple[str, ...]:
    """The texts under *key*; none where it is missing or no list."""
    value = quality.get(key)
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else ()


def texts_in(quality: Mapping[str, object], key: str) -> dict[str, str]:
    """The texts by text under *key*; none where it is missing or no table."""
    value = quality.get(key)
    return {str(name): str(text) for name, text in value.items()} if isinstance(value, Mapping) else {}
