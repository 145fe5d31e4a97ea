"""New rules of normalization give people other digests: they follow over a week, not all at once."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection

from cohortd.ledger.keys import Mask, Words, heads

#: Seconds over which everybody whose digests changed is sent anew.
SPREAD_S: Final = 7 * 86_400
_BYTES: Final = 256


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A change of the rules that is less than a week old."""

    #: Of the rules now; what was sent under an older one may wait.
    version: int
    #: Share of the time that is over.
    done: float

    def waits(self, members: Words) -> Mask:
        """Say of each member whether their turn is yet to come, by the first byte of the key."""
        waiting: Mask = (heads(members) >> np.uint64(56)).astype(np.float64) / _BYTES >= self.done
        return waiting


def under_way(connection: Connection, version: int, *, now: int) -> Upgrade | None:
    """Return the upgrade to these rules, if the ledger knew older ones until a week ago."""
    row = connection.exec_driver_sql("SELECT normalization, normalized_since FROM installation").one()
    if row.normalization == 0:
        return None
    since = row.normalized_since if row.normalization == version else now
    done = (now - since) / SPREAD_S
    return Upgrade(version, done) if done < 1 else None


def note(connection: Connection, version: int, *, now: int) -> None:
    """Keep which rules are in use, and since when where there were older ones."""
    connection.exec_driver_sql(
        "UPDATE installation SET normalized_since = CASE normalization WHEN 0 THEN 0 ELSE :now END,"
        " normalization = :version WHERE normalization != :version",
        {"now": now, "version": version},
    )
