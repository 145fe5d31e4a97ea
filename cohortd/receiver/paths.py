"""Where in an event something stands: ``request.purposes``, ``items[].id``, ``ids[kind=email].value``."""

import re
from collections.abc import Sequence
from typing import Final

#: Halves of characters: JSON can write them, and no database or digest can take them.
HALVES: Final = re.compile("[\ud800-\udfff]")
_STEP = re.compile(r"(?P<key>[^.\[\]=]+)(?P<list>\[(?:(?P<by>[^.\[\]=]+)=(?P<is>[^.\[\]=]+))?\])?")


def find(event: object, paths: Sequence[str]) -> list[object]:
    """Return what stands at the first path that leads anywhere; nothing where none does."""
    for path in paths:
        found = _at(event, path)
        if found:
            return found
    return []


def texts(event: object, paths: Sequence[str]) -> list[str]:
    """Return it as texts: lists are opened, tables and blanks left out."""
    return [text for value in find(event, paths) for text in _texts(value)]


def text_of(value: object) -> str:
    """Write a single value as text, as JSON has it; empty for a table, a list or nothing."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return HALVES.sub("\N{REPLACEMENT CHARACTER}", value).strip()
        case int() | float():
            return str(value)
        case _:
            return ""


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for each in values if (text := text_of(each))]


def _at(event: object, path: str) -> list[object]:
    values = [event]
    for step in path.split("."):
        found = _STEP.fullmatch(step)
        if found is None:
            raise ValueError(f"{path} is no path")
        values = [below for value in values for below in _below(value, found)]
    return [value for value in values if value is not None]


def _below(value: object, step: "re.Match[str]") -> list[object]:
    if not isinstance(value, dict) or step["key"] not in value:
        return []
    below = value[step["key"]]
    if step["list"] is None:
        return [below]
    if not isinstance(below, list):
        return []
    return [
        each
        for each in below
        if step["by"] is None or (isinstance(each, dict) and text_of(each.get(step["by"])) == step["is"])
    ]
