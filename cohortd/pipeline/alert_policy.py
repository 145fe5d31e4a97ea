"""What is told to whom, and from when on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cohortd.alerts import Channel
from cohortd.core.delivery import AccessCheck


def _nothing() -> Sequence[AccessCheck]:
    return ()


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """Where alerts go; without a channel nobody is told."""

    channels: tuple[Channel, ...] = ()
    #: After this long what still stands is told again.
    repeat_after: timedelta = timedelta(days=1)
    #: After this long without a finished sync, somebody should look.
    sync_silent_for: timedelta = timedelta(days=2)
    #: How old the newest event may be, and how long ago the last consent record may have come; None: any.
    events_stale_after: timedelta | None = None
    consent_stale_after: timedelta | None = None
    #: Lines of what the ledger does not know.
    more: Callable[[], Sequence[AccessCheck]] = _nothing
