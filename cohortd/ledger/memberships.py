"""What may be on the platforms, and what was."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final

from cohortd.core.identifiers import Family, IdentifierKind
from cohortd.core.planning import Target
from cohortd.ledger.database import Database


class State(IntEnum):
    """Where a membership stands; the numbers are stored."""

    #: Written before the add is sent; the platform may hold it.
    ADDING = 1
    PRESENT = 2
    REMOVING = 3
    #: The platform did not take it.
    REJECTED = 4


@dataclass(frozen=True, slots=True, repr=False)
class MembershipRow:
    """One identifier in one remote audience, as it was sent."""

    target: Target
    remote_id: str | None
    kind: IdentifierKind
    digest: bytes
    member: bytes
    state: str
    added_at: datetime
    sent_at: datetime
    batch: int
    version: int
    reason: str

    def __repr__(self) -> str:
        """Show the first eight digits only."""
        return f"MembershipRow({self.target}, {self.kind.name}, {self.digest.hex()[:8]}…, {self.state})"


@dataclass(frozen=True, slots=True, repr=False)
class PastMembership:
    """An identifier that was in a remote audience, until its removal was confirmed."""

    target: Target
    remote_id: str | None
    kind: IdentifierKind
    digest: bytes
    member: bytes
    added_at: datetime
    removed_at: datetime
    added_batch: int
    removed_batch: int

    def __repr__(self) -> str:
        """Show the first eight digits only."""
        return f"PastMembership({self.target}, {self.kind.name}, {self.digest.hex()[:8]}…)"


_ROW: Final = (
    "SELECT r.audience, r.destination, r.remote_id, m.kind, m.digest, m.member, m.state,"
    " m.added_at, m.sent_at, m.batch, m.version, m.reason"
    " FROM membership m JOIN remote r ON r.id = m.remote"
)
_PAST: Final = (
    "SELECT r.audience, r.destination, r.remote_id, p.kind, p.digest, p.member, p.added_at, p.removed_at,"
    " p.added_batch, p.removed_batch FROM past_membership p JOIN remote r ON r.id = p.remote"
)
_OWNERS: Final = """
    SELECT m.member FROM remote r
        CROSS JOIN membership m ON m.remote = r.id AND m.kind = :kind AND m.digest = :digest
        WHERE r.family = :family
    UNION SELECT p.member FROM past_membership p JOIN remote r ON r.id = p.remote
        WHERE p.digest = :digest AND p.kind = :kind AND r.family = :family
    UNION SELECT c.member FROM co_owner c WHERE c.family = :family AND c.kind = :kind AND c.digest = :digest
"""
#: How many people are or were sent by each of some identifiers.
_SENT: Final = """
    SELECT m.digest, m.member FROM json_each(:digests) j CROSS JOIN remote r ON r.family = :family
        CROSS JOIN membership m ON m.remote = r.id AND m.kind = :kind AND m.digest = unhex(j.value)
    UNION SELECT p.digest, p.member FROM json_each(:digests) j
        CROSS JOIN past_membership p ON p.digest = unhex(j.value) AND p.kind = :kind
        CROSS JOIN remote r ON r.id = p.remote AND r.family = :family
