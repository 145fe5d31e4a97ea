"""Erasures: everything of a person goes once the platforms confirmed, but what keeps them out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Row

from cohortd.core.consenting import SubjectKind
from cohortd.core.identifiers import IdentifierKind
from cohortd.core.removals import ERASURE
from cohortd.core.times import format_time, parse_time
from cohortd.ledger import consent_records, erasing_rows, subject_keys
from cohortd.ledger.database import Database
from cohortd.ledger.memberships import State
from cohortd.ledger.removal_log import RemovalLog
from cohortd.ledger.withdrawing import Asked, Withdrawal, Withdrawn, withdraw

_SUBJECTS: Final = {IdentifierKind.EMAIL: SubjectKind.EMAIL, IdentifierKind.PHONE: SubjectKind.PHONE}
_COLUMNS: Final = "e.id, e.withdrawal, e.asked_at, e.finished_at, e.recipients, e.erased"
_MAY_BE_THERE: Final = f"(m.state != {State.REJECTED:d} OR m.doubt = 1)"
#: What of a person may still be on a platform, or is under way. Where they have consented anew since,
#: what was sent after that does not count.
_WAITING: Final = f"""
    SELECT count(*) FROM (
        SELECT 1 AS one FROM suppression s CROSS JOIN remote r ON r.family = s.family
            CROSS JOIN membership m ON m.remote = r.id AND m.kind = s.kind AND m.digest = s.key
            WHERE s.withdrawal = :withdrawal AND s.lifted_at IS NULL AND {_MAY_BE_THERE}
        UNION ALL SELECT 1 AS one FROM suppression s CROSS JOIN membership m ON m.member = s.key
            CROSS JOIN remote r ON r.id = m.remote AND r.family = s.family
            WHERE s.withdrawal = :withdrawal AND s.kind = 0 AND s.lifted_at IS NULL AND {_MAY_BE_THERE}
        UNION ALL SELECT 1 AS one FROM batch_item i WHERE i.withdrawal = :withdrawal
        UNION ALL SELECT 1 AS one FROM suppression s CROSS JOIN batch_item i ON i.member = s.key
            WHERE s.withdrawal = :withdrawal AND s.kind = 0 AND s.lifted_at IS NULL) w
"""
_RECIPIENTS: Final = f"""
    SELECT r.destination, r.platform, r.account, r.audience, r.name, coalesce(r.remote_id, '') AS remote_id,
        min(x.added_at) AS added_at, max(x.removed_at) AS removed_at, max(x.there) AS there
    FROM (SELECT m.remote, m.added_at, 0 AS removed_at,
                CASE WHEN {_MAY_BE_THERE} THEN 1 ELSE 0 END AS there
            FROM suppression s CROSS JOIN remote o ON o.family = s.family
            CROSS JOIN membership m ON m.remote = o.id AND m.kind = s.kind AND m.digest = s.key
            WHERE s.withdrawal = :withdrawal
        UNION ALL SELECT p.remote, p.added_at, p.removed_at, 0 AS there
            FROM suppression s CROSS JOIN past_membership p ON p.digest = s.key AND p.kind = s.kind
            CROSS JOIN remote o ON o.id = p.remote AND o.family = s.family
            WHERE s.withdrawal = :withdrawal) x
        CROSS JOIN remote r ON r.id = x.remote
    GROUP BY r.id, r.destination, r.platform, r.account, r.audience, r.name, r.remote_id
    ORDER BY r.destination, r.audience, r.id
"""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One remote audience to which something of a person was sent."""

    destination: str
    platform: str
    account: str
    audience: str
    #: What the audience is called on the platform.
    name: str
    remote_id: str
    first_sent_at: str
    #: Blank while anything may be there, and where the platform took nothing.
    removed_at: str
    #: ``there``, ``removed`` or ``refused``: by the platform, when it was to be added.
    state: str


@dataclass(frozen=True, slots=True)
class Erasure:
    """One request to erase a person."""

    id: str
    asked_at: datetime
    finished_at: datetime | None
    #: The ledger's number of what took everything back; 0 once it is finished.
    withdrawal: int
    recipients: tuple[Recipient, ...]
    #: What went at the end -> how much of it.
    erased: Mapping[str, int]


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """Whom an erasure is about, and what is nobody else's."""

    #: Empty where a contact field was named that several people carry: then it alone is erased.
    members: tuple[bytes, ...]
    #: (family, kind, digest).
    contacts: tuple[tuple[str, int, bytes], ...]

    @property
    def subjects(self) -> tuple[tuple[SubjectKind, tuple[tuple[str, bytes], ...]], ...]:
        """By what names the person may be in the removal log and in consent records."""
        named: dict[tuple[SubjectKind, bytes], tuple[str, bytes]] = {
            (SubjectKind.CUSTOMER, key): ("", key) for key in self.members
        }
        for family, kind, digest in self.contacts:
            if kind in _SUBJECTS:
                named[_SUBJECTS[IdentifierKind(kind)], digest] = (family, digest)
        return tuple((kind, (key,)) for (kind, _), key in named.items())


