"""By when a removal must be confirmed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

#: Stands for every regulation that is not named.
ANY_REGULATION: Final = "*"
_SATURDAY: Final = 5


class Standing(StrEnum):
    """How a removal that is not confirmed yet stands to its time."""

    RUNNING = "running"
    SOON = "soon"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Allowance:
    """How long a removal may take: a span of time, or so many days from Monday to Friday."""

    span: timedelta = timedelta()
    business_days: int = 0

    def after(self, received_at: datetime) -> datetime:
        """Say when the time is over; business days end at the hour at which it was received.

        Public holidays count as business days, so the time is never longer than the law's.
        """
        due_at, left = received_at, self.business_days
        while left:
            due_at += timedelta(days=1)
            left -= due_at.weekday() < _SATURDAY
        return due_at + self.span

    def __str__(self) -> str:
        """As the settings write it."""
        if self.business_days:
            return f"{self.business_days} business days"
        return f"{self.span.total_seconds() / 3600:g}h"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long removals may take under each regulation, in lower case; ``*`` for the others."""

    by_regulation: Mapping[str, Allowance] = field(default_factory=dict)
    #: From which share of its time on a removal that is not confirmed is due soon.
    warn_share: float = 0.5

    def due_at(self, regulation: str, received_at: datetime) -> datetime | None:
        """Say by when a removal must be confirmed; None where nothing is set."""
        allowed = self.by_regulation.get(regulation.lower(), self.by_regulation.get(ANY_REGULATION))
        return None if allowed is None else allowed.after(received_at)

    def standing(self, received_at: datetime, due_at: datetime, now: datetime) -> Standing:
        """Say how a removal stands that is not confirmed yet."""
        if now > due_at:
            return Standing.LATE
        used = (now - received_at) / (due_at - received_at) if due_at > received_at else 1.0
        return Standing.SOON if used >= self.warn_share else Standing.RUNNING


NO_DEADLINES: Final = Deadlines()
