"""``docs/settings.md`` and the annotated example, both from what the settings really are."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from importlib import resources
from pathlib import Path
from types import NoneType
from typing import Annotated, Final, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from config.settings import Settings
from config.sources import Source
from config.tree import is_union, models_in, tag

_NAMES: Final[dict[object, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    SecretStr: "secret",
    timedelta: "duration",
}
_HEAD: Final = """\
<!-- Written by `python -m config > docs/settings.md`; change the descriptions in config/ instead. -->
# Settings

One YAML file, `cohortd.yaml`: `-c FILE` names another, else the variable `COHORTD_CONFIG` does.
`cohortd init DIR` writes an annotated one.

- **Paths** are relative to the settings file.
- **Environment variables win over the file**: `COHORTD_`, then the key in capitals, `__` between levels:
  `COHORTD_SEGMENTATION__K=6`. Destinations go by their name (`-` becomes `_`):
  `COHORTD_DESTINATIONS__META__ACCESS_TOKEN`. A value that begins with `{` or `[` is read as JSON, `null` is
  null, an empty variable counts as unset.
- **Secrets** need not stand in the file: beside each key `x` that is a secret there is `x_file`, a file
  that holds it, and `secrets_dir`, a folder of files named `<destination>_<key>` (also `database`,
  `<table>_url` and `<sender>_secret`). A value and its `x_file` together are refused. No message, log or
  page shows a secret. The daemon reads the files again when they change.
- **Unknown keys are refused**, with the nearest known one; every fault is told at once.
- **Durations** are a number and `s`, `m`, `h`, `d` or `w`. **Timetables** are five fields as crontab has
  them, Sunday being 0 or 7; give a day of the month or a weekday, not both. Or an interval such as
  `15m`, from one start to the next.
- **In YAML** only `true` and `false` are true and false here: `NO` is Norway, and `0123` is text.
"""


def example() -> str:
    """Return the annotated ``cohortd.yaml`` that ``cohortd init`` writes."""
    return resources.files("config").joinpath("example.yaml").read_text(encoding="utf-8")


def document() -> str:
    """Return ``docs/settings.md``; tables that hold the same keys share one section."""
    sections: dict[str, list[tuple[str, type[BaseModel]]]] = {}
    for path, model in _tables("", Settings):
        sections.setdefault(_rows(model), []).append((path, model))
    return "\n".join([_HEAD, *(_section(rows, tables) for rows, tables in sections.items())])


def _tables(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, model
    for name, field in model.model_fields.items():
        below = models_in([field.annotation])
        for one in below:
            title = f"{path}.{name}" if path else name
            yield from _tables(f"{title} ({tag(one)})" if len(below) > 1 else title, one)


def _section(rows: str, tables: Sequence[tuple[str, type[BaseModel]]]) -> str:
    title = ", ".join(f"`{path}`" for path, _ in tables if path) or "The top"
    words = "\n".join(dict.fromkeys(_words(path, model) for path, model in tables))
    return f"## {title}\n\n{words}\n\n| key | value | default | meaning |\n|---|---|---|---|\n{rows}\n"


def _words(path: str, model: type[BaseModel]) -> str:
    if not issubclass(model, Source):
        return model.__doc__ or ""
    needed, more = (", ".join(f"`{name}`" for name in names) for names in (model.required, model.optional))
    return f"- `{path}`: {model.__doc__} Needed: {needed}. Our other names: {more}."


def _rows(model: type[BaseModel]) -> str:
    return "\n".join(
        f"| `{name}` | {_kind(field.annotation)} | {_default(field)} | {field.description} |"
        for name, field in model.model_fields.items()
    )


def _kind(annotation: object) -> str:
    arguments, origin = get_args(annotation), get_origin(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if is_union(annotation):
        return " or ".join(dict.fromkeys(_kind(one) for one in arguments if one is not NoneType))
    if origin is tuple:
        return "list" if models_in(arguments) else f"list of {_kind(arguments[0])}"
    if origin is Annotated:
        return _kind(arguments[0])
    return _NAMES.get(annotation, "table")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=False)
    if field.default_factory is not None or value is None or value == ():
        return ""
    return f"`{_plain(value)}`"


def _plain(value: object) -> str:
    match value:
        case StrEnum():
            return value.value
        case dict():
            return ", ".join(f"{key}: {_plain(one)}" for key, one in value.items())
        case bool():
            return str(value).lower()
        case timedelta():
            return _duration(value)
        case _:
            return str(value)


def _duration(value: timedelta) -> str:
    """Write a duration as the settings have it."""
    seconds = int(value.total_seconds())
    units = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
    return next(f"{seconds // size}{unit}" for unit, size in units.items() if seconds % size == 0)
