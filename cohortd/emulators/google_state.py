"""What the emulated Google remembers besides audiences: the work it accepted and has yet to do.

Both APIs share audiences and accounts, as at Google. Accepted work is done in the order of its
acceptance once its time has come, whenever somebody looks; with a folder it outlives the process.
"""

import itertools
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cohortd.core.times import Clock, format_time, parse_time
from cohortd.emulators.faults import Fault, FaultKind, FaultSchedule
from cohortd.emulators.state import Audience, Row, Store

_FIRST_ID: Final = 8_000_000_001
_OPEN: Final = "open-work"
MAXIMUM_MEMBERSHIP_DAYS: Final = 540


@dataclass(frozen=True, slots=True)
class GoogleRules:
    """What may differ between rehearsals."""

    #: Seconds between accepting work and having done it; Google takes 30 minutes to a day.
    delay_s: float = 0.0
    #: Fewest people for which an audience is shown as usable.
    minimum_served: int = 100
    #: Accounts there are; None for any.
    accounts: frozenset[str] | None = None
    #: Whether the accounts' owner has accepted the customer data terms.
    terms_accepted: bool = True
    #: Whether a job that runs is still shown as one that waits to be run.
    starts_unseen: bool = False
    #: The accounts' state, as Google Ads names it.
    account_status: str = "ENABLED"
    #: Whether the Data Manager counts calls against the quotas of a Cloud project.
    quotas: bool = False
    #: Whether the accounts may still use offline user data jobs.
    jobs_allowed: bool = True
    #: Whether a job is refused while another one is at work on its list; else they run side by side.
    lists_take_turns: bool = False


@dataclass(slots=True)
class Work:
    """One accepted upload."""

    id: str
    call: str
    account: str
    audience: str
    #: add, remove or remove_all.
    action: str
    due_at: str
    rows: list[list[str]] = field(default_factory=list)
    #: Rows that were taken in but will be left out, by reason.
    left_out: dict[str, int] = field(default_factory=dict)
    #: Rows in all, and identifiers in them.
    records: int = 0
    identifiers: int = 0
    #: processing, success, partial or failed.
    status: str = "processing"
    #: When it was taken.
    accepted_at: str = ""
    #: Of remove_all: only who was last added before.
    as_of: str = ""
    #: Whether a fault put it off: what was accepted after it does not wait for it.
    late: bool = False


