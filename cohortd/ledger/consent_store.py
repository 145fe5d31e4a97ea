"""Consent as the ledger keeps it: statements, withdrawals, what they suppress."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cohortd.core.consenting import ConsentRecord, SubjectKind
from cohortd.core.identifiers import Family
from cohortd.ledger import consent_records, suppressions
from cohortd.ledger.consent_records import Subject
from cohortd.ledger.database import Database
from cohortd.ledger.removal_log import RemovalLog
from cohortd.ledger.suppressions import SuppressedSet, SuppressionCause
from cohortd.ledger.withdrawing import Extra, Withdrawal, Withdrawn, withdraw

_PAGE: Final = 5_000
_PER_TRANSACTION: Final = 1_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of handing records in."""

    new: Sequence[ConsentRecord]
    #: How many were kept before.
    known: int


class ConsentStore:
    """Consent records and what stands because of them."""

    def __init__(self, database: Database, log: RemovalLog) -> None:
        self._database = database
        self._log = log

    def record(self, records: Sequence[ConsentRecord], *, received_at: datetime) -> Recorded:
        """Keep statements; the same content is kept once. It suppresses nobody: see ``withdraw``."""
        new = []
        with self._database.write() as connection:
            for record in records:
                if consent_records.find(connection, record) is None:
                    consent_records.insert(connection, record, received_at=received_at)
                    new.append(record)
        return Recorded(new, len(records) - len(new))

    def unknown(self, records: Sequence[ConsentRecord]) -> Sequence[ConsentRecord]:
        """Return those that are not kept yet, each once, in their order."""
        with self._database.read() as connection:
            return [r for r in dict.fromkeys(records) if consent_records.find(connection, r) is None]

    def records(self) -> Iterator[ConsentRecord]:
        """Yield every statement kept, in the order in which they came."""
        newest = 0
        while True:
            with self._database.read() as connection:
                page = list(consent_records.after(connection, newest, limit=_PAGE))
            yield from (record for _, record in page)
            if len(page) < _PAGE:
                return
            newest = page[-1][0]

    def records_for(self, subjects: Sequence[tuple[SubjectKind, bytes]]) -> Sequence[ConsentRecord]:
        """Return the statements about any of these subjects: kind, and one key of each."""
        with self._database.read() as connection:
            return consent_records.about(connection, subjects)

    def withdraw(
        self,
        record: ConsentRecord,
        *,
        families: Collection[Family],
        extra: Sequence[Extra] = (),
        trigger: str,
        now: datetime,
        at: datetime | None = None,
    ) -> Withdrawal:
        """Record a withdrawal, suppress the person, and queue removals wherever they may be.

        One transaction. Repeating it queues nothing twice while a removal is open.

        Args:
            families: Where it counts.
            extra: Identifiers the source knows of the person now, sent or not: family, member key
                (empty for nobody in particular), identifier.
            trigger: Why, for the log.
            now: From when its removals are due.
            at: When it reached us; *now* where it is not given.
        """
        return self.withdraw_many([Withdrawn(record, families, extra)], trigger=trigger, now=now, at=at)[0]

    def withdraw_many(
        self,
        withdrawn: Sequence[Withdrawn],
        *,
        trigger: str,
        now: datetime,
        at: datetime | None = None,
    ) -> Sequence[Withdrawal]:
        """Take in many withdrawals, a thousand a transaction."""
        outcomes: list[Withdrawal] = []
        for start in range(0, len(withdrawn), _PER_TRANSACTION):
            asked = [
                (item, self._log.subject_ref(item.record.subject_kind, item.record.subject))
                for item in withdrawn[start : start + _PER_TRANSACTION]
            ]
            with self._log.transaction() as (connection, journal):
                outcomes += withdraw(connection, journal, asked, trigger=trigger, at=at or now, now=now)
        return outcomes

    def active(self) -> Sequence[SuppressionCause]:
        """Return the withdrawals that stand, oldest first."""
        with self._database.read() as connection:
            return suppressions.active(connection)

    def suppressed(self, family: Family) -> SuppressedSet:
        """Return all that must not be added under one family's rules."""
        with self._database.read() as connection:
            return suppressions.suppressed(connection, family)

    def lift(
        self,
        cause: SuppressionCause | tuple[SubjectKind, Subject],
        *,
        granted_at: datetime,
        now: datetime,
        families: Collection[Family] = tuple(Family),
    ) -> int:
        """Lift what a strictly newer grant answers; nothing is deleted.

        Args:
            cause: One withdrawal, or a subject: then every older withdrawal of it, whatever its
                regulation, purpose or platform.
            families: Where the grant counts.

        Returns:
            How many withdrawals it lifted.
        """
        with self._database.write() as connection:
            return suppressions.lift(connection, cause, granted_at=granted_at, now=now, families=families)

    def lift_contact(self, contact: tuple[str, int, bytes], *, granted_at: datetime, now: datetime) -> int:
        """Lift the older withdrawals that named a contact field (family, kind, digest), for that family."""
        with self._database.write() as connection:
            return suppressions.lift_contact(connection, contact, granted_at=granted_at, now=now)
