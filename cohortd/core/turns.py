"""When a job's turn comes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Turn:
    """A job's timetable."""

    job: str
    #: As the settings have it.
    when: str
    #: The first turn after a moment; None where none comes any more.
    after: Callable[[datetime], datetime | None]
    #: After so long it counts as stuck.
    at_most: timedelta
