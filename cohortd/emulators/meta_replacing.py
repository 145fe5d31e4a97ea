"""Meta's rules for ``/{audience}/usersreplace``: one at a time, first batch first, 90 minutes in all."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from cohortd.emulators import meta_errors as errors
from cohortd.emulators.meta_errors import invalid
from cohortd.emulators.meta_users import Payload, SessionPart

REPLACE_OPEN_FOR = timedelta(minutes=90)

#: What ``operation_status`` says of it.
RUNNING, FAILED = 414, 415

Standing = Literal["none", "running", "failed"]


@dataclass(slots=True)
class _Replacement:
    audience_id: str
    schema: tuple[str, ...]
    opened_at: datetime
    seen: set[int] = field(default_factory=set)
    received: int = 0
    finished: bool = False


@dataclass(slots=True)
class Replacements:
    """The replacements of one ad account."""

    _sessions: dict[int, _Replacement] = field(default_factory=dict)
    #: Audience -> the session of its newest replacement.
    _newest: dict[str, int] = field(default_factory=dict)

    def standing(self, audience_id: str, at: datetime) -> Standing:
        """How the newest replacement of an audience stands; one that ran out of time failed."""
        session = self._sessions.get(self._newest.get(audience_id, 0))
        if session is None or session.finished:
            return "none"
        return "failed" if at - session.opened_at > REPLACE_OPEN_FOR else "running"

    def forget(self, audience_id: str) -> None:
        """An upload to /users ends a failed replacement: the audience is in its normal state again."""
        self._newest.pop(audience_id, None)

    def enter(
        self, part: SessionPart, payload: Payload, *, audience_id: str, at: datetime
    ) -> tuple[bool, int]:
        """Count one batch in.

        Returns:
            Whether it is the first one, which deletes everybody, and the rows received so far.

        Raises:
            GraphError: The batch does not fit the session, or another replacement runs.
        """
        session = self._sessions.get(part.session_id)
        if session is None:
            return self._begin(part, payload, audience_id=audience_id, at=at)
        if session.audience_id != audience_id:
            raise invalid("session_id is used by another upload of this ad account")
        if session.finished:
            raise errors.replace_over()
        if at - session.opened_at > REPLACE_OPEN_FOR:
            raise errors.replace_timed_out()
        if part.batch_seq == 1:
            raise invalid("The first batch of this session_id was sent before")
        if session.schema != payload.schema:
            raise invalid("The schema must stay the same within a session")
        if part.batch_seq not in session.seen:  # another time it changes nothing
            session.received += payload.received
        return False, self._count(session, part)

    def _begin(
        self, part: SessionPart, payload: Payload, *, audience_id: str, at: datetime
    ) -> tuple[bool, int]:
        if self.standing(audience_id, at) != "none":
            raise errors.replace_running()
        if part.batch_seq != 1:
            raise errors.replace_not_begun()
        session = _Replacement(audience_id, payload.schema, at, received=payload.received)
        self._sessions[part.session_id] = session
        self._newest[audience_id] = part.session_id
        return True, self._count(session, part)

    def _count(self, session: _Replacement, part: SessionPart) -> int:
        session.seen.add(part.batch_seq)
        session.finished = part.is_last
        return session.received
