"""Lines of an access check: what was tried, and what a person must do where it did not work."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from cohortd.core.delivery import AccessCheck
from cohortd.core.errors import FatalError, RetryableError, SyncError

_AGAIN: Final = "Try again in a moment; if it stays so, check the network and the endpoint."
_LATER: Final = "Try again in {minutes:.0f} minutes: the platform wants to be left alone so long."
_OURS: Final = "This is cohortd's own mistake: install a newer version, or tell its maintainers."
_MINUTE_S: Final = 60

#: What is tried, and how; the attempt gives what to say of its success.
Step = tuple[str, Callable[[], str]]


def failed(subject: str, error: SyncError) -> AccessCheck:
    """The line of an attempt that did not work."""
    return AccessCheck(subject, ok=False, detail=str(error), cure=cure_of(error))


def cure_of(error: SyncError) -> str:
    """What to do about an error, where it says nothing itself."""
    if isinstance(error, FatalError):
        return error.cure
    if isinstance(error, RetryableError):
        minutes = max(1.0, (error.after_s or 0.0) / _MINUTE_S)
        return _LATER.format(minutes=minutes) if error.after_s else _AGAIN
    return _OURS


def walk(steps: Iterable[Step]) -> Iterator[AccessCheck]:
    """Try one after the other; behind the first that does not work nothing could."""
    for subject, attempt in steps:
        try:
            detail = attempt()
        except SyncError as error:
            yield failed(subject, error)
            return
        yield AccessCheck(subject, ok=True, detail=detail)
