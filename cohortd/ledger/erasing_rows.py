"""What the ledger keeps of one person, found and deleted in the caller's transaction."""

import json
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import Connection

from cohortd.ledger.memberships import State

Contact = tuple[str, int, bytes]

_MEMBERS: Final = "SELECT DISTINCT key FROM suppression WHERE withdrawal = ? AND kind = 0"
#: Identifiers that are taken back and that nobody else carries or carried.
_ALONE: Final = """
    SELECT s.family, s.kind, s.key FROM suppression s
    WHERE s.withdrawal = :withdrawal AND s.kind > 0
      AND NOT EXISTS (SELECT 1 FROM remote r CROSS JOIN membership m ON m.remote = r.id
            AND m.kind = s.kind AND m.digest = s.key WHERE r.family = s.family AND m.member != :member)
      AND NOT EXISTS (SELECT 1 FROM past_membership p
            WHERE p.digest = s.key AND p.kind = s.kind AND p.member != :member)
      AND NOT EXISTS (SELECT 1 FROM co_owner c
            WHERE c.family = s.family AND c.kind = s.kind AND c.digest = s.key AND c.member != :member)
    ORDER BY s.family, s.kind, s.key
"""
_NAMED: Final = """
    SELECT family, kind, key FROM suppression WHERE withdrawal = ? AND kind > 0 AND named = 1
    ORDER BY family, kind, key
"""
_HERE: Final = "SELECT unhex(j.value) FROM json_each(?) j"
_REFUSED: Final = f"""
    DELETE FROM membership WHERE member IN ({_HERE}) AND state = {State.REJECTED:d} AND doubt = 0
"""
#: Grants that the erasure is newer than, of people and contact fields that are nobody else's.
_GRANTS: Final = """
    SELECT DISTINCT c.id FROM json_each(:keys) j CROSS JOIN consent_subject s
        ON s.subject_kind = :kind AND s.key = unhex(j.value)
        CROSS JOIN consent_record c ON c.id = s.record
    WHERE c.status = 'granted' AND c.recorded_at <= :withdrawn_at
      AND NOT EXISTS (SELECT 1 FROM withdrawal w WHERE w.id = c.id)
"""
#: Evidence is digested, and yet the person's own; the removal log has its own digest of it.
_EVIDENCE: Final = """
    UPDATE consent_record SET evidence = '' WHERE evidence != '' AND recorded_at <= :withdrawn_at
      AND id IN (SELECT s.record FROM json_each(:keys) j CROSS JOIN consent_subject s
        ON s.subject_kind = :kind AND s.key = unhex(j.value))
"""


def person(connection: Connection, withdrawal: int) -> tuple[tuple[bytes, ...], tuple[Contact, ...]]:
    """Say whom a withdrawal is about: member keys, and the identifiers that are nobody else's.

    A contact field that several people carry is no reason to erase them all: then there is no member,
    and the field alone is what is meant.
    """
    members = tuple(connection.exec_driver_sql(_MEMBERS, (withdrawal,)).scalars())
    if len(members) == 1:
        rows = connection.exec_driver_sql(_ALONE, {"withdrawal": withdrawal, "member": members[0]}).all()
    else:
        members, rows = (), connection.exec_driver_sql(_NAMED, (withdrawal,)).all()
    return members, tuple((row.family, row.kind, row.key) for row in rows)


def delete(
    connection: Connection,
    withdrawal: int,
    *,
    members: Sequence[bytes],
    contacts: Sequence[Contact],
    subjects: Sequence[tuple[str, bytes]],
    references: Collection[str],
) -> dict[str, int]:
    """Delete what is kept of a person; return what went, and how many rows.

    Args:
        subjects: (kind, key) by which consent records name the person.
        references: The same as the removal log names them.
    """
    row = connection.exec_driver_sql(
        "SELECT withdrawn_at, lifted_at FROM withdrawal WHERE id = ?", (withdrawal,)
    ).one()
    went = {"history": _history(connection, members, contacts)}
    if row.lifted_at is None:  # who consented anew since is a customer like any other
        went["refused"] = _delete(connection, _REFUSED, members)
        went["shared"] = _delete(connection, f"DELETE FROM co_owner WHERE member IN ({_HERE})", members)
    went["grants"] = _consent(connection, subjects, withdrawn_at=row.withdrawn_at)
    went["events"] = _events(connection, references)
    return {what: count for what, count in went.items() if count}


def _history(connection: Connection, members: Sequence[bytes], contacts: Sequence[Contact]) -> int:
    count = _delete(connection, f"DELETE FROM past_membership WHERE member IN ({_HERE})", members)
    for kind in sorted({kind for _, kind, _ in contacts}):
        digests = [digest for _, of, digest in contacts if of == kind]
        count += _delete(
            connection,
            f"DELETE FROM past_membership WHERE digest IN ({_HERE}) AND kind = {int(kind):d}",
            digests,
        )
    return count


def _consent(connection: Connection, subjects: Sequence[tuple[str, bytes]], *, withdrawn_at: str) -> int:
    count = 0
    for kind in sorted({kind for kind, _ in subjects}):
        keys = json.dumps([key.hex() for of, key in subjects if of == kind])
        values = {"kind": kind, "keys": keys, "withdrawn_at": withdrawn_at}
        grants = json.dumps(list(connection.exec_driver_sql(_GRANTS, values).scalars()))
        for table, column in (("consent_subject", "record"), ("consent_record", "id")):
            connection.exec_driver_sql(
                f"DELETE FROM {table} WHERE {column} IN"
                " (SELECT CAST(j.value AS INTEGER) FROM json_each(?) j)",
                (grants,),
            )
        connection.exec_driver_sql(_EVIDENCE, values)
        count += len(json.loads(grants))
    return count


def _events(connection: Connection, references: Collection[str]) -> int:
    """Take the person's names out of the events that could not be read."""
    gone, count = set(references), 0
    for row in connection.exec_driver_sql(
        "SELECT id, subjects FROM received_event WHERE fault != '' AND subjects NOT IN ('', '[]')"
    ).all():
        named = json.loads(row.subjects)
        left = [each for each in named if each not in gone]
        if len(left) < len(named):
            count += 1
            connection.exec_driver_sql(
                "UPDATE received_event SET subjects = ? WHERE id = ?", (json.dumps(left), row.id)
            )
    return count


def _delete(connection: Connection, statement: str, keys: Sequence[bytes]) -> int:
    if not keys:
        return 0
    return int(connection.exec_driver_sql(statement, (json.dumps([key.hex() for key in keys]),)).rowcount)
