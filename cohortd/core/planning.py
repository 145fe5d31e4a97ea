"""What a plan says before anything is sent."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """One audience on one destination."""

    audience: str
    destination: str


@dataclass(frozen=True, slots=True)
class Delta:
    """What a sync would change for one target, counted in members."""

    eligible: int
    adds: int
    removes: int
    refreshes: int
    #: Members the ledger holds now, whatever their state.
    present: int


@dataclass(frozen=True, slots=True)
class GuardStop:
    """One guard that stops a plan, with its numbers in words."""

    guard: str
    detail: str
