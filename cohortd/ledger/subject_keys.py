"""A key of each person in the removal log: whoever erases it makes their entries nobody's.

A subject's reference is the keyed hash by which the rest of the ledger knows them; their name in the log
is made with their own random key, so that no secret and no guess leads to it once the key is gone.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Connection

from cohortd.core.errors import LedgerError
from cohortd.core.removals import CONCEALED, KEYED_SINCE, RemovalEntry, Sealer
from cohortd.ledger.batches import OPEN

#: Stands where words of a person were whose key is gone.
FORGOTTEN: Final = "forgotten"
_KEY_BYTES: Final = 32
_NAME_DIGITS: Final = 32
#: Two look-ups, since an OR over two columns would use no index.
_FIND: Final = """
    SELECT s.ref, s.name, s.key FROM json_each(:asked) j CROSS JOIN removal_subject s ON s.ref = j.value
    UNION SELECT s.ref, s.name, s.key FROM json_each(:asked) j
        CROSS JOIN removal_subject s ON s.name = j.value
"""
_STILL_OPEN: Final = f"""
    SELECT 1 FROM json_each(?) j CROSS JOIN withdrawal w ON w.subject_ref = j.value
        CROSS JOIN batch_item i ON i.withdrawal = w.id CROSS JOIN batch b ON b.id = i.batch AND b.{OPEN}
    LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the log."""

    #: The keyed hash by which the rest of the ledger knows them.
    ref: str
    #: What the log calls them.
    name: str
    key: bytes = field(repr=False)

    def entry_key(self, record_id: str) -> bytes:
        """The key of one entry's words: handing it out opens no other entry."""
        return hmac.digest(self.key, b"entry " + record_id.encode(), hashlib.sha256)


def find(connection: Connection, asked: Collection[str]) -> list[Person]:
    """Return who has a key, by references or names in the log."""
    if not asked:
        return []
    rows = connection.exec_driver_sql(_FIND, {"asked": json.dumps(sorted(asked))})
    return [Person(row.ref, row.name, row.key) for row in rows]


def ensure(connection: Connection, refs: Collection[str]) -> Mapping[str, Person]:
    """Return everybody's key by reference; whoever has none, or none any more, gets a new one."""
    found = {person.ref: person for person in find(connection, refs) if person.ref in refs}
    new = [_made(ref) for ref in sorted(set(refs) - set(found))]
    if new:
        connection.exec_driver_sql(
            "INSERT INTO removal_subject (ref, name, key) VALUES (?, ?, ?)",
            [(person.ref, person.name, person.key) for person in new],
        )
    return found | {person.ref: person for person in new}


def forget(connection: Connection, subjects: Collection[str]) -> int:
    """Erase the keys of subjects, by references or names; return how many had one.

    Raises:
        LedgerError: A removal of one of them is not confirmed yet: what comes of it could not be told.
    """
    people = find(connection, subjects)
    refs = json.dumps(sorted({*subjects, *(person.ref for person in people)}))
    if connection.exec_driver_sql(_STILL_OPEN, (refs,)).first() is not None:
        raise LedgerError("a removal of this person is still under way: forget them once it has ended")
    for person in people:
        # Written over first: a row that is merely deleted lies in its page until that is used again.
        connection.exec_driver_sql(
            "UPDATE removal_subject SET name = ?, key = ? WHERE ref = ?",
            (secrets.token_hex(_NAME_DIGITS // 2), bytes(_KEY_BYTES), person.ref),
        )
        connection.exec_driver_sql("DELETE FROM removal_subject WHERE ref = ?", (person.ref,))
    return len(people)


def concealed(line: Mapping[str, object], person: Person, sealer: Sealer) -> dict[str, object]:
    """Return the fields of a line that name a person, as they are sealed."""
    key = person.entry_key(str(line["record_id"]))
    hidden = {name: sealer.conceal(key, str(line[name])) for name in CONCEALED if line[name]}
    return {"subject": person.name, **hidden}


def named(connection: Connection, entries: Iterable[RemovalEntry]) -> list[RemovalEntry]:
    """Call people in entries from before there were keys what newer entries call them."""
    page = list(entries)
    old = {entry.subject for entry in page if entry.schema_version < KEYED_SINCE}
    names = {person.ref: person.name for person in find(connection, old)}
    if not names:
        return page
    return [_renamed(entry, names) for entry in page]


def opened(connection: Connection, entries: Iterable[RemovalEntry], sealer: Sealer) -> list[RemovalEntry]:
    """Return entries as people read them: one name a person, and their words while their key is there."""
    page = named(connection, entries)
    people = {person.name: person for person in find(connection, {entry.subject for entry in page})}
    return [_opened(entry, people.get(entry.subject), sealer) for entry in page]


def openings(connection: Connection, entries: Sequence[RemovalEntry]) -> list[str]:
    """Return for each entry the key that opens its words and no other's, hex; or nothing."""
    people = {person.name: person for person in find(connection, {entry.subject for entry in entries})}
    return [
        people[entry.subject].entry_key(entry.record_id).hex()
        if entry.schema_version >= KEYED_SINCE and entry.subject in people
        else ""
        for entry in entries
    ]


def _made(ref: str) -> Person:
    key = secrets.token_bytes(_KEY_BYTES)
    return Person(ref, hmac.digest(key, b"subject", hashlib.sha256).hex()[:_NAME_DIGITS], key)


def _renamed(entry: RemovalEntry, names: Mapping[str, str]) -> RemovalEntry:
    is_old = entry.schema_version < KEYED_SINCE
    return replace(entry, subject=names[entry.subject]) if is_old and entry.subject in names else entry


def _opened(entry: RemovalEntry, person: Person | None, sealer: Sealer) -> RemovalEntry:
    if entry.schema_version < KEYED_SINCE:
        return entry
    key = None if person is None else person.entry_key(entry.record_id)
    told = {name: _told(getattr(entry, name), key, sealer) for name in CONCEALED}
    return replace(entry, source=told["source"], evidence=told["evidence"])


def _told(concealed: str, key: bytes | None, sealer: Sealer) -> str:
    found = sealer.reveal(key, concealed) if concealed and key is not None else None
    return FORGOTTEN if concealed and found is None else found or ""