class Erasures:
    """Who is to be erased, and how far that is."""

    def __init__(self, database: Database, log: RemovalLog) -> None:
        self._database = database
        self._log = log

    def withdraw(self, item: Withdrawn, *, erasure_id: str, now: datetime) -> Withdrawal:
        """Take everything of a person back and remember that they are to be erased; one transaction.

        Called again with the same id and record it only takes back what is known of the person since.
        """
        record = item.record
        subject = self._log.subject_ref(record.subject_kind, record.subject)
        asked = Asked(item, subject, self._log.deadlines.due_at(record.regulation, now))
        with self._log.transaction() as (connection, journal):
            [done] = withdraw(connection, journal, [asked], trigger=ERASURE, at=now, now=now)
            content = consent_records.content_of(record)
            connection.exec_driver_sql(
                "INSERT INTO erasure (id, withdrawal, asked_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (erasure_id, consent_records.find(connection, [content])[content].id, format_time(now)),
            )
        return replace(done, subject=self._log.names_of([done.subject])[done.subject])

    def all(self) -> Sequence[Erasure]:
        """Return every one, in the order in which they were asked for."""
        return self._find("")

    def unfinished(self) -> Sequence[Erasure]:
        """Return those that still have something to do."""
        return self._find(" WHERE e.finished_at IS NULL")

    def get(self, erasure_id: str) -> Erasure | None:
        """Return one."""
        return next(iter(self._find(" WHERE e.id = ?", (erasure_id,))), None)

    def waiting(self, erasure: Erasure) -> int:
        """Count what of the person may still be on a platform, or is under way."""
        with self._database.read() as connection:
            found = connection.exec_driver_sql(_WAITING, {"withdrawal": erasure.withdrawal}).scalar_one()
        return int(found)

    def recipients(self, erasure: Erasure) -> tuple[Recipient, ...]:
        """Say where anything of the person is or was; of a finished one, where it had been."""
        if erasure.finished_at is not None:
            return erasure.recipients
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(_RECIPIENTS, {"withdrawal": erasure.withdrawal}).all()
        return tuple(_recipient(row) for row in rows)

    def person(self, erasure: Erasure) -> Person:
        """Say whom it is about, as far as the ledger knows today."""
        with self._database.read() as connection:
            return Person(*erasing_rows.person(connection, erasure.withdrawal))

    def references(self, person: Person) -> frozenset[str]:
        """Say what the ledger calls a person beside the removal log."""
        return frozenset(self._log.subject_ref(kind, subject) for kind, subject in person.subjects)

    def finish(
        self,
        erasure: Erasure,
        person: Person,
        *,
        files: Mapping[str, int],
        now: datetime,
    ) -> Mapping[str, int]:
        """Delete what the ledger keeps of the person, forget them in the removal log; one transaction.

        What keeps them out stays: the withdrawals, and what these suppress.

        Args:
            files: What went outside the ledger -> how much of it.

        Returns:
            What went -> how much of it.

        Raises:
            LedgerError: A removal of the person is under way again.
        """
        recipients = json.dumps([asdict(each) for each in self.recipients(erasure)])
        with self._database.write() as connection:
            subject_keys.forget(connection, self.references(person))
            went = erasing_rows.delete(
                connection,
                erasure.withdrawal,
                members=person.members,
                contacts=person.contacts,
                subjects=[(kind.value, key) for kind, subject in person.subjects for _, key in subject],
                references=self.references(person),
            )
            erased = {**files, **went}
            connection.exec_driver_sql(
                "UPDATE erasure SET withdrawal = NULL, finished_at = ?, recipients = ?, erased = ?"
                " WHERE id = ? AND finished_at IS NULL",
                (format_time(now), recipients, json.dumps(erased), erasure.id),
            )
        return erased

    def _find(self, where: str, values: tuple[str, ...] = ()) -> Sequence[Erasure]:
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                f"SELECT {_COLUMNS} FROM erasure e{where} ORDER BY e.asked_at, e.id", values
            ).all()
        return [_erasure(row) for row in rows]


def _erasure(row: Row[tuple[object, ...]]) -> Erasure:
    return Erasure(
        row.id,
        parse_time(row.asked_at),
        parse_time(row.finished_at) if row.finished_at else None,
        row.withdrawal or 0,
        tuple(Recipient(**each) for each in json.loads(row.recipients or "[]")),
        json.loads(row.erased or "{}"),
    )


def _recipient(row: Row[tuple[object, ...]]) -> Recipient:
    state = "there" if row.there else "removed" if row.removed_at else "refused"
    return Recipient(
        row.destination,
        row.platform,
        row.account,
        row.audience,
        row.name,
        row.remote_id,
        _instant(row.added_at),
        _instant(row.removed_at) if state == "removed" else "",
        state,
    )


def _instant(seconds: int) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC))
