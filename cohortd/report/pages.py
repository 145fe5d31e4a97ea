"""Pages rendered from templates, and files that are either whole or not there."""

from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from cohortd.report import cards

_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("cohortd.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {
    "came_and_went": cards.came_and_went,
    "instant": cards.instant,
    "lasting": cards.lasting,
    "moment": cards.moment,
    "people": cards.people,
    "plain": cards.plain,
    "share": cards.share,
}


def render(template: str, values: dict[str, object]) -> str:
    """Render a page; every value is escaped."""
    return _ENVIRONMENT.get_template(template).render(values)


def write_whole(path: Path, text: str) -> None:
    """Write by renaming, so that a reader never sees half a file."""
    write_picture(path, text.encode("utf-8"))


def write_picture(path: Path, content: bytes) -> None:
    """Do the same with bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
