"""A platform that misbehaves in every way that delivery has a name for, and forgets nothing it did.

Everything it does is an event in its journal, which survives whoever talks to it: a killed process,
or a power failure on the other side of the wire.
"""

import json
import os
import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

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
from cohortd.core.errors import FatalError, NotYetError, RejectedError, RetryableError
from cohortd.core.identifiers import Member
from tests.evidence.points import nothing

Seen = tuple[int, bytes]
#: Before the moment, as the action of what takes off whoever was last added before.
_OLDER = "older than "


class Verdict(StrEnum):
    """What becomes of one call."""

    TAKE = "take"
    #: Nothing of it was done, half of it, all of it, or it is done later; no answer comes.
    LOSE_UNHEARD = "lose, nothing done"
    LOSE_HALF = "lose, half done"
    LOSE_ANSWER = "lose, all done"
    LOSE_LATE = "lose, done later"
    QUOTA = "quota"
    #: Refused for no row in particular, or because it is too early; adds whose rows are sound never are.
    REFUSE = "refuse"
    NOT_YET = "not yet"
    TOKEN_EXPIRED = "token expired"
    #: Answers of a poll: still at work, failed inside after half of it, does not know the request.
    WORKING = "working"
    FAIL_HALF = "fail, half done"
    UNKNOWN = "unknown request"


@dataclass(slots=True)
class Audience:
    """One remote audience: who is in it since when."""

    marker: str
    members: dict[Seen, int] = field(default_factory=dict)


@dataclass(slots=True)
class Work:
    """What was taken and is not done yet."""

    remote_id: str
    action: str
    rows: list[list[Seen]]
    at: int


