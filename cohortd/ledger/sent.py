"""What a comparison reads of the memberships, whichever database it reads them from."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from cohortd.core.identifiers import DIGEST_BYTES
from cohortd.ledger.keys import Words
from cohortd.ledger.rows import Payloads

#: How a row stands, for a comparison: a ``State``, or one of these.
DOUBTED: Final = 5
"""Rejected, but the platform may hold it."""
LEFT_BEHIND: Final = 6
"""Written ahead for a batch that is over, and never confirmed: nobody knows."""

#: Any digest is before it.
END: Final = b"\xff" * (DIGEST_BYTES + 1)
#: To be filled with the column that holds the keys.
RANGE: Final = "kind = :kind AND {0} >= :low AND {0} < :high"
#: The memberships of one remote audience in a range of keys.
WHERE: Final = f"FROM membership WHERE remote = :remote AND {RANGE.format('digest')}"
WRONG_LENGTH: Final = "the ledger holds a digest or member key of the wrong length; restore a backup"


@dataclass(frozen=True, slots=True)
class Range:
    """A part of the keys of one kind."""

    kind: int
    low: bytes
    high: bytes

    def values(self) -> dict[str, object]:
        """Return it as parameters of a statement."""
        return {"kind": self.kind, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True, repr=False)
class Sent:
    """Memberships of one remote audience and kind, by ascending digest."""

    digest: Words
    member: Words
    #: A ``State``, ``DOUBTED`` or ``LEFT_BEHIND``.
    standing: NDArray[np.uint8]
    #: None where nobody can be due.
    sent_at: NDArray[np.int64] | None
    payload: Payloads

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.standing)


class Scan(Protocol):
    """Reads the memberships in a range of keys, in their order."""

    def __call__(self, connection: Connection, remote: int, keys: Range, *, fresh: int) -> Sent:
        """Read them.

        Args:
            fresh: Whoever was sent later is not due; only of the others is it told when they were sent.
        """
        ...
