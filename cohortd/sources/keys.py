"""Customer ids: never contact data, and each only once."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cohortd.core.errors import SettingsError
from cohortd.sources.casting import is_set

_EMAIL: Final = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
#: Written like a phone: a plus; brackets or a trunk zero and separators; three groups as in North
#: America; groups with spaces. Digits alone, and 0001-000234, are ids.
_PHONE: Final = (
    r"^(?:\+[\d ().\-/]+"
    r"|\(0?[1-9]\d{0,4}\)[ .\-/]*\d[\d ().\-/]*"
    r"|0[1-9]\d{0,4}[ .\-/][\d ().\-/]+"
    r"|(?:1[ .\-])?\d{3}[ .\-]\d{3}[ .\-]\d{4}"
    r"|\d+(?: \d+)+)$"
)
_FEWEST_DIGITS, _MOST_DIGITS = 7, 15

Mask = npt.NDArray[np.bool_]


def looks_like_email(ids: pa.Array) -> Mask:
    """Tell which ids are e-mail addresses."""
    return _matches(ids, _EMAIL)


def looks_like_phone(ids: pa.Array) -> Mask:
    """Tell which ids are phone numbers as people write them; plain digits are not."""
    digits = pc.utf8_length(pc.replace_substring_regex(ids, r"\D", ""))
    plausible = pc.and_(pc.greater_equal(digits, _FEWEST_DIGITS), pc.less_equal(digits, _MOST_DIGITS))
    is_plausible: Mask = np.asarray(pc.fill_null(plausible, fill_value=False))
    return _matches(ids, _PHONE) & is_plausible


def refuse_emails(ids: pa.Array, table: str) -> None:
    """Stop a table that names its customers by e-mail.

    Raises:
        SettingsError: At least one id is an e-mail address.
    """
    if looks_like_email(ids).any():
        raise SettingsError(
            f"{table}: customer_id holds e-mail addresses; map it to a column with an id that is no"
            " contact data, because ids are written to disk"
        )


class SeenIds:
    """Remembers which ids came by, 8 bytes each.

    Kept as 64-bit hashes in sorted runs that are merged as they grow. Two different ids are taken
    for one with a probability of 3 in a million among 10 million customers.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._runs: list[npt.NDArray[np.uint64]] = []

    def repeated(self, ids: pa.Array, *, among: Mask) -> Mask:
        """Tell which ids came before, here or earlier, and remember the new ones.

        Args:
            ids: May hold nulls, which are never repeated.
            among: Only these rows are looked at.
        """
        rows = np.flatnonzero(among & is_set(ids))
        hashes = pd.util.hash_array(ids.take(pa.array(rows)).to_numpy(zero_copy_only=False).astype(object))
        unique, firsts = np.unique(hashes, return_index=True)
        is_new = np.ones(len(unique), dtype=np.bool_)
        for run in self._runs:
            places = np.minimum(np.searchsorted(run, unique), len(run) - 1)
            is_new &= run[places] != unique
        self._remember(unique[is_new])
        repeated = np.zeros(len(ids), dtype=np.bool_)
        repeated[rows] = True
        repeated[rows[firsts[is_new]]] = False
        return repeated

    def _remember(self, run: npt.NDArray[np.uint64]) -> None:
        while self._runs and len(self._runs[-1]) <= len(run):
            run = np.sort(np.concatenate((self._runs.pop(), run)))
        if len(run):
            self._runs.append(run)


def _matches(ids: pa.Array, pattern: str) -> Mask:
    found: Mask = np.asarray(pc.fill_null(pc.match_substring_regex(ids, pattern), fill_value=False))
    return found