class Platform:
    """One destination; passes for a connector."""

    def __init__(
        self,
        *,
        platform: str,
        limits: Limits,
        clock: Callable[[], datetime],
        journal: Path | None = None,
        bad: Collection[bytes] = (),
        asynchronous: bool,
    ) -> None:
        """Go on where the journal ends.

        Args:
            bad: Member keys whose rows are refused whenever they are to be added.
            asynchronous: Take a batch first, and say of its end when asked; refuse it whole for a
                bad row. Else do it at once, and name the bad row.
        """
        self.platform = platform
        self.limits = limits
        self.clock = clock
        self.bad = frozenset(bad)
        self.asynchronous = asynchronous
        self.audiences: dict[str, Audience] = {}
        self.working: dict[str, Work] = {}
        #: What becomes of the next calls; the ones after them are taken.
        self.verdicts: deque[Verdict] = deque()
        #: Called at every edge of a call, before each batch is looked at, and after each change.
        self.point: Callable[..., None] = nothing
        self.heard: Callable[[Batch], None] = nothing
        self.done: Callable[[], None] = nothing
        self.created: Callable[[RemoteSpec], None] = nothing
        self.calls = 0
        self._taken = 0
        #: How requests ended that were taken.
        self._ended: dict[str, Verdict] = {}
        self._journal = journal
        if journal is not None and journal.exists():
            for line in journal.read_text().splitlines():
                self._fold(json.loads(line))

    # what the pipeline calls

    def ensure(self, spec: RemoteSpec) -> str:
        """Find the audience of this marker, else make it."""
        self.calls += 1
        self.point()
        verdict = self._next()
        known = [name for name, each in self.audiences.items() if each.marker == spec.marker]
        if not known and verdict not in (Verdict.LOSE_UNHEARD, Verdict.TOKEN_EXPIRED, Verdict.QUOTA):
            self.created(spec)
            known = [f"{spec.audience}-{len(self.audiences) + 1}"]
            self._do(["audience", known[0], spec.marker])
        self.point()
        self._complain(verdict)
        return known[0]

    def apply(self, batch: Batch) -> Receipt:
        """Take a batch, or not."""
        self.calls += 1
        self.heard(batch)
        self.point()
        verdict = self._next()
        if batch.action is Action.REMOVE and verdict is Verdict.REFUSE:
            raise RejectedError("refused for no row in particular")
        if batch.action is Action.ADD and verdict in (Verdict.REFUSE, Verdict.NOT_YET):
            verdict = Verdict.TAKE
        bad = [i for i, each in enumerate(batch.members) if each.key in self.bad]
        bad = bad if batch.action is Action.ADD else []
        if bad and self.asynchronous:
            raise RejectedError("a row of it is bad")
        work = _work_of(batch, without=bad, at=int(self.clock().timestamp()))
        receipt = self._carry_out(work, verdict, refused=dict.fromkeys(bad, "bad"))
        self.point()
        self._complain(verdict)
        return receipt

    def remove_older(self, remote_id: str, *, than: datetime) -> Receipt:
        """Take it that everybody is to go who was last added before a moment."""
        self.calls += 1
        self.point()
        verdict = self._next()
        if verdict is Verdict.REFUSE:
            raise RejectedError("refused, as everything may be")
        action = f"{_OLDER}{int(than.timestamp())}"
        receipt = self._carry_out(Work(remote_id, action, [], int(self.clock().timestamp())), verdict)
        self.point()
        self._complain(verdict)
        return receipt

    def poll(self, request: str) -> Receipt:
        """Finish what was taken, unless it goes wrong now."""
        self.calls += 1
        self.point()
        verdict = self._next()
        if verdict is Verdict.WORKING and request in self.working:
            return Receipt(BatchState.ACCEPTED, request=request)
        if verdict in (Verdict.UNKNOWN, Verdict.FAIL_HALF) and request in self.working:
            work = self.working[request]
            rows = self._rows(work)
            self._do_rows(work, rows[: len(rows) // 2])
            self._do(["end", request, verdict.value])
        elif verdict not in (Verdict.LOSE_UNHEARD, Verdict.TOKEN_EXPIRED, Verdict.QUOTA):
            self.land(request)
        self.point()
        self._complain(verdict)
        # However often it is asked, it says the same of a request that has ended.
        ended = self._ended.get(request, Verdict.TAKE)
        if ended is Verdict.UNKNOWN:
            raise RejectedError("this request is not known")
        if ended is Verdict.FAIL_HALF:
            return Receipt(BatchState.REJECTED, request=request, fault="failed inside")
        return Receipt(BatchState.CONFIRMED, request=request)

    def marked(self) -> list[Marked]:
        """List every audience."""
        return [Marked(name, name, each.marker) for name, each in self.audiences.items()]

    def read(self, remote_id: str) -> RemoteStatus:
        """Say how many there are."""
        size = len(self.audiences[remote_id].members)
        return RemoteStatus(size, size)

    def account(self) -> AccountStatus:
        """Nothing is said of it."""
        return AccountStatus()

    def rename(self, remote_id: str, name: str) -> None:
        """Names do not matter here."""

    def retire(self, remote_id: str) -> None:
        """Nobody asks for it here."""

    def check(self) -> list[AccessCheck]:
        """All is well."""
        return []

    def close(self) -> None:
        """Nothing to give back."""

    # what the world does to it

    def members(self, remote_id: str) -> set[Seen]:
        """Who is in a remote audience now."""
        found = self.audiences.get(remote_id)
        return set(found.members) if found else set()

    def land(self, request: str, *, only: Collection[Seen] | None = None) -> None:
        """Carry out what was taken, now.

        Args:
            only: Add nobody else.
        """
        work = self.working.get(request)
        if work is not None:
            rows = [[seen for seen in row if only is None or seen in only] for row in self._rows(work)]
            self._do_rows(work, rows)
            self._do(["end", request, Verdict.TAKE.value])

    def drop(self, request: str) -> None:
        """Never carry it out."""
        self._do(["end", request, Verdict.UNKNOWN.value])

    def forget(self) -> None:
        """Drop whoever was added longer ago than this platform remembers."""
        if self.limits.forgets_after_days is None:
            return
        oldest = int((self.clock() - timedelta(days=self.limits.forgets_after_days)).timestamp())
        for name, audience in self.audiences.items():
            for seen, since in list(audience.members.items()):
                if since <= oldest:
                    self._do(["-", name, seen[0], seen[1].hex()])

    # within

    def _next(self) -> Verdict:
        return self.verdicts.popleft() if self.verdicts else Verdict.TAKE

    def _rows(self, work: Work) -> Sequence[Sequence[Seen]]:
        """Whom a piece of work is about, now."""
        if not work.action.startswith(_OLDER):
            return work.rows
        than = int(work.action.removeprefix(_OLDER))
        members = self.audiences[work.remote_id].members
        return [[seen] for seen, since in members.items() if since < than]

    def _carry_out(self, work: Work, verdict: Verdict, *, refused: dict[int, str] | None = None) -> Receipt:
        if verdict in (Verdict.LOSE_UNHEARD, Verdict.QUOTA, Verdict.NOT_YET, Verdict.TOKEN_EXPIRED):
            return Receipt(BatchState.CONFIRMED)
        if verdict is Verdict.LOSE_HALF:
            rows = self._rows(work)
            self._do_rows(work, rows[: len(rows) // 2])
            return Receipt(BatchState.CONFIRMED)
        self._taken += 1
        request = f"r{self._taken}"
        if self.asynchronous or verdict is Verdict.LOSE_LATE:
            written = [[(kind, value.hex()) for kind, value in row] for row in work.rows]
            self._do(["work", request, work.remote_id, work.action, written, work.at])
            if verdict is Verdict.LOSE_ANSWER:
                self.land(request)
            return Receipt(BatchState.ACCEPTED, request=request)
        self._do_rows(work, work.rows)
        return Receipt(BatchState.CONFIRMED, rejected=refused or {})

    def _complain(self, verdict: Verdict) -> None:
        match verdict:
            case Verdict.QUOTA:
                raise RetryableError("the quota is used up", after_s=600)
            case Verdict.NOT_YET:
                raise NotYetError("too small to remove anybody now", after_s=600)
            case Verdict.TOKEN_EXPIRED:
                raise FatalError("the token has expired", cure="Renew it.")
            case _ if verdict in _SILENT:
                raise RetryableError("no answer")
            case _:
                return

    def _do_rows(self, work: Work, rows: Sequence[Sequence[Seen]]) -> None:
        for row in rows:
            for kind, value in row:
                self.point()
                self._do(["+" if work.action == "add" else "-", work.remote_id, kind, value.hex()])
        self.done()

    def _do(self, event: list[Any]) -> None:
        if event[0] == "+":
            event = [*event, int(self.clock().timestamp())]
        if self._journal is not None:
            file = os.open(self._journal, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
            os.write(file, json.dumps(event).encode() + b"\n")
            os.close(file)
        self._fold(event)

    def _fold(self, event: list[Any]) -> None:
        match event:
            case ["audience", name, marker]:
                self.audiences[name] = Audience(marker)
            case ["+", name, kind, value, at]:
                self.audiences[name].members[kind, bytes.fromhex(value)] = at
            case ["-", name, kind, value]:
                self.audiences[name].members.pop((kind, bytes.fromhex(value)), None)
            case ["work", request, name, action, rows, at]:
                known = [[(kind, bytes.fromhex(value)) for kind, value in row] for row in rows]
                self.working[request] = Work(name, action, known, at)
                self._taken = max(self._taken, int(request[1:]))
            case ["end", request, verdict]:
                self.working.pop(request, None)
                self._ended[request] = Verdict(verdict)


_SILENT = frozenset((Verdict.LOSE_UNHEARD, Verdict.LOSE_HALF, Verdict.LOSE_ANSWER, Verdict.LOSE_LATE))


def _work_of(batch: Batch, *, without: Collection[int], at: int) -> Work:
    rows = [_seen(member) for index, member in enumerate(batch.members) if index not in without]
    return Work(batch.remote_id, batch.action.value, rows, at)


def _seen(member: Member) -> list[Seen]:
    return [(int(each.kind), each.digest) for each in member.identifiers]


class InTurns:
    """A platform that is asked by several threads, and takes one batch after the other."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._turn = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._platform, name)

    def apply(self, batch: Batch) -> Receipt:
        """Take a batch, or not."""
        with self._turn:
            return self._platform.apply(batch)
