"""Every error cohortd raises on purpose, ordered by what the reader should do next.

CohortdError                     exit code 1: something fell short
├── SettingsError                exit code 2: the settings or the call are wrong
├── GuardError                   exit code 3: a guard stopped the run and waits for approval
├── SourceError                  a table could not be read
├── AddressError                 an address to listen on cannot be had now
├── StoppedError                 the process was asked to stop meanwhile
├── LedgerError                  the ledger could not be opened, or refuses
│   ├── NotLeaderError           another process leads
│   └── LedgerUnreachableError   its database does not answer now
└── SyncError                    a platform did not do what it was asked
    ├── RetryableError           the same request may work later
    │   ├── NotYetError          the platform refused it for now, and did nothing of it
    │   │   ├── TooSmallError    it takes nobody out of an audience this small
    │   │   └── HeldError        it was not even asked: its allowance is used up
    │   └── SessionEndedError    members were being replaced, and that cannot be gone on with
    ├── RejectedError            this batch will not be taken; named rows may be at fault
    └── FatalError               nothing more can succeed until a person acts
        └── GoneError            the remote audience is not there, or not for us
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from cohortd.core.planning import GuardStop


class CohortdError(Exception):
    """Something fell short."""

    exit_code: ClassVar[int] = 1

    def __init__(self, detail: str = "") -> None:
        """Use the class docstring as the message where no detail is given."""
        super().__init__(detail or (type(self).__doc__ or "").strip())


class FaultApartError(Exception):
    """A fault of ours in another process of ours: says its kind and place, which hold no data."""


class SettingsError(CohortdError):
    """The settings or the call are wrong."""

    exit_code = 2


class GuardError(CohortdError):
    """A guard stopped the run; nothing was sent but revocations."""

    exit_code = 3

    def __init__(self, detail: str = "", *, stops: Sequence[GuardStop] = ()) -> None:
        """Keep which guards stopped it."""
        super().__init__(detail)
        self.stops = tuple(stops)


class SourceError(CohortdError):
    """A source could not be read."""


class AddressError(CohortdError):
    """An address to listen on cannot be had now; it may later."""


class StoppedError(CohortdError):
    """The process was asked to stop before this was done; the next run begins it anew."""


class LedgerError(CohortdError):
    """The ledger could not be used."""


class NotLeaderError(LedgerError):
    """Another cohortd process leads; this one must not send."""


class LedgerUnreachableError(LedgerError):
    """The ledger's database does not answer; it may later."""


class SyncError(CohortdError):
    """A platform did not do what it was asked."""


class RetryableError(SyncError):
    """The platform may accept the same request later."""

    def __init__(
        self,
        detail: str = "",
        *,
        after_s: float | None = None,
        scope: Literal["destination", "audience"] = "destination",
    ) -> None:
        """Keep what the platform said of when.

        Args:
            detail: What happened, without contact data, token, payload or URL.
            after_s: Seconds the platform asked us to wait; None where it said nothing.
            scope: Whether the whole destination should be left alone or only this audience.
        """
        super().__init__(detail)
        self.after_s = after_s
        self.scope = scope


class NotYetError(RetryableError):
    """The platform refused this batch for now, and did nothing of it; only the batch has to wait."""

    def __init__(self, detail: str = "", *, after_s: float) -> None:
        """Keep what happened, and after how many seconds it may be tried again."""
        super().__init__(detail, after_s=after_s, scope="audience")


class TooSmallError(NotYetError):
    """The platform takes nobody out of an audience this small; nothing was done."""


class HeldError(NotYetError):
    """The platform was not asked: what it allows is used up, or kept for revocations."""


class SessionEndedError(RetryableError):
    """A session in which members were being replaced cannot be gone on with."""

    def __init__(self, detail: str = "", *, how: Literal["over", "late", "unknown"]) -> None:
        """Keep why.

        Args:
            detail: What happened.
            how: Its last part was taken before; it took too long; or its first part never came.
        """
        super().__init__(detail)
        self.how = how


class RejectedError(SyncError):
    """The platform refused this batch; the same batch will be refused again."""

    def __init__(self, detail: str = "", *, rows: Mapping[int, str] | None = None) -> None:
        """Keep which rows were at fault.

        Args:
            detail: What happened, without contact data, token, payload or URL.
            rows: Index into the batch's members -> the platform's reason. Empty when the platform
                did not say which: then the batch is split until the row is found.
        """
        super().__init__(detail)
        self.rows = dict(rows or {})


class FatalError(SyncError):
    """Nothing further can succeed until a person acts."""

    def __init__(
        self, detail: str = "", *, cure: str, scope: Literal["destination", "audience"] = "destination"
    ) -> None:
        """Keep what to do about it.

        Args:
            detail: What happened, without contact data, token, payload or URL.
            cure: What a person must do, in one sentence.
            scope: Whether the whole destination must pause or only this audience.
        """
        super().__init__(detail)
        self.cure = cure
        self.scope = scope


class GoneError(FatalError):
    """The remote audience is not there any more, or is shown to us no more."""
