"""What is desired, put beside the ledger in the ledger's own order, for the time of a comparison."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection

from cohortd.core.errors import LedgerError
from cohortd.core.identifiers import Family
from cohortd.core.planning import Target

Row = tuple[int, bytes, bytes, bytes]
_Numbered = tuple[int, int, bytes, bytes, bytes]

#: Rows sorted and written at once, however few the caller hands over at a time: scattered rows take
#: several times as long.
_CHUNK: Final = 100_000

TABLES: Final = (
    """CREATE TABLE scratch.staged_target (target INTEGER PRIMARY KEY, audience TEXT, destination TEXT,
        family TEXT, staged INTEGER, refresh_s INTEGER)""",
    """CREATE TABLE scratch.staged (target INTEGER, kind INTEGER, digest BLOB, member BLOB, payload BLOB,
        other BLOB, PRIMARY KEY (target, kind, digest)) WITHOUT ROWID""",
    """CREATE TABLE scratch.staged_shared (target INTEGER, kind INTEGER, digest BLOB, member BLOB,
        PRIMARY KEY (target, kind, digest, member)) WITHOUT ROWID""",
    # Fires only for an identifier that is staged a second time by another member.
    """CREATE TRIGGER scratch.staged_twice AFTER UPDATE ON staged WHEN new.other IS NOT NULL BEGIN
        INSERT INTO staged_shared SELECT new.target, new.kind, new.digest, new.other
        WHERE NOT EXISTS (SELECT 1 FROM staged_shared t WHERE t.target = new.target
            AND t.kind = new.kind AND t.digest = new.digest AND t.member = new.other);
    END""",
)
_STAGE: Final = """
    INSERT INTO scratch.staged (target, kind, digest, member, payload) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        other = CASE WHEN excluded.member = member THEN NULL ELSE max(member, excluded.member) END,
        payload = CASE WHEN excluded.member < member THEN excluded.payload
            WHEN excluded.member = member THEN min(payload, excluded.payload) ELSE payload END,
        member = min(member, excluded.member)
"""
_DROP_SUPPRESSED: Final = """
    DELETE FROM scratch.{table} AS i
    WHERE i.target IN (SELECT target FROM scratch.staged_target WHERE family = :family) AND (
        EXISTS (SELECT 1 FROM suppression s WHERE s.family = :family AND s.kind = i.kind
            AND s.key = i.digest AND s.lifted_at IS NULL)
        OR EXISTS (SELECT 1 FROM suppression s WHERE s.family = :family AND s.kind = 0
            AND s.key = i.member AND s.lifted_at IS NULL))
"""


class Staging:
    """The staged rows of one comparison; a target's number is its remote audience's id, if it has one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._numbers: dict[Target, tuple[int, Family]] = {}
        self._waiting: list[_Numbered] = []
        with connection.begin():
            for statement in TABLES:
                connection.exec_driver_sql(statement)

    def add(self, target: Target, family: Family, rows: Iterable[Row]) -> None:
        """Stage rows; an identifier staged twice for a target keeps the smallest member key."""
        with self._connection.begin():
            number = self._number(target, family)
            for row in rows:
                self._waiting.append((number, *row))
                if len(self._waiting) >= _CHUNK:
                    self.flush()

    def flush(self) -> None:
        """Write the rows that wait for more."""
        if self._waiting:
            self._waiting.sort()
            self._connection.exec_driver_sql(_STAGE, [_bound(row) for row in self._waiting])
            self._waiting.clear()

    def drop_suppressed(self) -> None:
        """Take out every identifier and member that is suppressed now."""
        families = self._connection.exec_driver_sql(
            "SELECT DISTINCT t.family FROM scratch.staged_target t WHERE t.staged = 1 AND EXISTS"
            " (SELECT 1 FROM suppression s WHERE s.family = t.family AND s.lifted_at IS NULL)"
        ).all()
        for row in families:
            for table in ("staged", "staged_shared"):
                self._connection.exec_driver_sql(
                    _DROP_SUPPRESSED.format(table=table), {"family": row.family}
                )

    def include_remotes(self) -> None:
        """Bring in the remote audiences as they are now; where nothing was staged, nobody is desired."""
        made = self._connection.exec_driver_sql(
            "SELECT t.target, r.id FROM scratch.staged_target t JOIN remote r ON r.audience = t.audience"
            " AND r.destination = t.destination AND r.superseded = 0 WHERE t.target < 0"
        ).all()
        for row in made:
            for table in ("staged_target", "staged_shared", "staged"):
                self._connection.exec_driver_sql(
                    f"UPDATE scratch.{table} SET target = ? WHERE target = ?", (row.id, row.target)
                )
        moved = {row.target: row.id for row in made}
        self._numbers = {t: (moved.get(number, number), f) for t, (number, f) in self._numbers.items()}
        self._connection.exec_driver_sql(
            "INSERT OR IGNORE INTO scratch.staged_target (target, audience, destination, family, staged)"
            " SELECT id, audience, destination, family, 0 FROM remote WHERE superseded = 0 AND"
            " state != 'retired'"
        )

    def targets(self) -> Sequence[tuple[int, Target]]:
        """Return every target with its number, in the order of their names."""
        rows = self._connection.exec_driver_sql(
            "SELECT target, audience, destination FROM scratch.staged_target ORDER BY audience, destination"
        ).all()
        return [(row.target, Target(row.audience, row.destination)) for row in rows]

    def _number(self, target: Target, family: Family) -> int:
        if target not in self._numbers:
            row = self._connection.exec_driver_sql(
                "SELECT id, family FROM remote WHERE audience = ? AND destination = ? AND superseded = 0",
                (target.audience, target.destination),
            ).first()
            number = row.id if row is not None else -1 - len(self._numbers)
            if row is not None and row.family != family.value:
                raise LedgerError(
                    f"{target.destination} takes {row.family} identifiers, not {family.value}"
                )
            self._connection.exec_driver_sql(
                "INSERT OR REPLACE INTO scratch.staged_target"
                " (target, audience, destination, family, staged) VALUES (?, ?, ?, ?, 1)",
                (number, target.audience, target.destination, family.value),
            )
            self._numbers[target] = (number, family)
        number, known = self._numbers[target]
        if known is not family:
            raise LedgerError(f"{target.destination} was staged with {known.value} identifiers before")
        return number


def _bound(row: _Numbered) -> tuple[int, int, bytearray, bytearray, bytearray]:
    """Make a row for the driver: it looks for an adapter of each bytes object, which takes five
    as long as binding a bytearray.
    """
    number, kind, digest, member, payload = row
    return number, kind, bytearray(digest), bytearray(member), bytearray(payload)
