"""Repeats what may be repeated: any connector, tried again until it works, is refused or time is up."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_attempt,
    stop_when_event_set,
)
from tenacity.stop import stop_base

from cohortd.core.delivery import (
    AccessCheck,
    AccountStatus,
    Batch,
    Content,
    Hold,
    Limits,
    Marked,
    Part,
    Receipt,
    RemoteSpec,
    RemoteStatus,
)
from cohortd.core.errors import RetryableError
from cohortd.core.identifiers import IdentifierKind
from cohortd.core.observing import Trace, untraced
from connectors.backing_off import Chance, back_off_s
from connectors.protocol import Connector, hold_of, replacing, sweeping, used_share_of

log = structlog.get_logger()

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to insist."""

    attempts: int = 6
    #: Seconds from the first attempt within which the last one must begin. A platform that asks
    #: for more is not waited for: the error goes on to whoever keeps the schedule. Short, because
    #: a revocation may come in while this waits.
    total_s: float = 120.0
    #: First wait and longest wait where the platform does not say; doubling in between, by half by chance.
    first_s: float = 1.0
    longest_s: float = 60.0


class RetryingConnector:
    """Another connector, with its RetryableErrors waited out; all other errors pass at once."""

    def __init__(
        self,
        inner: Connector,
        policy: RetryPolicy | None = None,
        *,
        stop: threading.Event | None = None,
        sleep: Callable[[float], None] | None = None,
        chance: Chance = random.random,
        trace: Trace = untraced,
    ) -> None:
        """Wrap a connector.

        Args:
            inner: The connector that makes single attempts.
            policy: How long to insist.
            stop: Once set, nothing is tried again and a wait ends at once.
            sleep: How to wait; ``tenacity.sleep_using_event(stop)`` where it is not given.
            chance: What a wait is made longer by.
            trace: Told of every call, its waits included.
        """
        self._inner = inner
        self._trace = trace
        self._policy = policy or RetryPolicy()
        self._stop = stop or threading.Event()
        self._sleep = sleep or sleep_using_event(self._stop)
        self._wait = _Wait(self._policy, chance)

    @property
    def platform(self) -> str:
        """The inner connector's platform."""
        return self._inner.platform

    @property
    def limits(self) -> Limits:
        """The inner connector's limits."""
        return self._inner.limits

    def hold(self, *, urgent: bool) -> Hold | None:
        """Tell until when no batch should be sent."""
        return hold_of(self._inner, urgent=urgent)

    def used_share(self) -> float | None:
        """Tell how much of what is allowed is used."""
        return used_share_of(self._inner)

    def ensure(self, spec: RemoteSpec) -> str:
        """Find or create the remote audience."""
        return self._insist("ensure", lambda: self._inner.ensure(spec))

    def marked(self) -> list[Marked]:
        """List the remote audiences of any cohortd."""
        return self._insist("marked", self._inner.marked)

    def apply(self, batch: Batch) -> Receipt:
        """Send a batch."""
        told = {
            "batch": batch.id,
            "operation": batch.action.value,
            "lane": batch.lane.value,
            "members": len(batch.members),
        }
        return self._insist("apply", lambda: self._inner.apply(batch), **told)

    def poll(self, request: str) -> Receipt:
        """Ask what became of a batch."""
        return self._insist("poll", lambda: self._inner.poll(request))

    def read(self, remote_id: str) -> RemoteStatus:
        """Read the remote audience's size and state."""
        return self._insist("read", lambda: self._inner.read(remote_id))

    def account(self) -> AccountStatus:
        """Read what the account says of itself."""
        return self._insist("account", self._inner.account)

    def rename(self, remote_id: str, name: str) -> None:
        """Give the remote audience another name."""
        self._insist("rename", lambda: self._inner.rename(remote_id, name))

    def retire(self, remote_id: str) -> None:
        """Close the remote audience to new use."""
        self._insist("retire", lambda: self._inner.retire(remote_id))

    @property
    def replaceable(self) -> frozenset[IdentifierKind]:
        """The kinds of identifiers that a replacement may carry."""
        return replacing(self._inner).replaceable

    def replace(self, content: Content) -> Receipt:
        """Make *content* all that is in the remote audience."""
        return self._insist("replace", lambda: replacing(self._inner).replace(content))

    def remove_older(self, remote_id: str, *, than: datetime) -> Receipt:
        """Have everybody forgotten who was last added before a moment."""
        return self._insist(
            "remove_older", lambda: sweeping(self._inner).remove_older(remote_id, than=than)
        )

    def new_session(self) -> str:
        """Name a session."""
        return replacing(self._inner).new_session()

    def replace_part(self, part: Part) -> Receipt:
        """Send one part of a session, once: not every part may be sent twice."""
        with self._trace("replace_part", platform=self._inner.platform, members=len(part.members)):
            return replacing(self._inner).replace_part(part)

    def delete(self, remote_id: str) -> None:
        """Delete the remote audience for good."""
        self._insist("delete", lambda: replacing(self._inner).delete(remote_id))

    def check(self) -> list[AccessCheck]:
        """Try credentials, terms and access."""
        return self._insist("check", self._inner.check)

    def close(self) -> None:
        """Give back connections; never repeated."""
        self._inner.close()

    def _insist(self, verb: str, attempt: Callable[[], Answer], **told: str | int) -> Answer:
        with self._trace(verb, platform=self._inner.platform, **told):
            return self._insisted(verb, attempt)

    def _insisted(self, verb: str, attempt: Callable[[], Answer]) -> Answer:
        last: list[RetryableError] = []

        def attempt_unless_stopped() -> Answer:
            # A wait that the stop event cut short must not end in one more call.
            if last and self._stop.is_set():
                raise last[0]
            try:
                return attempt()
            except RetryableError as error:
                last[:] = [error]
                raise

        return self._retrying(verb)(attempt_unless_stopped)

    def _retrying(self, verb: str) -> Retrying:
        policy = self._policy
        return Retrying(
            retry=retry_if_exception_type(RetryableError),
            wait=self._wait,
            stop=stop_after_attempt(policy.attempts)
            | _StopBefore(policy.total_s)
            | stop_when_event_set(self._stop),
            sleep=self._sleep,
            before_sleep=lambda state: _log(self._inner.platform, verb, state),
            reraise=True,
        )


class _Wait:
    """As long as the platform says, else longer each time."""

    def __init__(self, policy: RetryPolicy, chance: Chance) -> None:
        self._policy = policy
        self._chance = chance

    def __call__(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RetryableError) and error.after_s is not None:
            return max(0.0, error.after_s)
        return back_off_s(
            state.attempt_number,
            first_s=self._policy.first_s,
            longest_s=self._policy.longest_s,
            chance=self._chance,
        )


class _StopBefore(stop_base):
    """Stops where the next attempt would begin after the total time.

    Counts the waits themselves besides the time that passed, so that it holds under a sleep that
    does not sleep.
    """

    def __init__(self, total_s: float) -> None:
        self._total_s = total_s

    def __call__(self, state: RetryCallState) -> bool:
        spent = max(state.seconds_since_start or 0.0, state.idle_for)
        return spent + state.upcoming_sleep > self._total_s


def _log(platform: str, verb: str, state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning(
        "platform_call_retried",
        platform=platform,
        verb=verb,
        attempt=state.attempt_number,
        wait_s=round(state.upcoming_sleep, 1),
        reason=str(error),
    )
