"""What a platform answered to a batch, into the ledger: everything here is one thread's work."""

from datetime import timedelta

import structlog
from structlog.contextvars import bound_contextvars

from cohortd.core.delivery import BatchState, Lane, Receipt
from cohortd.core.errors import (
    FatalError,
    GoneError,
    NotYetError,
    RejectedError,
    RetryableError,
    TooSmallError,
)
from cohortd.core.observing import BatchAnswer, Outcome
from cohortd.ledger import Claimed
from cohortd.pipeline.crew import Answer
from cohortd.pipeline.insisting import give_up_deleted, insist, is_deleted
from cohortd.pipeline.standing import Standing
from cohortd.pipeline.wiring import Destination, Pipeline

#: Wait before an unknown outcome is sent again, where the platform named no time; seconds. Up to half as
#: long again by chance.
RESEND_AFTER_S = 60.0
_BY_HAND = (
    "{}: confirmed means that files were written; the platform has nothing of it before somebody uploads"
    " them, in their order"
)

log = structlog.get_logger()


class Answers:
    """Stores what became of batches, under one leadership epoch, and notes what people should know."""

    def __init__(
        self,
        pipeline: Pipeline,
        epoch: int,
        standing: Standing,
        notes: list[str],
        remarks: list[str],
    ) -> None:
        self._pipeline = pipeline
        self._outbox = pipeline.ledger.outbox
        self._epoch = epoch
        self._standing = standing
        self._notes = notes
        self._remarks = remarks
        #: Destination -> what people should know of what was done; nothing fell short.
        self.told: dict[str, str] = {}

    def take(self, claimed: Claimed, answer: Answer) -> None:
        """Store the answer to a batch that was sent.

        Args:
            answer: Gives the receipt, or raises what the connector raised.
        """
        target = claimed.remote.target
        with bound_contextvars(
            audience=target.audience, destination=target.destination, batch=claimed.batch.id
        ):
            outcome = self._taken(claimed, answer)
        platform = self._pipeline.destinations[target.destination].platform
        self._pipeline.observer.batch_answered(BatchAnswer(platform, claimed.batch.action, outcome))

    def _taken(self, claimed: Claimed, answer: Answer) -> Outcome:
        destination = self._pipeline.destinations[claimed.remote.target.destination]
        batch, now = claimed.batch, self._pipeline.clock
        try:
            receipt = self._receipt(claimed, answer)
        except NotYetError as error:
            self._put_off(claimed, error)
            return Outcome.RETRIED
        except RetryableError as error:
            self._postpone(claimed, error)
            return Outcome.RETRIED
        except RejectedError as error:
            self._standing.answered(destination.name)
            self._outbox.split(batch.id, rows=error.rows, now=now(), epoch=self._epoch)
            if claimed.lane is Lane.REVOCATION:
                self._notes.append(
                    f"{destination.name}: a removal was refused ({error}); the next run tries again"
                )
            _log("batch_refused", claimed, rows=len(error.rows))
            return Outcome.REJECTED
        except FatalError as error:
            self._outbox.postpone(batch.id, until=now(), note=str(error), epoch=self._epoch)
            self._standing.fell_short(destination, claimed.remote.target, error)
            return Outcome.STOPPED
        self._standing.answered(destination.name)
        if receipt is None:
            return Outcome.CONFIRMED
        self.settle(batch.id, receipt, destination)
        if is_deleted(claimed):  # by the settings of then; it is there after all
            self._pipeline.ledger.remotes.keep(claimed.remote.id)
        _log("batch_sent", claimed, state=receipt.state.value, rejected=len(receipt.rejected))
        return outcome_of(receipt)

    def settle(self, batch_id: int, receipt: Receipt, destination: Destination) -> None:
        """Store a receipt."""
        self._outbox.settle(
            batch_id,
            receipt,
            now=self._pipeline.clock(),
            epoch=self._epoch,
            first_poll_s=destination.poll.first_s,
        )
        if receipt.fault:
            self._notes.append(
                f"{destination.name}: {receipt.fault}; the same members are sent again later"
            )
        for reason, count in receipt.unattributed.items():
            self._notes.append(
                f"{destination.name}: {count:,} rows not taken ({reason}); the platform does not say which"
            )
        if receipt.handed:
            self.told[destination.name] = _BY_HAND.format(destination.name)
        if receipt.note:
            log.info("platform_said", destination=destination.name, batch=batch_id, note=receipt.note)

    def _receipt(self, claimed: Claimed, answer: Answer) -> Receipt | None:
        """Return the receipt; None where the batch is settled already, being carried out otherwise."""
        try:
            return answer()
        except TooSmallError as error:
            self._remarks.append(insist(self._pipeline, claimed, error, epoch=self._epoch))
        except GoneError:
            if not is_deleted(claimed):
                raise
            self._remarks.append(give_up_deleted(self._pipeline, claimed, epoch=self._epoch))
        return None

    def _put_off(self, claimed: Claimed, error: NotYetError) -> None:
        """Let a batch wait of which nothing was done; its audience goes on without it."""
        now = self._pipeline.clock()
        until = now + timedelta(seconds=error.after_s or RESEND_AFTER_S)
        self._outbox.put_off(claimed.batch.id, until=until, note=str(error), now=now, epoch=self._epoch)
        self._notes.append(f"{claimed.remote.target.destination}: {error}")
        _log("batch_put_off", claimed, reason=str(error))

    def _postpone(self, claimed: Claimed, error: RetryableError) -> None:
        """Leave an unknown outcome to be sent again, and the destination alone until then."""
        destination = claimed.remote.target.destination
        by_chance_s = RESEND_AFTER_S * (1 + self._pipeline.chance() / 2)
        until = self._pipeline.clock() + timedelta(seconds=error.after_s or by_chance_s)
        self._outbox.postpone(claimed.batch.id, until=until, note=str(error), epoch=self._epoch)
        self._standing.did_not_take(destination, error, until=until)
        self._notes.append(f"{destination}: {error}; sent again after {until:%H:%M:%S} UTC")
        _log("batch_postponed", claimed, reason=str(error))


def outcome_of(receipt: Receipt) -> Outcome:
    """Say what a receipt comes to."""
    if receipt.fault:
        return Outcome.FAILED
    if receipt.state is BatchState.ACCEPTED:
        return Outcome.ACCEPTED
    return Outcome.CONFIRMED if receipt.state is BatchState.CONFIRMED else Outcome.REJECTED


def _log(event: str, claimed: Claimed, **counts: object) -> None:
    log.info(
        event,
        audience=claimed.remote.target.audience,
        destination=claimed.remote.target.destination,
        action=claimed.batch.action.value,
        lane=claimed.lane.value,
        batch=claimed.batch.id,
        members=len(claimed.batch.members),
        **counts,
    )
