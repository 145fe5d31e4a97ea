"""What came of an evidence command, and docs/evidence.md, of which each command writes its own part."""

import re
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cohortd.core.errors import CohortdError

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "evidence.md"
#: Done, of how many, and what there is to say.
Progress = Callable[[int, int, str], None]


class BrokenLawError(CohortdError):
    """A law was broken."""


class LackingError(CohortdError):
    """This machine lacks what the evidence needs; nothing was shown."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done, in numbers and lines."""

    runs: int
    counts: Mapping[str, int]
    #: Lines to show beneath, each a list item.
    lines: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Taken:
    """How a command was called, and what of it is to be written down."""

    kind: str
    seed: int
    began: float
    result: str


def quick_folder() -> str | None:
    """Return a place in memory, if there is one: what a killed process wrote is safe there too."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def write(taken: Taken, outcome: Outcome | None, page: Path = PAGE) -> None:
    """Replace the command's own part of the page."""
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {taken.kind} -->\n", f"<!-- end of {taken.kind} -->"
    if begin not in text or end not in text:
        raise CohortdError(f"{page} has no place for {taken.kind}")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text(f"{head}{begin}{_rows(taken, outcome)}{end}{tail}", encoding="utf-8")


def _rows(taken: Taken, outcome: Outcome | None) -> str:
    rows = {
        "result": taken.result,
        **({name: f"{count:,}" for name, count in outcome.counts.items()} if outcome else {}),
        "seed": str(taken.seed),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "took": f"{(time.monotonic() - taken.began) / 60:.1f} minutes",
    }
    table = "".join(f"| {name} | {value} |\n" for name, value in rows.items())
    lines = "".join(f"- {line}\n" for line in outcome.lines) + "\n" if outcome and outcome.lines else ""
    return f"\n| | |\n|---|---|\n{table}\n{lines}"


def _commit() -> str:
    """Name the commit that was shown, and whether anything but this page was changed since."""
    asked = ["git", "-C", str(ROOT), "log", "-1", "--format=%h"]
    named = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    asked = ["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no"]
    changed = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    other = [line for line in changed.splitlines() if not re.search(r"docs/evidence\.md$", line)]
    return f"{named or 'unknown'}{' and changes' if other else ''}"
