"""All members of a remote audience replaced part by part, where the platform gives a session to it.

What a part holds is in doubt no more once it is taken; who was in no part that was taken is sent again by
the next plan. So a session that cannot be gone on with leaves nobody out for good.
"""

from datetime import datetime, timedelta
from typing import Final

import structlog

from cohortd.core.delivery import BatchState, Part, Receipt
from cohortd.core.errors import RejectedError, RetryableError, SessionEndedError
from cohortd.ledger import BY_SESSION, Resync
from cohortd.pipeline.wiring import Destination, Pipeline
from connectors.protocol import replacing

#: Meta takes as many in one request.
ROWS_PER_PART: Final = 10_000
#: Meta gives a session 90 minutes from its first part; the last one must be there by then.
SESSION_WITHIN: Final = timedelta(minutes=85)
#: A part without an answer is sent again after this long.
PART_AGAIN_AFTER_S = 60.0

_REST: Final = "The next sync sends whoever is missing"
_OTHERS: Final = "; others may be there as before, until sync --replace is called once more"

_NOBODY: Final = "nobody may stay by the ledger, so nobody else was taken off"
_NOBODY_LEFT: Final = "nobody may stay any more by the ledger; whoever is still there is taken off by name"

log = structlog.get_logger()


def replace_members(pipeline: Pipeline, resync: Resync, destination: Destination, *, epoch: int) -> str:
    """Begin a session, or go on with it, to its end.

    Returns:
        A sentence for people.

    Raises:
        SyncError: It is not at its end; it is gone on with later, or was given up.
    """
    with pipeline.ledger.outbox.alone(resync.remote.id, now=pipeline.clock()) as is_alone:
        if not is_alone:
            _later(pipeline, resync, PART_AGAIN_AFTER_S, epoch=epoch)
            return ""
        return _Session(pipeline, destination, epoch).run(resync)


def _later(pipeline: Pipeline, resync: Resync, after_s: float, *, epoch: int) -> None:
    at = pipeline.clock() + timedelta(seconds=after_s)
    pipeline.ledger.resyncs.ask_again(resync, at=at, epoch=epoch)


def _log_end(resync: Resync, left: int) -> None:
    target = resync.remote.target
    log.info("resync_ended", audience=target.audience, destination=target.destination, left=left)


class _Session:
    """One session under way."""

    def __init__(self, pipeline: Pipeline, destination: Destination, epoch: int) -> None:
        self._pipeline = pipeline
        self._connector = replacing(destination.connector)
        self._resyncs = pipeline.ledger.resyncs
        self._epoch = epoch

    def run(self, resync: Resync) -> str:
        if resync.began_at is None:
            resync = self._open(resync)
        named = f"{resync.remote.target.audience} on {resync.remote.target.destination}"
        while not self._pipeline.stop.is_set():
            if self._is_late(resync.began_at):
                raise self._given_up(resync, "it took too long")
            part = self._next(resync)
            if not part.members:
                self._end(resync)
                return f"{named}: {_NOBODY_LEFT if resync.after else _NOBODY}"
            resync = self._send(resync, part)
            if part.is_last and resync.next_part > part.number:
                self._done(resync)
                return f"{named}: all members were replaced by those who may be there"
        return ""

    def _open(self, resync: Resync) -> Resync:
        session = self._connector.new_session()
        return self._resyncs.open_session(resync, session, now=self._pipeline.clock(), epoch=self._epoch)

    def _next(self, resync: Resync) -> Part:
        """Make the next part; where nobody is left to be in it, one that only ends the session."""
        kinds = self._connector.replaceable
        part = self._resyncs.next_part(resync, kinds=kinds, rows=ROWS_PER_PART, epoch=self._epoch)
        if part.members or not resync.after:
            return part
        return self._resyncs.closing_part(resync, kinds=kinds, epoch=self._epoch)

    def _send(self, resync: Resync, part: Part) -> Resync:
        """Send a part; where its session never began, begin another."""
        try:
            receipt = self._connector.replace_part(part)
        except SessionEndedError as error:
            if error.how == "unknown" and part.number > 1:
                return self._open(resync)
            if error.how == "over" and part.is_last:
                # An attempt without an answer was taken, whole or not: who is in it stays in doubt.
                receipt = Receipt(BatchState.CONFIRMED, unattributed={"no answer": len(part.members)})
            else:
                raise self._given_up(resync, str(error)) from None
        except RetryableError as error:
            _later(self._pipeline, resync, error.after_s or PART_AGAIN_AFTER_S, epoch=self._epoch)
            raise
        except RejectedError as error:
            raise self._given_up(resync, str(error)) from None
        return self._resyncs.part_taken(
            resync, part, receipt, now=self._pipeline.clock(), epoch=self._epoch
        )

    def _done(self, resync: Resync) -> None:
        left = self._resyncs.done(resync, how=BY_SESSION, now=self._pipeline.clock(), epoch=self._epoch)
        _log_end(resync, left)

    def _end(self, resync: Resync) -> None:
        self._resyncs.end(resync, now=self._pipeline.clock(), epoch=self._epoch)
        _log_end(resync, 0)

    def _given_up(self, resync: Resync, why: str) -> RejectedError:
        self._end(resync)
        others = "" if resync.after else _OTHERS
        return RejectedError(
            f"{resync.remote.target.audience} was not replaced whole: {why}. {_REST}{others}"
        )

    def _is_late(self, began_at: datetime | None) -> bool:
        return began_at is not None and self._pipeline.clock() - began_at > SESSION_WITHIN
