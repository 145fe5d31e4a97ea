"""Consent as the ledger keeps it: statements, withdrawals, what they suppress."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

from sqlalchemy import Connection

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.identifiers import Family
from cohortd.core.times import parse_time
from cohortd.ledger import consent_records, putting_back, suppressions
from cohortd.ledger.consent_records import Subject
from cohortd.ledger.database import Database
from cohortd.ledger.journal import Journal
from cohortd.ledger.removal_log import RemovalLog
from cohortd.ledger.suppressions import SuppressedSet, SuppressionCause
from cohortd.ledger.withdrawing import Asked, Extra, Withdrawal, Withdrawn, assert_again, withdraw

if TYPE_CHECKING:
    import pyarrow as pa

_PAGE: Final = 5_000
_PER_TRANSACTION: Final = 5_000
_Item = TypeVar("_Item")


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

    def last_received_at(self) -> datetime | None:
        """When the newest record reached us; None where there is none."""
        with self._database.read() as connection:
            row = connection.exec_driver_sql(
                "SELECT received_at FROM consent_record ORDER BY id DESC LIMIT 1"
            ).first()
        return parse_time(row.received_at) if row is not None and row.received_at else None

    def record(self, records: Sequence[ConsentRecord], *, received_at: datetime) -> Recorded:
        """Keep statements; the same content is kept once. It suppresses nobody: see ``withdraw``."""
        new: list[ConsentRecord] = []
        for part in _parts(records):
            new += self.unknown(part)
            with self._database.write() as connection:
                consent_records.keep(connection, part, received_at=received_at)
        return Recorded(new, len(records) - len(new))

    def unknown(self, records: Sequence[ConsentRecord]) -> Sequence[ConsentRecord]:
        """Return those that are not kept yet, each once, in their order."""
        return [record for record, kept in self._look_up(records) if kept is None]

    def to_withdraw(self, records: Sequence[ConsentRecord]) -> Sequence[ConsentRecord]:
        """Return those that were not taken in as withdrawals yet, each once, in their order."""
        return [r for r, kept in self._look_up(records) if kept is None or kept.absent or not kept.withdrew]

    def dated(self, records: Sequence[ConsentRecord]) -> Sequence[ConsentRecord]:
        """Give statements that bear no time the one at which each first reached us, if it did before."""
        return [
            replace(record, recorded_at=kept.recorded_at)
            if kept is not None and record.untimed and not kept.absent
            else record
            for record, kept in self._look_up(records, once=False)
        ]

    def note_absent(self, *, present: Sequence[ConsentRecord]) -> None:
        """Note which statements without a time the table no longer makes; *present* are those it makes."""
        with self._database.write() as connection:
            consent_records.note_absent(connection, present)

    def by_customer(self) -> "pa.Table":
        """Return every statement kept that names a customer, as columns (``CUSTOMER_STATEMENTS``)."""
        from cohortd.ledger import consent_columns  # noqa: PLC0415 - Arrow, which most commands never need

        return consent_columns.table(self.parts_by_customer())

    def parts_by_customer(self) -> Iterator["pa.RecordBatch"]:
        """Yield the same in parts, so that not all of it need be in memory."""
        from cohortd.ledger import consent_columns  # noqa: PLC0415 - see above

        with self._database.read() as connection:
            for part in consent_records.by_customer(connection):
                yield consent_columns.batch(part)

    def by_contact(self) -> Iterator[ConsentRecord]:
        """Yield every statement kept that names a contact field, in the order in which they came."""
        return self.records(but=SubjectKind.CUSTOMER.value)

    def records(self, *, but: str = "") -> Iterator[ConsentRecord]:
        """Yield every statement kept, in the order in which they came, but of one kind of subject."""
        newest = 0
        while True:
            with self._database.read() as connection:
                page = list(consent_records.after(connection, newest, limit=_PAGE, but=but))
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
        """Take in many withdrawals, some thousands a transaction."""
        outcomes: list[Withdrawal] = []
        for part in _parts(withdrawn):
            asked = [self._asked(item, at or now) for item in part]
            with self._log.transaction() as (connection, journal):
                found = withdraw(connection, journal, asked, trigger=trigger, at=at or now, now=now)
            names = self._log.names_of({each.subject for each in found})
            outcomes += [replace(each, subject=names[each.subject]) for each in found]
        return outcomes

    def take_in(
        self,
        connection: Connection,
        journal: Journal,
        withdrawn: Sequence[Withdrawn],
        records: Sequence[ConsentRecord],
        *,
        now: datetime,
    ) -> None:
        """Take in what one event says, in the caller's transaction: its withdrawals, then all it says.

        Each withdrawal is logged by what its record says: revoked, or denied.
        """
        for trigger in (ConsentStatus.REVOKED, ConsentStatus.DENIED):
            asked = [self._asked(item, now) for item in withdrawn if item.record.status is trigger]
            if asked:
                withdraw(connection, journal, asked, trigger=trigger.value, at=now, now=now)
        consent_records.keep(connection, records, received_at=now)

    def _asked(self, item: Withdrawn, at: datetime) -> Asked:
        record = item.record
        subject = self._log.subject_ref(record.subject_kind, record.subject)
        return Asked(item, subject, self._log.deadlines.due_at(record.regulation, at))

    def assert_again(self, *, now: datetime) -> int | None:
        """Take whoever revoked off everywhere once more, if an older copy of the ledger was put back.

        Of a mere denial there is no need: whoever is denied now and was not then is withdrawn anew.

        Returns:
            How many identifiers, over all remote audiences; None where there was nothing to do.
        """
        with self._database.read() as connection:
            if not putting_back.is_to_assert(connection):
                return None
            revoked = suppressions.revoked(connection)
        rows = 0
        for part in _parts(revoked):
            with self._log.transaction() as (connection, journal):
                rows += assert_again(connection, journal, part, now)
        with self._database.write() as connection:
            putting_back.note_asserted(connection, at=now)
        return rows

    def active(self) -> Sequence[SuppressionCause]:
        """Return the withdrawals that stand, oldest first; they may be very many."""
        with self._database.read() as connection:
            return suppressions.active(connection)

    def oldest(self) -> datetime | None:
        """Return when the oldest withdrawal was made that stands; None where none does."""
        with self._database.read() as connection:
            return suppressions.oldest(connection)

    def has_revocations(self) -> bool:
        """Tell whether anybody ever took consent back: the removal log must tell of it."""
        with self._database.read() as connection:
            return consent_records.has_revocations(connection)

    def about(self, keys: Sequence[bytes]) -> Sequence[SuppressionCause]:
        """Return the withdrawals that stand and whose record names any of these keys, oldest first."""
        with self._database.read() as connection:
            return suppressions.about(connection, keys)

    def against(
        self, family: Family, keys: Collection[tuple[int, bytes]]
    ) -> Sequence[tuple[tuple[int, bytes], SuppressionCause]]:
        """Say by which withdrawals these are suppressed: (0, member key), or (kind, digest) if named."""
        with self._database.read() as connection:
            return suppressions.against(connection, family, keys)

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

    def _look_up(
        self, records: Sequence[ConsentRecord], *, once: bool = True
    ) -> Iterator[tuple[ConsentRecord, consent_records.Kept | None]]:
        """Put beside each record what is kept of the same content."""
        chosen = list(dict.fromkeys(records)) if once else records
        for part in _parts(chosen):
            contents = [consent_records.content_of(record) for record in part]
            with self._database.read() as connection:
                kept = consent_records.find(connection, contents)
            yield from ((r, kept.get(content)) for r, content in zip(part, contents, strict=True))


def _parts(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    return (items[start : start + _PER_TRANSACTION] for start in range(0, len(items), _PER_TRANSACTION))
