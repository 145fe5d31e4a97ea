"""What a run tells whoever watches it: numbers and names of ours, never who."""

from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from cohortd.core.delivery import Action


class Outcome(StrEnum):
    """What a platform answered to a batch."""

    #: It took the request and works on it.
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    #: It refused the batch, or rows of it, for what is in it.
    REJECTED = "rejected"
    #: It failed itself, and said so.
    FAILED = "failed"
    #: It did not answer, or asked to be left alone: the batch is sent again.
    RETRIED = "retried"
    #: Nobody but a person can mend it.
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """One answer of a platform, or that there was none; a batch may get several."""

    platform: str
    action: Action
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended."""

    kind: str
    status: str
    seconds: float
    #: Which guards stopped it, by name.
    guards: Collection[str] = ()


class Trace(Protocol):
    """Says when a step begins and ends."""

    def __call__(self, step: str, /, **told: str | int) -> AbstractContextManager[None]:
        """Tell of a step for the length of a block.

        Args:
            step: Its name.
            told: Counts, and names of ours.
        """
        ...


class Observer(Protocol):
    """Hears what is done, from any thread; it never fails and is never waited for."""

    @property
    def trace(self) -> Trace:
        """What is told of steps."""
        ...

    def batch_answered(self, answer: BatchAnswer) -> None:
        """A platform answered to a batch."""
        ...

    def run_ended(self, end: RunEnd) -> None:
        """A run ended, however."""
        ...

    def job_ended(self, job: str, outcome: str) -> None:
        """A job of the daemon ended."""
        ...

    def turned(self, loop: str) -> None:
        """A loop of the daemon went round."""
        ...

    def led(self, *, leads: bool) -> None:
        """This process leads from now on, or no longer."""
        ...


def untraced(_step: str, /, **_told: str | int) -> AbstractContextManager[None]:
    """Tell nobody."""
    return nullcontext()


class Unobserved:
    """Nobody watches; steps may be traced all the same."""

    def __init__(self, trace: Trace = untraced) -> None:
        """Take who is told of steps."""
        self.trace = trace

    def batch_answered(self, answer: BatchAnswer) -> None:
        """Pass over it."""

    def run_ended(self, end: RunEnd) -> None:
        """Pass over it."""

    def job_ended(self, job: str, outcome: str) -> None:
        """Pass over it."""

    def turned(self, loop: str) -> None:
        """Pass over it."""

    def led(self, *, leads: bool) -> None:
        """Pass over it."""


UNOBSERVED: Final[Observer] = Unobserved()
