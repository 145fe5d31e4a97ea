"""The settings models as a tree: what stands where, and what a place in it is called."""

from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin

from pydantic import BaseModel

Models = Sequence[type[BaseModel]]


def locate(place: Sequence[int | str], root: type[BaseModel]) -> tuple[str, Models]:
    """Say where *place* is, as a dotted path, and which models may hold its last key."""
    dotted = ""
    holders: Models = [root]
    annotations: Sequence[object] = [root]
    for part in place:
        below = models_in(annotations)
        if part == "[key]":
            continue  # pydantic's word for a fault of the key itself, which stands before it
        if isinstance(part, int):
            dotted += f"[{part}]"
        elif tagged := [one for one in below if tag(one) == part]:
            annotations = tagged
        elif any(_is_choice(annotation) for annotation in annotations):
            break  # what follows only names the kinds of value that would do
        else:
            dotted += f".{part}" if dotted else part
            is_table = any(_is_table(annotation) for annotation in annotations)
            holders = [] if is_table else below
            annotations = below if is_table else [_annotation(one, part) for one in below]
    return dotted, holders


def keys_below(model: type[BaseModel], above: str = "") -> dict[str, str]:
    """Every key's last word -> its dotted path; of two alike the one nearest to the top."""
    keys: dict[str, str] = {}
    for name, field in model.model_fields.items():
        for below in models_in([field.annotation]):
            if tag(below) is None:
                keys |= keys_below(below, f"{above}{name}.")
    return keys | {name: f"{above}{name}" for name in model.model_fields}


def models_in(annotations: Sequence[object]) -> Models:
    """Every model that values so annotated may be or hold."""
    found: list[type[BaseModel]] = []
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.append(annotation)
        elif get_origin(annotation) is not Literal:
            found += models_in(get_args(annotation))
    return found


def tag(model: type[BaseModel]) -> str | None:
    """Name of the platform that a destination's model is for."""
    field = model.model_fields.get("platform")
    named = get_args(field.annotation) if field else ()
    return str(named[0]) if named else None


def is_union(annotation: object) -> bool:
    """Whether it is written with ``|`` or ``Union``."""
    return get_origin(annotation) in {Union, UnionType}


def _annotation(model: type[BaseModel], name: str) -> object:
    field = model.model_fields.get(name)
    return field.annotation if field else None


def _is_choice(annotation: object) -> bool:
    """Whether it allows several kinds of plain value."""
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    return is_union(annotation) and len(kinds) > 1 and not models_in(kinds)


def _is_table(annotation: object) -> bool:
    """Whether its keys are the writer's own."""
    return any(get_origin(one) is dict for one in (annotation, *get_args(annotation)))
