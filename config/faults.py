"""What is wrong with the settings, all of it at once and in words."""

import re
from typing import Final

from pydantic import BaseModel, ValidationError

from config.base import nearest
from config.destinations import PLATFORMS
from config.tree import Models, keys_below, locate

_PLATFORM = f"platform must be {', '.join([*PLATFORMS][:-1])} or {[*PLATFORMS][-1]}"
#: Where a kind of finding says all there is to say.
_PLAIN: Final = {
    "missing": "is needed",
    "too_short": "must have one entry at least",
    "model_type": "must be a table of keys and values",
    "model_attributes_type": "must be a table of keys and values",
    "dict_type": "must be a table of keys and values",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "string_type": "must be text",
    "path_type": "must be a path",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
}
#: How pydantic prints a value of ours that has a name.
_ENUM_MEMBER = re.compile(r"<\w+\.\w+: ('[^']*')>")
#: A key of another table must be this like before it is suggested.
_ELSEWHERE = 0.8


class Faults:
    """Collects faults, one a key; none of them ever repeats a secret."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: dict[str, str] = {}

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._found)

    def __str__(self) -> str:
        """One fault a line."""
        return "\n".join(f"{at}: {what}" if at else what for at, what in self._found.items())

    def add(self, at: str, what: str) -> None:
        """Note a fault at the key or variable *at*; only its first one is kept."""
        self._found.setdefault(at, what)

    def add_invalid(self, error: ValidationError, root: type[BaseModel]) -> None:
        """Put pydantic's findings about *root* into our words."""
        said: dict[str, list[str]] = {}
        for found in error.errors(include_url=False, include_input=False):
            at, holders = locate(found["loc"], root)
            is_unknown = found["type"] == "extra_forbidden"
            what = (
                _unknown(at, holders, root)
                if is_unknown
                else _say(found["type"], found["msg"], at, holders)
            )
            said.setdefault(at, []).append(what)
        for at, findings in said.items():
            # One key has several findings only where it may be one thing or another.
            self.add(at, ", or ".join(dict.fromkeys(findings)))


def _unknown(at: str, holders: Models, root: type[BaseModel]) -> str:
    word = at.rpartition(".")[2]
    here = list(dict.fromkeys(name for model in holders for name in model.model_fields))
    if meant := nearest(word, here):
        return f"unknown key; did you mean {meant}?"
    everywhere = keys_below(root)
    if meant := nearest(word, everywhere, cutoff=_ELSEWHERE):
        return f"unknown key; did you mean {everywhere[meant]}?"
    return f"unknown key; known here: {', '.join(here)}"


def _say(kind: str, text: str, at: str, holders: Models) -> str:
    match kind:
        case _ if kind in _PLAIN:
            return _PLAIN[kind]
        case "union_tag_not_found" | "union_tag_invalid":
            return _PLATFORM
        case "value_error":
            return text.removeprefix("Value error, ")
        case "string_pattern_mismatch":
            return f"is not written as it must be: {_description(at, holders)}"
        case _:
            return _ENUM_MEMBER.sub(r"\1", text.replace("Input should", "must"))


def _description(at: str, holders: Models) -> str:
    word = at.rpartition(".")[2]
    fields = [model.model_fields[word] for model in holders if word in model.model_fields]
    return fields[0].description or "" if fields else ""
