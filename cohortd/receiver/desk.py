"""What a request is answered, in the order in which things are looked at."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from math import ceil
from typing import Final

import structlog

from cohortd.core.errors import CohortdError
from cohortd.core.times import now_utc
from cohortd.receiver.pacing import Pace
from cohortd.receiver.signatures import Auth, authenticate

#: How long a sender waits that could not be served because of us; seconds.
AGAIN_AFTER_S: Final = 30
#: How long one waits of whose events too many are being taken in.
BUSY_S: Final = 1
#: Of refused signatures, no more than this many a minute are told of in the log.
_TOLD_A_MINUTE: Final = 6
log = structlog.get_logger()


class Verdict(StrEnum):
    """What became of an authentic event; each is durable."""

    TAKEN = "taken"
    KNOWN = "known"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Received:
    """An authentic event, unread."""

    source: str
    #: As a header names it, or empty.
    event_id: str
    raw: bytes = field(repr=False)


#: Takes an event; where it returns, what came of it is committed.
Take = Callable[[Received], Verdict]


@dataclass(frozen=True, slots=True)
class Inlet:
    """Where one sender sends to."""

    source: str
    path: str
    auth: Auth


@dataclass(frozen=True, slots=True)
class ReceiverLimits:
    """What is too much."""

    most_bytes: int
    most_a_minute: int
    connections: int = 32
    #: Seconds in which a whole request must be there.
    whole_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender is told: a status, and a word."""

    status: HTTPStatus
    said: str
    #: When to come again, in seconds; 0 for no advice.
    after_s: int = 0


class Desk:
    """Answers requests, from any thread."""

    def __init__(
        self,
        inlets: Sequence[Inlet],
        *,
        take: Take,
        limits: ReceiverLimits,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        """Answer at these paths."""
        self.limits = limits
        self._inlets = {inlet.path: inlet for inlet in inlets}
        self._paces = {inlet.path: Pace(limits.most_a_minute) for inlet in inlets}
        # Events are taken in one after the other: while those of one source wait for their turn, there is
        # room for the others'.
        most_at_once = max(1, limits.connections // (len(inlets) + 1))
        self._turns = {inlet.path: threading.BoundedSemaphore(most_at_once) for inlet in inlets}
        self._told = Pace(_TOLD_A_MINUTE)
        self._take, self._clock = take, clock

    def answer(self, path: str, headers: Mapping[str, str], body: Callable[[int], bytes]) -> Answer:
        """Answer a POST.

        The body is read only where its size is known and allowed, and nothing of it is looked at before
        the sender is proven. The pace is kept of proven senders alone, so that nobody else can use it up.

        Args:
            path: As it was asked for.
            headers: By their names in lower case.
            body: Reads so many bytes, or fewer where the sender ends before.
        """
        inlet = self._inlets.get(path)
        if inlet is None:
            return Answer(HTTPStatus.NOT_FOUND, "nothing is taken here")
        unfit = self._unfit(headers)
        if unfit is not None:
            return unfit
        length = int(headers["content-length"])
        raw = body(length)
        if len(raw) < length:
            return Answer(HTTPStatus.BAD_REQUEST, "the body is shorter than it says")
        authentic = authenticate(inlet.auth, headers, raw, now=self._clock())
        if authentic is None:
            self._tell_refused(inlet)
            return Answer(HTTPStatus.UNAUTHORIZED, "the sender is not proven")
        wait_s = self._paces[path].wait_s()
        if wait_s:
            return Answer(HTTPStatus.TOO_MANY_REQUESTS, "too many at once", ceil(wait_s))
        return self._in_turn(path, Received(inlet.source, authentic.event_id[:200], raw))

    def _unfit(self, headers: Mapping[str, str]) -> Answer | None:
        length = headers.get("content-length", "")
        if "transfer-encoding" in headers or not length:
            return Answer(HTTPStatus.LENGTH_REQUIRED, "Content-Length is needed, and nothing else")
        if not (length.isascii() and length.isdigit()):
            return Answer(HTTPStatus.BAD_REQUEST, "Content-Length is no number")
        if len(length) > 12 or int(length) > self.limits.most_bytes:  # noqa: PLR2004 - digits of a terabyte
            return Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {self.limits.most_bytes} bytes")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
        if not is_json or headers.get("content-encoding", "identity").strip().lower() != "identity":
            return Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "JSON is taken, as it is")
        return None

    def _in_turn(self, path: str, received: Received) -> Answer:
        if not self._turns[path].acquire(blocking=False):
            return Answer(HTTPStatus.TOO_MANY_REQUESTS, "too many at once", BUSY_S)
        try:
            return self._taken(received)
        finally:
            self._turns[path].release()

    def _taken(self, received: Received) -> Answer:
        try:
            verdict = self._take(received)
        except CohortdError as error:
            log.warning("consent_event_not_taken", source=received.source, reason=str(error))
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE, "not now", AGAIN_AFTER_S)
        status = HTTPStatus.ACCEPTED if verdict is Verdict.PARKED else HTTPStatus.OK
        return Answer(status, verdict.value)

    def _tell_refused(self, inlet: Inlet) -> None:
        if not self._told.wait_s():
            log.warning("consent_event_refused", source=inlet.source, reason="the sender is not proven")
