"""What became of batches that a platform accepted."""

from datetime import datetime, timedelta

from structlog.contextvars import bound_contextvars

from cohortd.core.delivery import BatchState
from cohortd.core.errors import RejectedError, RetryableError, SyncError
from cohortd.core.observing import BatchAnswer, Outcome
from cohortd.ledger import PollDue
from cohortd.pipeline.sending import Answers, outcome_of
from cohortd.pipeline.standing import Standing
from cohortd.pipeline.wiring import Destination, Pipeline


class Polling:
    """Asks the platforms, under one leadership epoch."""

    def __init__(
        self, pipeline: Pipeline, epoch: int, standing: Standing, answers: Answers, notes: list[str]
    ) -> None:
        self._pipeline = pipeline
        self._outbox = pipeline.ledger.outbox
        self._epoch = epoch
        self._standing = standing
        self._answers = answers
        self._notes = notes

    def ask(self, due: PollDue) -> int:
        """Ask about one batch; return how many came to an end."""
        target = due.remote.target
        with bound_contextvars(
            audience=target.audience, destination=target.destination, batch=due.batch_id
        ):
            return self._asked(due)

    def _asked(self, due: PollDue) -> int:
        destination = self._pipeline.destinations[due.remote.target.destination]
        now = self._pipeline.clock()
        try:
            receipt = destination.connector.poll(due.request)
        except RetryableError as error:
            self._again(due, now, error.after_s or destination.poll.next_s(due.polls + 1))
            return 0
        except RejectedError as error:
            # The platform no longer knows the request, or lost it: what it did is unknown.
            self._outbox.forget_acceptance(due.batch_id, now=now, epoch=self._epoch)
            self._observed(destination, due, Outcome.RETRIED)
            self._notes.append(f"{destination.name}: {error}")
            return 0
        except SyncError as error:
            self._again(due, now, destination.poll.next_s(due.polls + 1))
            self._standing.fell_short(destination, due.remote.target, error)
            return 0
        if receipt.state is not BatchState.ACCEPTED:
            self._answers.settle(due.batch_id, receipt, destination)
            self._observed(destination, due, outcome_of(receipt))
            return 1
        self._not_yet(due, destination, now)
        return 0

    def _not_yet(self, due: PollDue, destination: Destination, now: datetime) -> None:
        if now - due.accepted_at > timedelta(seconds=destination.poll.give_up_s):
            self._outbox.forget_acceptance(due.batch_id, now=now, epoch=self._epoch)
            self._observed(destination, due, Outcome.RETRIED)
            self._notes.append(
                f"{due.remote.target.destination}: no end of a request after"
                f" {destination.poll.give_up_s / 3600:.0f} hours; it is sent again"
            )
            return
        self._again(due, now, destination.poll.next_s(due.polls + 1))

    def _observed(self, destination: Destination, due: PollDue, outcome: Outcome) -> None:
        self._pipeline.observer.batch_answered(BatchAnswer(destination.platform, due.action, outcome))

    def _again(self, due: PollDue, now: datetime, after_s: float) -> None:
        at = now + timedelta(seconds=after_s)
        self._outbox.repoll(due.batch_id, at=at, epoch=self._epoch)
