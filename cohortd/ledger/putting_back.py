"""An older copy of the ledger was put back: nobody knows who was added since.

It comes to light by the leaders' epoch, which is also kept in a file beside the ledger. From then on a
withdrawal takes its person off every remote audience, whether the ledger knows them there or not.
"""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from cohortd.core.errors import LedgerError
from cohortd.core.identifiers import IdentifierKind
from cohortd.core.times import format_time
from cohortd.ledger.batches import OPEN
from cohortd.ledger.queueing import Leaving

EPOCH_FILE: Final = "leader-epoch.json"
#: By how much the epoch beside a copy is ahead of the copy's own: whoever leads with it knows it for one.
COPIED: Final = 1_000_000
#: What finds a person by its digest alone; all else only with the payload by which it is sent.
_BY_DIGEST: Final = f"({IdentifierKind.EMAIL:d}, {IdentifierKind.PHONE:d})"

#: Whatever is known of the people at hand, on every remote audience where the ledger does not know it.
_ANYWHERE: Final = f"""
    SELECT r.id, k.withdrawal, k.kind, k.key, k.payload FROM temp.w_key k
        CROSS JOIN temp.w_family f ON f.withdrawal = k.withdrawal AND f.family = k.family
        CROSS JOIN remote r ON r.family = k.family
    WHERE r.remote_id IS NOT NULL AND (k.kind IN {_BY_DIGEST} OR length(k.payload) > 0)
      AND NOT EXISTS (SELECT 1 FROM membership m
        WHERE m.remote = r.id AND m.kind = k.kind AND m.digest = k.key)
      AND NOT EXISTS (SELECT 1 FROM batch b CROSS JOIN batch_item i ON i.batch = b.id AND i.kind = k.kind
            AND i.digest = k.key
        WHERE b.remote = r.id AND b.{OPEN} AND b.lane = 'revocation')
"""


class EpochFile:
    """The newest epoch that a leader took here, outside the database."""

    def __init__(self, folder: Path, *, ledger: str) -> None:
        """Name the file; *ledger* is the code of the ledger, since another one counts from anew."""
        self._path = folder / EPOCH_FILE
        self._ledger = ledger

    def read(self) -> int | None:
        """Return it; 0 where none is known of this ledger, None where the file cannot be read.

        Nobody can say then that no copy was put back, and no revocation may wait for somebody to look.
        """
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return int(found["epoch"]) if found["ledger"] == self._ledger else 0
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, epoch: int) -> None:
        """Keep it, whole or not at all.

        Raises:
            LedgerError: The folder cannot be written to.
        """
        part = self._path.with_suffix(".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with part.open("w", encoding="utf-8") as file:
                json.dump({"ledger": self._ledger, "epoch": epoch}, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as error:
            raise LedgerError(f"{self._path} cannot be written: {error.strerror}") from None


def note(connection: Connection, *, at: datetime) -> None:
    """Note that an older copy was put back."""
    connection.exec_driver_sql(
        "UPDATE installation SET put_back_at = ?, asserted_at = NULL", (format_time(at),)
    )


def was_put_back(connection: Connection) -> bool:
    """Tell whether an older copy was ever put back."""
    found = connection.exec_driver_sql("SELECT put_back_at FROM installation").scalar_one()
    return found is not None


def is_to_assert(connection: Connection) -> bool:
    """Tell whether it was, and who is to be taken off everywhere was not yet asked for."""
    row = connection.exec_driver_sql("SELECT put_back_at, asserted_at FROM installation").one()
    return row.put_back_at is not None and row.asserted_at is None


def note_asserted(connection: Connection, *, at: datetime) -> None:
    """Note that it was asked for."""
    connection.exec_driver_sql("UPDATE installation SET asserted_at = ?", (format_time(at),))


def anywhere(connection: Connection) -> list[Leaving]:
    """Return what the people at hand may have to be taken off, though the ledger does not know it."""
    return [
        # Nobody's in particular: all of a withdrawal is one row on the wire.
        Leaving(row.id, row.withdrawal, b"", row.kind, row.key, row.payload or b"")
        for row in connection.exec_driver_sql(_ANYWHERE)
    ]
