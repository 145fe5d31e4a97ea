"""Remote audiences: one row a target, and what keeps a destination from being sent to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Connection, Row

from cohortd.core.delivery import RemoteStatus
from cohortd.core.errors import LedgerError, SettingsError
from cohortd.core.identifiers import Family
from cohortd.core.planning import Target
from cohortd.core.times import format_time, parse_time
from cohortd.ledger.database import Database
from cohortd.ledger.readings import status_of_text

RemoteState = Literal["absent", "creating", "ready", "paused", "retired"]

COLUMNS: Final = (
    "remote.id, remote.audience, remote.destination, remote.family, remote.platform, remote.account,"
    " remote.remote_id, remote.name, remote.state, remote.status, remote.checked_at, remote.note,"
    " remote.created_at, remote.match_rate"
)


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote audience as the ledger knows it."""

    id: int
    target: Target
    platform: str
    account: str
    #: The platform's own id; None until the audience exists there.
    remote_id: str | None
    name: str
    state: RemoteState
    status: RemoteStatus | None
    checked_at: datetime | None
    note: str
    family: Family
    #: When it was first meant to be; stands in its marker.
    intended_at: datetime
    #: What the platform said it recognized of the last upload; blank where it never did.
    match_rate: str = ""


class Remotes:
    """The remote audiences."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, target: Target) -> Remote | None:
        """Return the remote audience of a target."""
        with self._database.read() as connection:
            return _find(connection, target)

    def all(self) -> Sequence[Remote]:
        """Return every target's remote audience, retired ones too."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                f"SELECT {COLUMNS} FROM remote WHERE superseded = 0 ORDER BY id"
            ).all()
        return [remote_of(row) for row in rows]

    def intend(
        self,
        target: Target,
        *,
        platform: str,
        account: str,
        name: str,
        at: datetime,
        family: Family | None = None,
    ) -> Remote:
        """Write down that a remote audience is to exist, before the platform is asked for it.

        Args:
            family: Whose normalization rules apply; None where the platform's name says it.

        Raises:
            SettingsError: The destination belonged to another account, on which members may still be.
        """
        family = family or _family_of(platform)
        with self._database.write() as connection:
            known = _find(connection, target)
            if known is None:
                connection.exec_driver_sql(
                    "INSERT INTO remote (audience, destination, family, platform, account, name,"
                    " state, created_at)"
                    " VALUES (?, ?, ?, ?, ?, ?, 'creating', ?)",
                    (
                        target.audience,
                        target.destination,
                        family.value,
                        platform,
                        account,
                        name,
                        format_time(at),
                    ),
                )
            else:
                _refuse_other_account(known, account, family)
                connection.exec_driver_sql(
                    # One that is there keeps its name until it is renamed there.
                    "UPDATE remote SET platform = ?,"
                    " name = CASE WHEN remote_id IS NULL THEN ? ELSE name END,"
                    " state = CASE state WHEN 'retired' THEN 'creating' ELSE state END WHERE id = ?",
                    (platform, name, known.id),
                )
            made = _find(connection, target)
        assert made is not None
        return made

    def refuse_moved(
        self, destination: str, *, platform: str, account: str, family: Family | None = None
    ) -> None:
        """Refuse a destination that has become another account's.

        Args:
            family: Whose normalization rules apply; None where the platform's name says it.

        Raises:
            SettingsError: Under this name another account was sent to.
        """
        family = family or _family_of(platform)
        for remote in self.all():
            if remote.target.destination == destination:
                _refuse_other_account(remote, account, family)

    def note_platforms(self, platforms: Mapping[str, str]) -> None:
        """Keep through which of a family's platforms each destination is asked from now on."""
        for remote in self.all():
            platform = platforms.get(remote.target.destination, remote.platform)
            if platform != remote.platform:
                self._update("platform = ?", (platform,), remote_pk=remote.id)

    def ids_in(self, account: str) -> frozenset[str]:
        """Return the platform's ids of every remote audience ever had in an account."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT remote_id FROM remote WHERE account = ? AND remote_id IS NOT NULL", (account,)
            )
            return frozenset(row.remote_id for row in rows)

    def note_leftovers(self, destination: str, sentence: str) -> None:
        """Keep what is to be said of audiences there that another ledger made; blank for none."""
        with self._database.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO destination (name, leftovers) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET leftovers = excluded.leftovers",
                (destination, sentence),
            )

    def leftovers(self) -> Mapping[str, str]:
        """Return destination -> what is to be said of audiences there that another ledger made."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT name, leftovers FROM destination WHERE leftovers != '' ORDER BY name"
            ).all()
        return {row.name: row.leftovers for row in rows}

    def attach(self, remote_pk: int, remote_id: str, at: datetime) -> None:
        """Keep the platform's id of a remote audience, which is ready from now on.

        Where the platform had to make another audience, because the first was gone, the first is
        kept as a superseded row: whoever may still be on it can be taken back.
        """
        with self._database.write() as connection:
            row = connection.exec_driver_sql(
                "SELECT remote_id FROM remote WHERE id = ?", (remote_pk,)
            ).first()
            if row is None:
                raise LedgerError(f"there is no remote audience {remote_pk}")
            if row.remote_id not in (None, remote_id):
                supersede(connection, remote_pk, at)
            connection.exec_driver_sql(
                "UPDATE remote SET remote_id = ?, state = 'ready', note = '' WHERE id = ?",
                (remote_id, remote_pk),
            )

    def rename(self, remote_pk: int, name: str) -> None:
        """Keep that a remote audience has another name from now on."""
        self._update("name = ?", (name,), remote_pk=remote_pk)

    def pause(self, remote_pk: int, note: str) -> None:
        """Send nothing to this remote audience until it is resumed."""
        self._update("state = 'paused', note = ?", (note,), remote_pk=remote_pk)

    def resume(self, remote_pk: int) -> None:
        """Send to it again."""
        self._update(
            "state = CASE WHEN remote_id IS NULL THEN 'creating' ELSE 'ready' END, note = ''",
            (),
            remote_pk=remote_pk,
        )

    def keep(self, remote_pk: int) -> None:
        """Take back that a remote audience is about to be deleted."""
        self._update("note = ''", (), remote_pk=remote_pk)

    def retire(self, remote_pk: int, at: datetime) -> None:
        """Plan nothing for it any more; revocations still reach whoever may be on it."""
        self._update("state = 'retired', checked_at = ?", (format_time(at),), remote_pk=remote_pk)

    def pause_destination(self, name: str, *, reason: str, cure: str, at: datetime) -> None:
        """Send nothing to this destination until it is resumed; the first pause's time stays."""
        with self._database.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO destination (name, paused_reason, paused_cure, paused_at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET paused_reason = excluded.paused_reason,"
                " paused_cure = excluded.paused_cure,"
                " paused_at = coalesce(destination.paused_at, excluded.paused_at)",
                (name, reason, cure, format_time(at)),
            )

    def resume_destination(self, name: str) -> None:
        """Send to this destination again."""
        with self._database.write() as connection:
            connection.exec_driver_sql(
                "UPDATE destination SET paused_reason = '', paused_cure = '', paused_at = NULL"
                " WHERE name = ?",
                (name,),
            )

    def paused_destinations(self) -> Mapping[str, tuple[str, str, datetime]]:
        """Return name -> (reason, cure, since)."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT name, paused_reason, paused_cure, paused_at FROM destination"
                " WHERE paused_at IS NOT NULL ORDER BY name"
            ).all()
        return {row.name: (row.paused_reason, row.paused_cure, parse_time(row.paused_at)) for row in rows}

    def block_destination(self, name: str, until: datetime) -> None:
        """Send nothing to this destination before *until*, as the platform asked."""
        with self._database.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO destination (name, blocked_until) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET blocked_until = excluded.blocked_until",
                (name, format_time(until)),
            )

    def blocked_until(self, name: str) -> datetime | None:
        """Return until when the platform asked to be left alone; it may be past."""
        with self._database.read() as connection:
            until = connection.exec_driver_sql(
                "SELECT blocked_until FROM destination WHERE name = ?", (name,)
            ).scalar()
        return parse_time(until) if until is not None else None

    def _update(self, change: str, values: tuple[str, ...], *, remote_pk: int) -> None:
        with self._database.write() as connection:
            found = connection.exec_driver_sql(
                f"UPDATE remote SET {change} WHERE id = ?",
                (*values, remote_pk),
            )
            if found.rowcount != 1:
                raise LedgerError(f"there is no remote audience {remote_pk}")


def remote_of(row: Row[tuple[object, ...]]) -> Remote:
    """Read ``COLUMNS``."""
    return Remote(
        id=row.id,
        target=Target(row.audience, row.destination),
        platform=row.platform,
        account=row.account,
        remote_id=row.remote_id,
        name=row.name,
        state=row.state,
        status=status_of_text(row.status) if row.status else None,
        checked_at=parse_time(row.checked_at) if row.checked_at else None,
        note=row.note,
        family=Family(row.family),
        intended_at=parse_time(row.created_at),
        match_rate=row.match_rate,
    )


def note_match_rate(connection: Connection, remote_pk: int, rate: str) -> None:
    """Keep what a platform said it recognized of an upload."""
    connection.exec_driver_sql("UPDATE remote SET match_rate = ? WHERE id = ?", (rate, remote_pk))


def _find(connection: Connection, target: Target) -> Remote | None:
    row = connection.exec_driver_sql(
        f"SELECT {COLUMNS} FROM remote WHERE audience = ? AND destination = ? AND superseded = 0",
        (target.audience, target.destination),
    ).first()
    return remote_of(row) if row is not None else None


def _family_of(platform: str) -> Family:
    for family in Family:
        if platform.startswith(family.value):
            return family
    raise SettingsError(f"platform {platform}: say whose normalization rules apply (family)")


def _refuse_other_account(known: Remote, account: str, family: Family) -> None:
    if known.account != account or known.family is not family:
        raise SettingsError(
            f"destination {known.target.destination} belonged to {known.platform} account"
            f" {known.account}, where"
            f" members may still be; give account {account} a destination of another name"
        )


def supersede(connection: Connection, remote_pk: int, at: datetime) -> int:
    """Move a remote audience's members and revocations to a row of its own; drop its other work."""
    old: int = connection.exec_driver_sql(
        "INSERT INTO remote (audience, destination, family, platform, account, remote_id, name,"
        " state, status, checked_at, note, created_at, superseded)"
        " SELECT audience, destination, family, platform, account, remote_id, name, 'retired',"
        " status, ?, 'replaced by another remote audience', created_at, 1"
        " FROM remote WHERE id = ? RETURNING id",
        (format_time(at), remote_pk),
    ).scalar_one()
    connection.exec_driver_sql("UPDATE membership SET remote = ? WHERE remote = ?", (old, remote_pk))
    connection.exec_driver_sql("UPDATE past_membership SET remote = ? WHERE remote = ?", (old, remote_pk))
    connection.exec_driver_sql("UPDATE batch SET remote = ? WHERE remote = ?", (old, remote_pk))
    connection.exec_driver_sql("UPDATE reading SET remote = ? WHERE remote = ?", (old, remote_pk))
    _close_regular(connection, old, at)
    return old


def _close_regular(connection: Connection, remote_pk: int, at: datetime) -> None:
    opened = "remote = ? AND lane = 'regular' AND state IN ('filling', 'pending', 'sending', 'accepted')"
    connection.exec_driver_sql(
        f"DELETE FROM batch_item WHERE batch IN (SELECT id FROM batch WHERE {opened})",
        (remote_pk,),
    )
    connection.exec_driver_sql(
        f"UPDATE batch SET state = 'rejected', settled_at = ?, note = 'remote audience replaced'"
        f" WHERE {opened}",
        (format_time(at), remote_pk),
    )
