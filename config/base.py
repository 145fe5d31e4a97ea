"""What every settings model shares: frozen, strict, and able to place its paths."""

from collections.abc import Iterable
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict

from cohortd.core.times import parse_duration

Share = float


class Strict(BaseModel):
    """Settings that refuse keys they do not know and never show a value in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def anchored(self, folder: Path) -> Self:
        """Copy with every relative path, here and below, taken from *folder*."""
        changes = {name: _anchor(getattr(self, name), folder) for name in type(self).model_fields}
        return self.model_copy(update=changes)


def place(path: Path, folder: Path) -> Path:
    """Take *path* from *folder* where it is relative; ``~`` is the user's home."""
    return folder / path.expanduser()


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Find the known word that *word* was probably meant to be."""
    found = get_close_matches(word.lower(), list(known), n=1, cutoff=cutoff)
    return found[0] if found else None


def _anchor(value: object, folder: Path) -> object:
    match value:
        case Path():
            return place(value, folder)
        case Strict():
            return value.anchored(folder)
        case tuple():
            return tuple(_anchor(item, folder) for item in value)
        case _:
            return value


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a duration such as 12h, 90d or 4w")  # noqa: TRY004 - pydantic wants it so
    return parse_duration(value)


def _text(value: object) -> object:
    """Let a number stand for text: an id is easily written without quotes."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _digits(value: object) -> object:
    text = _text(value)
    return text.replace("-", "").strip() if isinstance(text, str) else text


Duration = Annotated[timedelta, BeforeValidator(_duration)]
#: An id in digits, with or without the dashes the platform's pages show.
Digits = Annotated[str, BeforeValidator(_digits)]
Text = Annotated[str, BeforeValidator(_text)]
