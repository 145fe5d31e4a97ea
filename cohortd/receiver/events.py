"""An event's bytes, read into what was said of whom."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cohortd.core.consenting import ConsentStatus
from cohortd.core.times import parse_time
from cohortd.receiver.paths import HALVES, find, text_of, texts
from cohortd.receiver.shapes import EventShape

#: No event that is meant seriously has tables within tables so deep.
MOST_DEPTH: Final = 32
#: More names in one event would be no event about a person.
MOST_NAMED: Final = 50
MOST_PURPOSES: Final = 200
_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_MILLISECONDS_FROM: Final = 1e11
_STATUSES: Final = {"true": "granted", "false": "denied"} | {str(s): str(s) for s in ConsentStatus}
_YES: Final = frozenset({"1", "true", "t", "yes", "y", "confirmed"})


@dataclass(frozen=True, slots=True, repr=False)
class Named:
    """Whom an event names, as it came: contact data, never to be shown or kept."""

    customer_ids: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether it names anybody."""
        return bool(self.customer_ids or self.emails or self.phones)


@dataclass(frozen=True, slots=True)
class Said:
    """One statement of an event."""

    status: ConsentStatus
    #: None where the event bears no readable time.
    recorded_at: datetime | None
    purpose: str = ""
    platform: str = ""
    regulation: str = ""
    legal_basis: str = ""
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read of an event; with a fault, nothing of what was said is to be relied on."""

    named: Named = field(default_factory=Named, repr=False)
    said: tuple[Said, ...] = ()
    event_id: str = ""
    #: Why it cannot be taken as it is, in our words alone; empty where it can.
    fault: str = ""


def read_event(raw: bytes, shape: EventShape) -> Reading:
    """Read an event; whatever it holds, this raises nothing."""
    event = _parsed(raw)
    if isinstance(event, str):
        return Reading(fault=event)
    named = _named(event, shape)
    event_id = next(iter(texts(event, shape.event_id)), "")[:200]
    if not named:
        return Reading(event_id=event_id, fault="it names nobody")
    if sum(map(len, (named.customer_ids, named.emails, named.phones))) > MOST_NAMED:
        return Reading(named, (), event_id, "it names too many at once")
    said = _said(event, shape)
    if HALVES.search(json.dumps(event, ensure_ascii=False)):
        said = "it holds halves of characters"
    if isinstance(said, str):
        return Reading(named, (), event_id, said)
    return Reading(named, said, event_id)


def _parsed(raw: bytes) -> "dict[str, object] | str":
    """Parse JSON strictly: what two parsers may read differently is no event."""
    if _depth(raw) > MOST_DEPTH:
        return "it is nested too deep"
    try:
        found = json.loads(raw.decode("utf-8"), object_pairs_hook=_table, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return "it is no JSON"
    return found if isinstance(found, dict) else "it is no JSON object"


def _depth(raw: bytes) -> int:
    depth = deepest = 0
    for token in _TOKENS.finditer(raw):
        first = token[0][:1]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in b"]}":
            depth -= 1
    return deepest


def _table(pairs: "list[tuple[str, object]]") -> dict[str, object]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a key stands twice")
    return table


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


def _named(event: object, shape: EventShape) -> Named:
    """Read whom it names; an id that is an e-mail address is one."""
    ids = texts(event, shape.customer_id)
    emails = [*texts(event, shape.email), *(each for each in ids if "@" in each)]
    return Named(
        tuple(dict.fromkeys(each for each in ids if "@" not in each)),
        tuple(dict.fromkeys(emails)),
        tuple(dict.fromkeys(texts(event, shape.phone))),
    )


def _said(event: object, shape: EventShape) -> "tuple[Said, ...] | str":
    recorded_at = _time(find(event, shape.recorded_at))
    if _is_any(event, shape.revoking):
        # Whatever it was granted under: a person who is deleted there is granted nothing here.
        return (Said(ConsentStatus.REVOKED, recorded_at),)
    statements = list(_statements(event, shape))
    if not statements:
        return "it says nothing of any purpose"
    if len(statements) > MOST_PURPOSES:
        return "it says too much at once"
    if _is_other(event, shape.grants_need):
        statements = [each for each in statements if each[1] is not ConsentStatus.GRANTED]
    platform = ",".join(texts(event, shape.platform)).lower()
    regulation = next(iter(texts(event, shape.regulation)), shape.regulation_else)
    confirmed = any(text.lower() in _YES for text in texts(event, shape.confirmed))
    said = tuple(
        Said(
            status,
            recorded_at,
            _ours(purpose, shape.purpose_names),
            platform,
            _ours(regulation, shape.regulations),
            _basis(event, shape, purpose),
            confirmed,
        )
        for purpose, status in statements
    )
    return next((lack for each in said if (lack := _lacks(each, shape))), said)


def _lacks(said: Said, shape: EventShape) -> str:
    """Say what a grant lacks that its sender otherwise says: left blank, it would count for everything."""
    if said.status is not ConsentStatus.GRANTED:
        return ""
    if said.recorded_at is None:
        return "a grant bears no readable time"
    if not said.purpose and (shape.purposes or shape.purpose):
        return "a grant names no purpose"
    if not said.platform and shape.platform:
        return "a grant names no platform"
    if not said.regulation and shape.regulation:
        return "a grant names no regulation"
    return ""


def _statements(event: object, shape: EventShape) -> Iterator[tuple[str, ConsentStatus]]:
    for found in find(event, shape.purposes):
        if isinstance(found, dict):
            for purpose, status in found.items():
                below = status.get(shape.status_key) if isinstance(status, dict) else status
                yield text_of(purpose), _status(below, shape)
        for each in found if isinstance(found, list) else ():
            if isinstance(each, dict):
                yield text_of(each.get(shape.purpose_key)), _status(each.get(shape.status_key), shape)
    for status in find(event, shape.status):
        purposes = texts(event, shape.purpose)
        yield ",".join(purposes), _status(status, shape)


def _status(value: object, shape: EventShape) -> ConsentStatus:
    """Read a status; one that nobody knows may be a no in other words, and is taken for one."""
    word = text_of(value).lower()
    known = _STATUSES | {theirs.lower(): ours for theirs, ours in shape.statuses.items()}
    return ConsentStatus(known.get(word, ConsentStatus.DENIED))


def _basis(event: object, shape: EventShape, purpose: str) -> str:
    for found in find(event, shape.legal_basis):
        value = found.get(purpose) if isinstance(found, dict) else found
        return _ours(text_of(value), shape.legal_bases)
    return ""


def _ours(word: str, names: Mapping[str, str]) -> str:
    lowered = word.strip().lower()
    return {theirs.lower(): ours for theirs, ours in names.items()}.get(lowered, lowered).lower()


def _is_any(event: object, words: "Mapping[str, tuple[str, ...]]") -> bool:
    return any(text in wanted for path, wanted in words.items() for text in texts(event, (path,)))


def _is_other(event: object, words: "Mapping[str, tuple[str, ...]]") -> bool:
    return any(text not in wanted for path, wanted in words.items() for text in texts(event, (path,)))


def _time(found: "list[object]") -> datetime | None:
    """Read the first time: ISO 8601, or Unix seconds or milliseconds."""
    text = text_of(found[0]) if found and not isinstance(found[0], bool) else ""
    try:
        if re.fullmatch(r"\d+(\.\d+)?", text):
            number = float(text)
            return datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS_FROM else number, UTC)
        return parse_time(text) if text else None
    except (ValueError, OverflowError, OSError):
        return None
