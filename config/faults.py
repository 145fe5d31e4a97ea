"""What is wrong with the settings, all of it at once and in words."""

from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from config.base import nearest

_PLATFORM = "platform must be google_data_manager, google_ads or meta"
_Models = list[type[BaseModel]]


class Faults:
    """Collects faults, one a key; none of them ever repeats a value."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: dict[str, str] = {}

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._found)

    def __str__(self) -> str:
        """One fault a line."""
        return "\n".join(f"{at}: {what}" for at, what in self._found.items())

    def add(self, at: str, what: str) -> None:
        """Note a fault at the key or variable *at*; only its first one is kept."""
        self._found.setdefault(at, what)

    def add_invalid(self, error: ValidationError, model: type[BaseModel]) -> None:
        """Put pydantic's findings about *model* into our words."""
        said: dict[str, list[str]] = {}
        for found in error.errors(include_url=False, include_input=False):
            at, models = locate(found["loc"], model)
            what = (
                _unknown(at, models, model)
                if found["type"] == "extra_forbidden"
                else _say(found["type"], found["msg"])
            )
            said.setdefault(at, []).append(what)
        for at, whats in said.items():
            # One key has several findings only where it may be one thing or another.
            self.add(at, ", or ".join(dict.fromkeys(whats)))


def locate(place: Sequence[int | str], model: type[BaseModel]) -> tuple[str, _Models]:
    """Say where *place* is, as a dotted path, and which models hold its last key."""
    dotted, holders = "", [model]
    annotations: list[object] = [model]
    for part in place:
        below = _models_in(annotations)
        if isinstance(part, int):
            dotted += f"[{part}]"
        elif tagged := [one for one in below if part in _tags(one)]:
            annotations = list(tagged)
        elif any(_is_choice(annotation) for annotation in annotations):
            break  # what follows only names the kinds of value that would do
        else:
            dotted += f".{part}" if dotted else part
            is_table = any(_is_table(annotation) for annotation in annotations)
            holders = [] if is_table else below
            annotations = list(below) if is_table else [_annotation(one, part) for one in below]
    return dotted, holders


def known_keys(model: type[BaseModel], above: str = "") -> dict[str, str]:
    """Every key's last word -> its dotted path; of two alike the one nearest to the top."""
    keys = {name: f"{above}{name}" for name in model.model_fields}
    for name, field in model.model_fields.items():
        for below in _models_in([field.annotation]):
            if "platform" not in below.model_fields:
                keys = known_keys(below, f"{above}{name}.") | keys
    return keys


def _unknown(at: str, models: _Models, root: type[BaseModel]) -> str:
    word = at.rpartition(".")[2]
    here = [name for one in models for name in one.model_fields]
    meant = nearest(word, here) or known_keys(root).get(word.lower()) or nearest(word, known_keys(root))
    if meant is None:
        return f"unknown key; known here: {', '.join(dict.fromkeys(here))}"
    return f"unknown key; did you mean {meant if meant in here else known_keys(root).get(meant, meant)}?"


def _say(kind: str, text: str) -> str:
    match kind:
        case "missing":
            return "is needed"
        case "union_tag_not_found" | "union_tag_invalid":
            return _PLATFORM
        case "value_error":
            return text.removeprefix("Value error, ")
        case _:
            return text.replace("Input should", "should")


def _tags(model: type[BaseModel]) -> tuple[object, ...]:
    field = model.model_fields.get("platform")
    return get_args(field.annotation) if field else ()


def _annotation(model: type[BaseModel], name: str) -> object:
    field = model.model_fields.get(name)
    return field.annotation if field else None


def _is_choice(annotation: object) -> bool:
    """Whether it allows several kinds of plain value."""
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    return get_origin(annotation) in {Union, UnionType} and len(kinds) > 1 and not _models_in(kinds)


def _is_table(annotation: object) -> bool:
    """Whether its keys are the writer's own."""
    inner = [annotation, *get_args(annotation)]
    return any(get_origin(one) is dict for one in inner)


def _models_in(annotations: Sequence[object]) -> _Models:
    found: _Models = []
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.append(annotation)
        elif get_origin(annotation) is not Literal:
            found += _models_in(get_args(annotation))
    return found