"""
_PAGE: Final = 10_000
_DIGESTS_AT_ONCE: Final = 5_000


class Members:
    """Read-only views of the memberships."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self) -> Mapping[Target, Mapping[str, int]]:
        """Count members, not identifiers: target -> adding, present, removing, rejected -> members."""
        found: dict[Target, dict[str, int]] = defaultdict(dict)
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT r.audience, r.destination, c.state, c.members FROM (SELECT remote, state,"
                " count(DISTINCT member) AS members FROM membership GROUP BY remote, state) c"
                " JOIN remote r ON r.id = c.remote"
            ).all()
        for row in rows:
            states = found[Target(row.audience, row.destination)]
            name = State(row.state).name.lower()
            states[name] = states.get(name, 0) + row.members
        return dict(found)

    def rejections(self, target: Target) -> Mapping[str, int]:
        """Return the platform's reason -> members it did not take."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT coalesce(m.reason, '') AS reason, count(DISTINCT m.member) AS members"
                " FROM remote r CROSS JOIN membership m ON m.remote = r.id"
                f" WHERE r.audience = ? AND r.destination = ? AND m.state = {State.REJECTED:d}"
                " GROUP BY 1 ORDER BY 1",
                (target.audience, target.destination),
            ).all()
        return {row.reason: row.members for row in rows}

    def of_member(self, key: bytes) -> Sequence[MembershipRow]:
        """Return everything of a person that may be on a platform, identifiers shared with others too."""
        return self._rows(
            " WHERE m.member = :member UNION SELECT r.audience, r.destination, r.remote_id, m.kind,"
            " m.digest, m.member, m.state, m.added_at, m.sent_at, m.batch, m.version,"
            " m.reason FROM co_owner c CROSS JOIN remote r"
            " ON r.family = c.family CROSS JOIN membership m ON m.remote = r.id AND m.kind = c.kind"
            " AND m.digest = c.digest WHERE c.member = :member",
            {"member": key},
        )

    def of_digest(
        self, family: Family, kind: IdentifierKind | int, digest: bytes
    ) -> Sequence[MembershipRow]:
        """Return where one identifier may be."""
        return self._rows(
            " WHERE m.remote IN (SELECT id FROM remote WHERE family = ?) AND m.kind = ? AND m.digest = ?",
            (family.value, int(kind), digest),
        )

    def owners_of(self, family: Family, kind: IdentifierKind, digest: bytes) -> frozenset[bytes]:
        """Return the member keys of everybody who is or was sent by one identifier."""
        with self._database.read() as connection:
            return frozenset(
                connection.exec_driver_sql(
                    _OWNERS, {"family": family.value, "kind": int(kind), "digest": digest}
                ).scalars()
            )

    def sent_by(
        self, family: Family, kind: IdentifierKind, digests: Sequence[bytes]
    ) -> Mapping[bytes, set[bytes]]:
        """Return which of many identifiers are or were on a platform, and the member keys of each."""
        found: dict[bytes, set[bytes]] = {}
        with self._database.read() as connection:
            for start in range(0, len(digests), _DIGESTS_AT_ONCE):
                asked = json.dumps([each.hex() for each in digests[start : start + _DIGESTS_AT_ONCE]])
                values = {"digests": asked, "family": family.value, "kind": int(kind)}
                for row in connection.exec_driver_sql(_SENT, values):
                    found.setdefault(row.digest, set()).add(row.member)
        return found

    def history_of(
        self, member: bytes | None = None, *, digests: Sequence[bytes] = ()
    ) -> Sequence[PastMembership]:
        """Return where a person was: by member key, or by any of these digests."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                f"{_PAST} WHERE p.id IN (SELECT id FROM past_membership WHERE member = ?"
                " UNION SELECT o.id FROM json_each(?) j"
                " CROSS JOIN past_membership o ON o.digest = unhex(j.value)) ORDER BY p.id",
                (member, json.dumps([digest.hex() for digest in digests])),
            ).all()
        return [
            PastMembership(
                Target(row.audience, row.destination),
                row.remote_id,
                IdentifierKind(row.kind),
                row.digest,
                row.member,
                _time(row.added_at),
                _time(row.removed_at),
                row.added_batch,
                row.removed_batch,
            )
            for row in rows
        ]

    def members_of(self, target: Target) -> Iterator[tuple[int, bytes]]:
        """Yield (kind, digest) of everything of a target that may be on the platform, sorted."""
        at: tuple[int, bytes] = (0, b"")
        while True:
            with self._database.read() as connection:
                rows = connection.exec_driver_sql(
                    "SELECT m.kind, m.digest FROM membership m JOIN remote r ON r.id = m.remote"
                    " WHERE r.audience = ? AND r.destination = ? AND r.superseded = 0"
                    f" AND (m.state != {State.REJECTED:d} OR m.doubt = 1)"
                    f" AND (m.kind, m.digest) > (?, ?) ORDER BY m.kind, m.digest LIMIT {_PAGE}",
                    (target.audience, target.destination, *at),
                ).all()
            yield from ((row.kind, row.digest) for row in rows)
            if len(rows) < _PAGE:
                return
            at = (rows[-1].kind, rows[-1].digest)

    def _rows(self, where: str, values: tuple[object, ...] | dict[str, object]) -> Sequence[MembershipRow]:
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(_ROW + where, values).all()
        return [
            MembershipRow(
                Target(row.audience, row.destination),
                row.remote_id,
                IdentifierKind(row.kind),
                row.digest,
                row.member,
                State(row.state).name.lower(),
                _time(row.added_at),
                _time(row.sent_at),
                row.batch,
                row.version,
                row.reason or "",
            )
            for row in rows
        ]


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
