"""Meta's rules for uploads to ``/{audience}/users``: payload, hashes, upload sessions."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cohortd.emulators.meta_errors import GraphError, invalid, mismatch
from cohortd.emulators.state import Row

MAX_ROWS = 10_000
MAX_SAMPLES = 100
SESSION_OPEN_FOR = timedelta(minutes=90)
_LARGEST_SESSION_ID = 2**63 - 1

#: The keys by which a row finds its person; the others only help to match.
IDENTIFIER_KEYS = {"EMAIL": "email", "PHONE": "phone", "MADID": "mobile_ad_id", "EXTERN_ID": "external_id"}
_PROFILE_KEYS = frozenset({"GEN", "DOBY", "DOBM", "DOBD", "LN", "FN", "FI", "CT", "ST", "ZIP", "COUNTRY"})
#: Not among the keys of a replacement in Meta's guide.
_NOT_REPLACEABLE = "EXTERN_ID"
_HASHED_KEYS = _PROFILE_KEYS | {"EMAIL", "PHONE"}
_KEYS = _HASHED_KEYS | {"MADID", "EXTERN_ID"}
_SINGLE = {"EMAIL_SHA256": "EMAIL", "PHONE_SHA256": "PHONE", "MOBILE_ADVERTISER_ID": "MADID"}
_HEX = re.compile(r"[0-9a-f]{64}")
_MADID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HASH_OF_NOTHING = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Payload:
    """One upload, checked."""

    schema: tuple[str, ...]
    #: Whether the schema was a list: one audience takes one of the two kinds only.
    is_multi_key: bool
    rows: list[Row]
    received: int
    #: How many rows held something that is no valid hash or id; they are left out.
    invalid: int
    samples: list[str]


@dataclass(frozen=True, slots=True)
class SessionPart:
    """The ``session`` parameter, checked."""

    session_id: int
    batch_seq: int
    is_last: bool


@dataclass(slots=True)
class _Session:
    audience_id: str
    schema: tuple[str, ...]
    method: str
    opened_at: datetime
    next_seq: int = 1
    received: int = 0
    finished: bool = False


@dataclass(slots=True)
class Sessions:
    """The upload sessions of one ad account."""

    _sessions: dict[int, _Session] = field(default_factory=dict)

    def knows(self, session_id: int) -> bool:
        """Whether an upload of this ad account had the number."""
        return session_id in self._sessions

    def enter(
        self, part: SessionPart, payload: Payload, *, audience_id: str, method: str, at: datetime
    ) -> tuple[bool, int]:
        """Count one batch in.

        Returns:
            Whether the batch counts (not so when the session is over: it is silently discarded),
            and the rows received in the session so far.

        Raises:
            GraphError: The batch does not fit the session.
        """
        session = self._sessions.get(part.session_id)
        if session is None:
            session = _Session(audience_id, payload.schema, method, at)
        elif session.finished or at - session.opened_at > SESSION_OPEN_FOR:
            return False, session.received
        if (session.audience_id, session.method) != (audience_id, method):
            raise invalid("session_id is used by another upload of this ad account")
        if session.schema != payload.schema:
            raise invalid("The schema must stay the same within a session")
        if part.batch_seq != session.next_seq:
            raise invalid(f"batch_seq must be {session.next_seq}: batches are numbered from 1 without gaps")
        self._sessions[part.session_id] = session
        session.next_seq += 1
        session.received += payload.received
        session.finished = part.is_last
        return True, session.received


def read_payload(text: str | None) -> Payload:
    """Check the ``payload`` parameter.

    Raises:
        GraphError: It is not as documented.
    """
    value = _object(text)
    schema, is_multi_key = _schema(value.get("schema"))
    data = value.get("data")
    if not isinstance(data, list) or not data:
        raise mismatch()
    if len(data) > MAX_ROWS:
        raise invalid(f"A request holds at most {MAX_ROWS} rows")
    rows, samples = [], []
    for entry in data:
        cells = _cells(entry, len(schema), is_multi_key=is_multi_key)
        wrong = [cell for key, cell in zip(schema, cells, strict=True) if not _is_valid(key, cell)]
        if wrong:
            samples.append(wrong[0])
            continue
        rows.append(_row(schema, cells))
    return Payload(schema, is_multi_key, rows, len(data), len(samples), samples[:MAX_SAMPLES])


def check_replaceable(payload: Payload) -> None:
    """Refuse keys that a replacement does not take.

    Raises:
        GraphError: One is among them.
    """
    if _NOT_REPLACEABLE in payload.schema:
        raise GraphError(100, f"Unknown schema keys: {_NOT_REPLACEABLE}")


def read_session(text: str | None) -> SessionPart | None:
    """Check the ``session`` parameter; None where there is none.

    Raises:
        GraphError: It is not as documented.
    """
    if text is None:
        return None
    value = _object(text)
    session_id, seq = value.get("session_id"), value.get("batch_seq")
    last = value.get("last_batch_flag", False)
    if not isinstance(session_id, int) or not 0 < session_id <= _LARGEST_SESSION_ID:
        raise invalid("session_id must be a positive 64-bit integer")
    if not isinstance(seq, int) or seq < 1:
        raise invalid("batch_seq must be an integer from 1")
    if not isinstance(last, bool):
        raise invalid("last_batch_flag must be a boolean")
    return SessionPart(session_id, seq, last)


def _object(text: str | None) -> Mapping[str, object]:
    try:
        value = json.loads(text or "")
    except ValueError:
        raise mismatch() from None
    if not isinstance(value, dict):
        raise mismatch()
    return value


def _schema(value: object) -> tuple[tuple[str, ...], bool]:
    if isinstance(value, str) and value in _SINGLE:
        return (_SINGLE[value],), False
    if not isinstance(value, list) or not value or len(set(map(str, value))) != len(value):
        raise mismatch()
    unknown = [str(key) for key in value if key not in _KEYS]
    if unknown:
        raise GraphError(100, f"Unknown schema keys: {', '.join(unknown)}")
    return tuple(value), True


def _cells(entry: object, width: int, *, is_multi_key: bool) -> list[str]:
    cells = [entry] if not is_multi_key and isinstance(entry, str) else entry
    if not isinstance(cells, list) or len(cells) != width:
        raise mismatch()
    if not all(isinstance(cell, str) for cell in cells):
        raise mismatch()
    return cells


def _is_valid(key: str, cell: str) -> bool:
    if not cell:
        return True
    if key == "MADID":
        return _MADID.fullmatch(cell) is not None
    if key == "EXTERN_ID":
        return True
    return _HEX.fullmatch(cell) is not None and cell != _HASH_OF_NOTHING


def _row(schema: tuple[str, ...], cells: list[str]) -> Row:
    named = zip(schema, cells, strict=True)
    return frozenset(
        f"{IDENTIFIER_KEYS[key]}:{cell}" for key, cell in named if cell and key in IDENTIFIER_KEYS
    )
