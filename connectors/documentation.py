"""Writes docs/errors.md from the connectors' own tables: ``python -m connectors.documentation``."""

import sys
from collections.abc import Iterable, Iterator, Mapping

from connectors import google_sayings
from connectors.csv_drop import sayings as csv_drop_sayings
from connectors.google_ads import sayings as google_ads_sayings
from connectors.google_data_manager import sayings as data_manager_sayings
from connectors.meta import sayings as meta_sayings
from connectors.sayings import Saying, Section, conduct

_INTRODUCTION = """\
# What the platforms say, and what cohortd does

Made from the connectors' own tables by `python -m connectors.documentation`; a test compares the two, and
others have the stand-ins say every row and look at what becomes of it. The four errors and the receipt
are described in [connectors.md](connectors.md).

- *Sends again* waits out short times within a sync (five tries at most, `retry` in the settings); then
  the batch counts as unknown and goes again with the next sync. What a platform names as the time to come
  back outlives the process.
- *Pauses* keeps a destination or one audience from being sent to until the next run tries again;
  `cohortd status` says what a person must do. Revocations wait with it and are never dropped.
- A code that no table knows is never taken for success.
"""
_HEAD = "| it says | that is | cohortd | waits | a person must |\n|---|---|---|---|---|\n"


def chapters() -> Mapping[str, list[Section]]:
    """Every section of the table, by platform."""
    return {
        "Google Data Manager": data_manager_sayings.sections(),
        "Google Ads": google_ads_sayings.sections(),
        "Both Google APIs": google_sayings.sections(),
        "Meta": meta_sayings.sections(),
        "Files for upload by hand": csv_drop_sayings.sections(),
    }


def render() -> str:
    """Write the whole document."""
    return "\n".join([_INTRODUCTION, *_lines(chapters())])


def _lines(found: Mapping[str, Iterable[Section]]) -> Iterator[str]:
    for platform, sections in found.items():
        yield f"## {platform}\n"
        for section in sections:
            yield f"### {platform}: {section.title}\n"
            yield f"{section.about}\n"
            yield _HEAD + "".join(map(_row, section.sayings))


def _row(saying: Saying) -> str:
    done = conduct(saying)
    code = f"`{saying.code}`" if saying.code.isupper() or saying.code.isdigit() else saying.code
    cells = (code, saying.means, done.does, done.waits, done.cure)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"


if __name__ == "__main__":
    sys.stdout.write(render())
