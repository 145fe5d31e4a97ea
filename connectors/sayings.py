"""What a platform may say and what becomes of it: the rows of the table of errors.

Every connector gives its own rows in ``sayings.py``, each with the very error or receipt that its
code makes of it, so that the table cannot say anything else than the code does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cohortd.core.delivery import BatchState, Receipt, RemoteStatus
from cohortd.core.errors import (
    FatalError,
    GoneError,
    NotYetError,
    RejectedError,
    RetryableError,
    SyncError,
    TooSmallError,
)
from connectors.google_errors import AlreadyStartedError, NameTakenError, TokenRefusedError

_MINUTE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing a platform may say."""

    #: As the platform writes it.
    code: str
    means: str
    becomes: SyncError | Receipt | RemoteStatus
    #: Whether it answers a question about an earlier batch: a refusal then says nothing of its rows.
    of_poll: bool = False
    #: What the connector itself does about a refusal, instead of letting it out.
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Sayings that are found in the same place of an answer."""

    title: str
    #: Where they stand in an answer, and what is not said by the rows.
    about: str
    sayings: Sequence[Saying]


@dataclass(frozen=True, slots=True)
class Conduct:
    """What we do about a saying, in words."""

    does: str
    waits: str = ""
    cure: str = ""


def conduct(saying: Saying) -> Conduct:
    """Say in words what the pipeline does with what a saying becomes."""
    match saying.becomes:
        case RemoteStatus(usable=usable, cure=cure):
            return Conduct("shows it" if usable is not False else "shows it as not usable", cure=cure)
        case Receipt() as receipt:
            return Conduct(_of_receipt(receipt))
        case RetryableError() as error:
            return _of_retry(error)
        case FatalError() as error:
            return Conduct(_of_stop(error), cure=error.cure)
        case RejectedError() as error:
            return Conduct(saying.instead or _of_refusal(error, of_poll=saying.of_poll))
        case other:
            raise AssertionError(f"{other!r} is none of the errors a connector may raise")


def _of_retry(error: RetryableError) -> Conduct:
    if isinstance(error, AlreadyStartedError):
        return Conduct("goes on: the work runs")
    if isinstance(error, TooSmallError):
        return Conduct(
            "a revocation: replaces the members or deletes the audience, as set; else puts this batch off",
            _wait(error.after_s),
        )
    if isinstance(error, NotYetError):
        return Conduct("puts this batch off, sends the others", _wait(error.after_s))
    alone = "the destination" if error.scope == "destination" else "this audience"
    left = f", leaves {alone} alone until then" if error.after_s else ""
    return Conduct(f"sends again{left}", _wait(error.after_s))


def _of_receipt(receipt: Receipt) -> str:
    if receipt.state is BatchState.ACCEPTED:
        return "asks again by the schedule, a day long; then sends again"
    if receipt.fault:
        return "sends all of the batch again later"
    if receipt.state is BatchState.REJECTED:
        return "halves the batch until the rows are found; sets those aside"
    if receipt.unattributed:
        return "confirms the batch, counts the rows left out"
    return "confirms the batch; sets the named rows aside" if receipt.rejected else "confirms the batch"


def _of_refusal(error: RejectedError, *, of_poll: bool) -> str:
    if isinstance(error, NameTakenError):
        return "makes the audience under the name with a number"
    if of_poll:
        return "sends the batch again"
    if error.rows:
        return "sets the named rows aside, sends the rest"
    return "halves the batch until what is refused is found"


def _of_stop(error: FatalError) -> str:
    if isinstance(error, TokenRefusedError):
        return "renews the token and sends again; if a new one is refused too, pauses the destination"
    if isinstance(error, GoneError) and error.scope == "audience":
        return "pauses the audience; never makes it anew unasked"
    return "pauses the destination" if error.scope == "destination" else "pauses the audience"


def _wait(after_s: float | None) -> str:
    if after_s is None:
        return "1 s, doubled each time"
    return f"{after_s / _MINUTE_S:g} min"
