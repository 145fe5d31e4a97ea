"""A platform in memory: for tests, rehearsals and anyone who tries the pipeline without an account."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from cohortd.core.delivery import (
    AccessCheck,
    AccountStatus,
    Action,
    Batch,
    BatchState,
    Limits,
    Marked,
    Receipt,
    RemoteSpec,
    RemoteStatus,
)
from cohortd.core.errors import FatalError, GoneError, RejectedError, SyncError
from cohortd.core.identifiers import Family, IdentifierKind

Answer = TypeVar("Answer")

#: An identifier as an inspector sees it.
Seen = tuple[IdentifierKind, bytes]

LIMITS = Limits(
    family=Family.META,
    rows_per_batch=10_000,
    minimum_size=0,
    forgets_after_days=None,
    overlapping_batches=True,
)


@dataclass(slots=True)
class MemoryAudience:
    """One remote audience in memory."""

    id: str
    spec: RemoteSpec
    members: set[Seen] = field(default_factory=set)
    retired: bool = False


@dataclass(frozen=True, slots=True)
class _Trouble:
    error: SyncError
    applied: float


class MemoryConnector:
    """Keeps what it is sent, fails when it is told to."""

    def __init__(self, *, platform: str = "memory", limits: Limits = LIMITS, polls: int = 0) -> None:
        """Start empty.

        Args:
            platform: What to call itself.
            limits: What to declare.
            polls: How often a batch must be polled before it is confirmed; with 0 ``apply``
                confirms at once, as Meta does.
        """
        self._platform = platform
        self._limits = limits
        self._polls = polls
        self._open: dict[str, int] = {}
        self._troubles: dict[str, deque[_Trouble]] = {}
        #: Remote id -> audience; tests may read and change it.
        self.audiences: dict[str, MemoryAudience] = {}
        #: Every batch that was taken, in order.
        self.batches: list[Batch] = []
        #: Verb -> calls made.
        self.calls: Counter[str] = Counter()
        self.closed = False

    @property
    def platform(self) -> str:
        """What it calls itself."""
        return self._platform

    @property
    def limits(self) -> Limits:
        """What it was told to declare."""
        return self._limits

    def fail_next(self, verb: str, error: SyncError, *, applied: float = 0.0) -> None:
        """Let the next call of *verb* end in *error*; several are used up in order.

        Args:
            verb: ensure, marked, apply, poll, read, account, rename, retire or check.
            error: What to raise.
            applied: Share of the work done all the same: 1 for a lost answer.
        """
        self._troubles.setdefault(verb, deque()).append(_Trouble(error, applied))

    @property
    def troubles_ahead(self) -> int:
        """How many of the calls that shall fail were not made yet."""
        return sum(map(len, self._troubles.values()))

    def members(self, remote_id: str) -> frozenset[Seen]:
        """Every identifier in a remote audience."""
        audience = self.audiences.get(remote_id)
        return frozenset(audience.members) if audience else frozenset()

    def ensure(self, spec: RemoteSpec) -> str:
        """Find the audience of the same marker, else make it."""
        return self._do("ensure", lambda _share: self._ensure(spec))

    def marked(self) -> list[Marked]:
        """List the audiences that are not retired."""
        return self._do(
            "marked",
            lambda _share: [
                Marked(each.id, each.spec.name, each.spec.marker)
                for each in self.audiences.values()
                if not each.retired
            ],
        )

    def apply(self, batch: Batch) -> Receipt:
        """Add or remove the identifiers of the batch."""
        return self._do("apply", lambda share: self._apply(batch, share))

    def poll(self, request: str) -> Receipt:
        """Count down to confirmation."""
        return self._do("poll", lambda _share: self._poll(request))

    def read(self, remote_id: str) -> RemoteStatus:
        """Give the number of identifiers as the size."""
        return self._do("read", lambda _share: self._read(remote_id))

    def account(self) -> AccountStatus:
        """It has no terms."""
        return self._do("account", lambda _share: AccountStatus())

    def rename(self, remote_id: str, name: str) -> None:
        """Change the name alone."""
        self._do("rename", lambda _share: self._rename(remote_id, name))

    def retire(self, remote_id: str) -> None:
        """Mark the audience retired; its marker is free again."""
        self._do("retire", lambda _share: self._retire(remote_id))

    def check(self) -> list[AccessCheck]:
        """In order, unless it was told otherwise."""
        fine = AccessCheck("memory", ok=True, detail="keeps what it is sent")
        try:
            return self._do("check", lambda _share: [fine])
        except FatalError as error:
            return [AccessCheck("memory", ok=False, detail=str(error), cure=error.cure)]

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    def _do(self, verb: str, work: Callable[[float], Answer]) -> Answer:
        self.calls[verb] += 1
        waiting = self._troubles.get(verb)
        if not waiting:
            return work(1.0)
        trouble = waiting.popleft()
        if trouble.applied:
            work(trouble.applied)
        raise trouble.error

    def _ensure(self, spec: RemoteSpec) -> str:
        for audience in self.audiences.values():
            if audience.spec.marker == spec.marker and not audience.retired:
                return audience.id
        made = MemoryAudience(str(len(self.audiences) + 1), spec)
        self.audiences[made.id] = made
        return made.id

    def _apply(self, batch: Batch, share: float) -> Receipt:
        audience = self._audience(batch.remote_id)
        if len(batch.members) > self._limits.rows_per_batch:
            raise RejectedError(f"a batch holds at most {self._limits.rows_per_batch} members")
        for member in batch.members[: round(len(batch.members) * share)]:
            seen = {(identifier.kind, identifier.digest) for identifier in member.identifiers}
            if batch.action is Action.ADD:
                audience.members |= seen
            else:
                audience.members -= seen
        self.batches.append(batch)
        request = str(len(self.batches))
        if not self._polls:
            return Receipt(BatchState.CONFIRMED, request=request)
        self._open[request] = self._polls
        return Receipt(BatchState.ACCEPTED, request=request)

    def _poll(self, request: str) -> Receipt:
        left = self._open.get(request, 0)
        if left > 1:
            self._open[request] = left - 1
            return Receipt(BatchState.ACCEPTED, request=request)
        self._open.pop(request, None)
        return Receipt(BatchState.CONFIRMED, request=request)

    def _read(self, remote_id: str) -> RemoteStatus:
        audience = self._audience(remote_id)
        size = len(audience.members)
        return RemoteStatus(
            size,
            size,
            state="retired" if audience.retired else "ready",
            usable=not audience.retired,
            name=audience.spec.name,
            marked=True,
        )

    def _rename(self, remote_id: str, name: str) -> None:
        audience = self._audience(remote_id)
        audience.spec = replace(audience.spec, name=name)

    def _retire(self, remote_id: str) -> None:
        if remote_id in self.audiences:
            self.audiences[remote_id].retired = True

    def _audience(self, remote_id: str) -> MemoryAudience:
        audience = self.audiences.get(remote_id)
        if audience is None:
            raise GoneError(
                f"there is no remote audience {remote_id}",
                cure="Have the audience made anew, or point it at one that exists.",
                scope="audience",
            )
        return audience
