"""Does with a connector's answers what the pipeline does, and looks whether they were true."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from cohortd.core.delivery import AccessCheck, Action, BatchState, Receipt, RemoteSpec
from cohortd.core.errors import FatalError, RejectedError, RetryableError, SyncError
from cohortd.core.identifiers import Member
from connectors.contract_kit import (
    POLL_EVERY_S,
    Elapse,
    Inspector,
    assert_discreet,
    batch_of,
    seen,
)
from connectors.protocol import Connector

Answer = TypeVar("Answer")

#: Most tries before a connector counts as stuck, and the seconds in which a person acts.
_TRIES = 40
_PERSON_S = 3600.0


class Diligent:
    """Sends again, waits, halves, sets rows aside and has a person act, as each answer says."""

    def __init__(
        self, connector: Connector, members: Inspector, pass_time: Elapse, secrets: Sequence[str]
    ) -> None:
        self._connector = connector
        self._members = members
        self._pass_time = pass_time
        self._secrets = secrets

    def insist(self, attempt: Callable[[], Answer]) -> Answer:
        """Try until it works; what is refused comes out."""
        for _ in range(_TRIES):
            try:
                return attempt()
            except (RetryableError, FatalError) as error:
                self._live_with(error)
        raise AssertionError(f"still failing after {_TRIES} tries")

    def ensure(self, spec: RemoteSpec) -> str:
        """Have the audience."""
        return self.insist(lambda: self._connector.ensure(spec))

    def check(self) -> None:
        """Ask until every line is well; each that is not must say what to do."""

        def attempt() -> list[AccessCheck]:
            lines = self._connector.check()
            for line in lines:
                if not line.ok:
                    raise FatalError(line.detail, cure=line.cure)
            return lines

        self.insist(attempt)

    def deliver(self, remote_id: str, action: Action, people: Sequence[Member]) -> None:
        """Send until everybody is where they should be; whoever was set aside goes once more, alone."""
        aside: list[Member] = []
        waiting = [list(people)]
        for _ in range(_TRIES):
            if not waiting:
                break
            waiting += self._send(remote_id, action, waiting.pop(0), aside)
        assert not waiting, f"still sending after {_TRIES} tries"
        for member in aside:
            assert not self._send(remote_id, action, [member], [])

    def _send(
        self, remote_id: str, action: Action, part: list[Member], aside: list[Member]
    ) -> list[list[Member]]:
        """Send once; gives what has to be sent again."""
        try:
            receipt = self.insist(lambda: self._connector.apply(batch_of(remote_id, action, *part)))
        except RejectedError as error:
            return self._without(part, error.rows, aside, error)
        try:
            receipt = self._settled(receipt)
        except RejectedError as error:
            assert_discreet(error, self._secrets)
            return [part]  # the platform forgot the request
        if receipt.state is BatchState.REJECTED:
            return [part] if receipt.fault else self._without(part, receipt.rejected, aside, None)
        self._assert_true(remote_id, action, part, receipt)
        aside += [part[index] for index in receipt.rejected]
        return []

    def _settled(self, receipt: Receipt) -> Receipt:
        """Poll until the platform is done."""
        for _ in range(_TRIES):
            if receipt.state is not BatchState.ACCEPTED:
                return receipt
            self._pass_time(POLL_EVERY_S)
            request = receipt.request
            receipt = self.insist(lambda request=request: self._connector.poll(request))  # type: ignore[misc]
        raise AssertionError(f"still {receipt.state} after {_TRIES} polls")

    def _without(
        self,
        part: list[Member],
        rows: Sequence[int] | dict[int, str],
        aside: list[Member],
        error: RejectedError | None,
    ) -> list[list[Member]]:
        """Set the named rows aside; where none is named halve, down to one person."""
        assert_discreet(error, self._secrets)
        named = set(rows) or ({0} if len(part) == 1 else set())
        aside += [part[index] for index in sorted(named)]
        if not named:
            return [part[: len(part) // 2], part[len(part) // 2 :]]
        rest = [member for index, member in enumerate(part) if index not in named]
        return [rest] if rest else []

    def _assert_true(self, remote_id: str, action: Action, part: list[Member], receipt: Receipt) -> None:
        """Whoever is confirmed is there, or gone, but for those that the receipt counts out."""
        there = self._members(remote_id)
        confirmed = [member for index, member in enumerate(part) if index not in receipt.rejected]
        if action is Action.ADD:
            untrue = sum(not seen([member]) <= there for member in confirmed)
        else:
            untrue = sum(bool(seen([member]) & there) for member in confirmed)
        assert untrue <= sum(receipt.unattributed.values())

    def _live_with(self, error: SyncError) -> None:
        assert_discreet(error, self._secrets)
        if isinstance(error, RetryableError):
            self._pass_time(error.after_s or 1.0)
            return
        assert isinstance(error, FatalError)
        assert error.cure
        assert error.scope in ("destination", "audience")
        self._pass_time(_PERSON_S)
