"""What can become of a call to the emulated Google: an answer, a refusal, or silence."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cohortd.emulators.calls import STATUS_OF_HTTP
from cohortd.emulators.faults import Fault, FaultKind, FaultSchedule


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request."""

    #: The platform's own code: a Data Manager reason, or ``family.NAME`` at Google Ads.
    code: str
    #: Where: a field path.
    field: str = ""
    #: Which operation, at Google Ads.
    index: int | None = None


class RefusedError(Exception):
    """The platform says no."""

    def __init__(self, status: str, *problems: Problem, retry_after_s: float | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.problems = problems
        self.retry_after_s = retry_after_s
        #: The limit that was met, as the Data Manager names it.
        self.quota_limit = ""


class SilenceError(Exception):
    """The connection closes without an answer."""


class PageError(Exception):
    """Something in between answers with a page of its own (HTTP only)."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Words:
    """How one of the two APIs says common things."""

    quota: str
    token_expired: str
    internal: str
    #: Says what is wrong, with the row it is about if any.
    problem: Callable[[str, int | None], Problem]
    #: Puts a warning of a code about a row into an answer.
    warn: Callable[[Any, str, int], None]


@dataclass(slots=True)
class Switchboard:
    """Counts every call and lets the fault schedule have its way with it."""

    faults: FaultSchedule
    stopping: threading.Event = field(default_factory=threading.Event)
    #: Calls by name, those that failed included.
    calls: Counter[str] = field(default_factory=Counter)

    def put_through(self, name: str, request: Any, handler: Callable[[Any], Any], *, words: Words) -> Any:
        """Answer one call.

        Raises:
            RefusedError: The platform says no, or the schedule does.
            SilenceError: The schedule closes the connection.
            PageError: The schedule answers with a page.
        """
        self.calls[name] += 1
        fault = self.faults.next(name)
        if fault is None:
            return handler(request)
        if fault.delay_s:
            self.stopping.wait(fault.delay_s)
        return self._go_wrong(fault, request, handler, words)

    def _go_wrong(self, fault: Fault, request: Any, handler: Callable[[Any], Any], words: Words) -> Any:
        match fault.kind:
            case FaultKind.DELAY | FaultKind.LATE:
                return handler(request)
            case FaultKind.WARN:
                answer = handler(request)
                words.warn(answer, str(fault.code or ""), fault.row or 0)
                return answer
            case FaultKind.DROP_BEFORE:
                raise SilenceError
            case FaultKind.DROP_AFTER:
                handler(request)
                raise SilenceError
            case FaultKind.QUOTA:
                raise _quota(fault, words)
            case FaultKind.TOKEN_EXPIRED:
                raise RefusedError("UNAUTHENTICATED", Problem(words.token_expired))
            case FaultKind.HALF_APPLY | FaultKind.ERROR:
                _apply_part(fault, request, handler)
                raise _error(fault, words)


def _error(fault: Fault, words: Words) -> Exception:
    if fault.body is not None:
        return PageError(fault.status if isinstance(fault.status, int) else 503, fault.body)
    status = (
        fault.status
        if isinstance(fault.status, str)
        else STATUS_OF_HTTP.get(fault.status or 503, "UNKNOWN")
    )
    if fault.code is not None:
        return RefusedError(status, words.problem(str(fault.code), fault.row))
    return RefusedError(status, Problem(words.internal)) if status == "INTERNAL" else RefusedError(status)


def _quota(fault: Fault, words: Words) -> RefusedError:
    refused = RefusedError("RESOURCE_EXHAUSTED", Problem(words.quota), retry_after_s=fault.retry_after_s)
    refused.quota_limit = str(fault.code or "IngestionMutateRequestsPerMinutePerProject")
    return refused


def _apply_part(fault: Fault, request: Any, handler: Callable[[Any], Any]) -> None:
    if fault.kind is not FaultKind.HALF_APPLY:
        return
    part = type(request)()
    part.CopyFrom(request)
    for name in ("audience_members", "operations"):
        if name in part.DESCRIPTOR.fields_by_name:
            rows = getattr(part, name)
            del rows[round(len(rows) * fault.share) :]
            if rows:
                handler(part)
