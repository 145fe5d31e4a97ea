"""What a comparison asks the ledger, a range of keys at a time."""

from typing import Final

from sqlalchemy import Connection

from cohortd.core.identifiers import DIGEST_BYTES, MEMBER_KEY_BYTES, IdentifierKind
from cohortd.ledger.batches import OPEN
from cohortd.ledger.dialects import postgresql_scan, sqlite_scan
from cohortd.ledger.keys import Words, distinct, words_of
from cohortd.ledger.sent import END, RANGE, WHERE, Range, Scan, Sent
from cohortd.ledger.suppressions import MEMBER

_SCANS: Final[dict[str, Scan]] = {"sqlite": sqlite_scan.scan, "postgresql": postgresql_scan.scan}
_TAKEN_BACK: Final = f"""
    SELECT i.digest FROM batch b CROSS JOIN batch_item i ON i.batch = b.id
    WHERE b.remote = :remote AND b.{OPEN} AND b.lane = 'revocation' AND {RANGE.format("i.digest")}
"""
_BY_RESYNC: Final = f"""
    SELECT i.digest FROM batch b CROSS JOIN batch_item i ON i.batch = b.id
    WHERE b.remote = :remote AND b.{OPEN} AND b.by_resync = 1 AND b.action = 'remove'
      AND {RANGE.format("i.digest")}
"""
#: Items of adds that are to be sent again; those that nobody saw are replaced, accepted ones are at work.
_UNKNOWN: Final = f"""
    SELECT DISTINCT i.digest FROM batch b CROSS JOIN batch_item i ON i.batch = b.id
    WHERE b.remote = :remote AND b.{OPEN} AND b.action = 'add' AND b.attempts > 0 AND b.state != 'accepted'
      AND {RANGE.format("i.digest")}
"""
_SUPPRESSED: Final = f"""
    SELECT DISTINCT key FROM suppression WHERE family = :family AND lifted_at IS NULL
      AND {RANGE.format("key")}
"""
_OUTDATED: Final = f"SELECT digest {WHERE} AND version < :version"
#: How many rows there are in a 256th of the keys, which are spread evenly.
_SAMPLE: Final = f"SELECT count(*) FROM (SELECT 1 {WHERE} LIMIT 10000000)"


def scan(connection: Connection, remote: int, keys: Range, *, fresh: int) -> Sent:
    """Read the memberships in a range of keys.

    Args:
        fresh: Whoever was sent later is not due; only of the others is it told when they were sent.
    """
    return _SCANS[connection.dialect.name](connection, remote, keys, fresh=fresh)


def taken_back(connection: Connection, remote: int, keys: Range) -> Words:
    """Read what open batches of the revocation lane take off a remote audience."""
    return _keys(connection, _TAKEN_BACK, {"remote": remote, **keys.values()}, DIGEST_BYTES)


def by_resync(connection: Connection, remote: int, keys: Range) -> Words:
    """Read whom a resync of a remote audience takes off it."""
    return _keys(connection, _BY_RESYNC, {"remote": remote, **keys.values()}, DIGEST_BYTES)


def unknown(connection: Connection, remote: int, keys: Range) -> Words:
    """Read what adds of unknown outcome carry."""
    return _keys(connection, _UNKNOWN, {"remote": remote, **keys.values()}, DIGEST_BYTES)


def outdated(connection: Connection, remote: int, keys: Range, *, version: int) -> Words:
    """Read what was sent under older rules of normalization."""
    return _keys(
        connection, _OUTDATED, {"remote": remote, "version": version, **keys.values()}, DIGEST_BYTES
    )


def suppressed(connection: Connection, family: str, keys: Range) -> Words:
    """Read the digests that are suppressed now."""
    return _keys(connection, _SUPPRESSED, {"family": family, **keys.values()}, DIGEST_BYTES)


def suppressed_members(connection: Connection, family: str) -> Words:
    """Read the member keys that are suppressed now."""
    values = {"family": family, **Range(MEMBER, b"", END).values()}
    return _keys(connection, _SUPPRESSED, values, MEMBER_KEY_BYTES)


def estimate(connection: Connection, remote: int) -> int:
    """Say about how many memberships a remote audience has."""
    total = 0
    for kind in IdentifierKind:
        some = Range(kind, b"\x80", b"\x81")
        total += connection.exec_driver_sql(_SAMPLE, {"remote": remote, **some.values()}).scalar_one()
    return 256 * total


def _keys(connection: Connection, query: str, values: dict[str, object], width: int) -> Words:
    """Read keys, each once, ascending."""
    rows = connection.exec_driver_sql(query, values).scalars().all()
    return distinct(words_of(b"".join(rows), width))
