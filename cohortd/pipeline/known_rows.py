"""Rows of the consent table that the ledger is known to have taken in, so that none is looked up twice.

The daemon looks at the table every few minutes, and nearly every withdrawal in it is an old one.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import pandas as pd

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

#: pandas hashes with a key of 16 bytes to 8 bytes: twice, so that two rows are never taken for one.
_KEY_DIGITS: Final = 8
_HASHES: Final = 2


class KnownRows:
    """A set of rows by keyed hashes, in memory only."""

    def __init__(self) -> None:
        """Begin with none."""
        self._keys = [secrets.token_hex(_KEY_DIGITS) for _ in range(_HASHES)]
        self._known: set[bytes] = set()

    def holds(self, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Say of each row whether it is known; one without a time never is, since it may count anew."""
        import numpy as np  # noqa: PLC0415 - every pipeline has one of these, and most never ask it

        marks = self._marks(rows)
        known = np.fromiter((mark in self._known for mark in marks), np.bool_, len(marks))
        known &= ~rows["untimed"].to_numpy(dtype=np.bool_)
        return known

    def add(self, rows: pd.DataFrame) -> None:
        """Know these from now on."""
        self._known.update(self._marks(rows))

    def _marks(self, rows: pd.DataFrame) -> list[bytes]:
        import numpy as np  # noqa: PLC0415 - see above

        hashed = [
            pd.util.hash_pandas_object(rows, index=False, hash_key=key).to_numpy() for key in self._keys
        ]
        both = np.ascontiguousarray(np.column_stack(hashed))
        marks: list[bytes] = both.view(f"V{both.itemsize * _HASHES}").ravel().tolist()
        return marks