class GoogleState:
    """Audiences and work of all accounts; every method may be called from any thread."""

    def __init__(
        self, folder: Path | None, *, rules: GoogleRules, faults: FaultSchedule, clock: Clock
    ) -> None:
        self.store = Store(folder, first_id=_FIRST_ID)
        self.lock = self.store.lock
        self.rules = rules
        self.clock = clock
        self._faults = faults
        #: Of whom nobody knows when they were added was there before.
        self._started = format_time(clock())
        self._jobs = itertools.count(1 + self._kept_number("next-job"))

    def audience(self, account: str, audience_id: str) -> Audience | None:
        """Find an audience, if it is the account's own."""
        found = self.store.get(audience_id)
        return found if found is not None and found.account == account else None

    def is_name_taken(self, account: str, name: str, *, but: str = "") -> bool:
        """Whether another audience of the account has the name already."""
        return any(each.name == name and each.id != but for each in self.store.audiences(account))

    def new_id(self) -> str:
        """Name a request so that it cannot be guessed."""
        return uuid.uuid4().hex

    def new_job_id(self) -> str:
        """Number a job."""
        with self.lock:
            number = next(self._jobs)
            self.store.keep("next-job", number)
            return str(number)

    def accept(self, work: Work) -> None:
        """Take work in; its time comes after the delay of the rules."""
        with self.lock:
            work.accepted_at = format_time(self.clock())
            self.store.keep(f"work-{work.id}", asdict(work))
            self.store.keep(_OPEN, [*self._open(), work.id])

    def due_at(self) -> str:
        """When work that is accepted now will have been done."""
        return format_time(self.clock() + timedelta(seconds=self.rules.delay_s))

    def work(self, work_id: str) -> Work | None:
        """Say how a piece of work stands."""
        self.settle()
        with self.lock:
            kept = self.store.kept(f"work-{work_id}")
            return Work(**kept) if isinstance(kept, dict) else None

    def is_at_work(self, audience_id: str) -> bool:
        """Whether a job is at work on an audience."""
        self.settle()
        return any(
            work.audience == audience_id and work.call == "ads.jobs"
            for work in map(self.work, self._open())
            if work is not None
        )

    def settle(self) -> None:
        """Do all work whose time has come, oldest first; then forget whose membership has run out."""
        with self.lock:
            still_open = []
            now = self.clock()
            waiting = False
            for work_id in self._open():
                kept = self.store.kept(f"work-{work_id}")
                work = Work(**kept) if isinstance(kept, dict) else None
                if work is None:
                    continue
                waiting = waiting or (_is_later(work.due_at, now) and not work.late)
                is_due = not _is_later(work.due_at, now) and (work.late or not waiting)
                if not (is_due and self._try(work, now)):
                    still_open.append(work_id)
            if len(still_open) != len(self._open()):
                self.store.keep(_OPEN, still_open)
            self._expire(now)

    def job(self, job_id: str) -> dict[str, object] | None:
        """Give back an offline user data job."""
        kept = self.store.kept(f"job-{job_id}")
        return dict(kept) if isinstance(kept, dict) else None

    def keep_job(self, job_id: str, job: Mapping[str, object]) -> None:
        """Keep an offline user data job."""
        self.store.keep(f"job-{job_id}", dict(job))

    def _expire(self, now: datetime) -> None:
        """A membership counts from its most recent addition."""
        for audience in self.store.audiences():
            days = int(str(audience.attributes.get("membership_days") or MAXIMUM_MEMBERSHIP_DAYS))
            self.store.expire(audience.id, before=format_time(now - timedelta(days=days)))

    def _try(self, work: Work, now: datetime) -> bool:
        """Do a piece of work, unless a fault puts it off; whether it is done."""
        fault = None if work.late else self._faults.next(f"{work.call.partition('.')[0]}.processing")
        if fault is not None and fault.kind is FaultKind.LATE:
            work.late, work.due_at = True, format_time(now + timedelta(seconds=fault.delay_s))
            self.store.keep(f"work-{work.id}", asdict(work))
            return False
        self._do(work, fault)
        return True

    def _do(self, work: Work, fault: Fault | None) -> None:
        if self.store.get(work.audience) is None:
            work.status, work.rows = "failed", []
            self.store.keep(f"work-{work.id}", asdict(work))
            return
        rows = _spared(work, fault)
        if work.action == "add":
            self.store.add(work.audience, rows, at=work.accepted_at)
        elif work.action == "remove":
            self.store.remove(work.audience, rows)
        else:
            self.store.remove(work.audience, [self._older(work)])
        self.store.update(work.audience, attributes={"computed": True})
        taken = len(rows) or (work.action == "remove_all")
        work.status = "success" if not work.left_out else ("partial" if taken else "failed")
        work.rows = []
        self.store.keep(f"work-{work.id}", asdict(work))

    def _older(self, work: Work) -> Row:
        """Everybody who was last added before the time that a remove_all names; all without one."""
        members = self.store.members(work.audience)
        if not work.as_of:
            return members
        found = self.store.get(work.audience)
        assert found is not None
        at = found.people.last_added
        return frozenset(each for each in members if (at(each) or self._started) < work.as_of)

    def _open(self) -> list[str]:
        kept = self.store.kept(_OPEN)
        return [str(each) for each in kept] if isinstance(kept, list) else []

    def _kept_number(self, name: str) -> int:
        kept = self.store.kept(name)
        return kept if isinstance(kept, int) else 0


def _spared(work: Work, fault: Fault | None) -> list[Row]:
    """The rows that a fault lets through."""
    rows = [frozenset(row) for row in work.rows]
    if fault is None or fault.kind not in (FaultKind.ERROR, FaultKind.HALF_APPLY):
        return rows
    share = fault.share if fault.kind is FaultKind.HALF_APPLY else 0.0
    kept = round(len(rows) * share)
    reason = str(fault.code or "INTERNAL_ERROR")
    work.left_out[reason] = work.left_out.get(reason, 0) + len(rows) - kept
    return rows[:kept]


def _is_later(time: str, now: datetime) -> bool:
    return parse_time(time) > now
