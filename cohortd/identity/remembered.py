"""What became of values that take long, so that unchanged customers are not worked out again.

Most values never come here: the kernel makes a new digest in less time than finding an old one takes.
"""

import hashlib
import secrets
import threading
from collections.abc import Callable
from functools import cache
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cohortd.core.identifiers import DIGEST_BYTES
from cohortd.identity.cells import Placed
from cohortd.identity.digests import from_arrow, to_arrow
from cohortd.identity.outcomes import Outcomes
from cohortd.identity.rules import Rule

Work: TypeAlias = Callable[[Rule, Placed], Outcomes]
Keys: TypeAlias = NDArray[np.uint64]
Codes: TypeAlias = NDArray[np.uint8]

#: A power of two; about 50 bytes each, of which the system lends only what is used.
SLOTS: Final = 1 << 20
_KEY_BYTES: Final = 16
_SECRET_BYTES: Final = 32


class Remembered:
    """A fixed number of outcomes by a keyed digest of each value, never the value.

    A newer one takes an older one's slot. The key lives as long as the process, and nothing of this
    is written anywhere.
    """

    def __init__(self, slots: int = SLOTS) -> None:
        """Begin with none."""
        self._secret = secrets.token_bytes(_SECRET_BYTES)
        self._lock = threading.Lock()
        self._keys: Keys = np.zeros((slots, _KEY_BYTES // 8), dtype=np.uint64)
        self._digests = np.zeros((slots, DIGEST_BYTES), dtype=np.uint8)
        #: Index into the reasons; 0 for a digest.
        self._codes: Codes = np.zeros(slots, dtype=np.uint8)
        self._reasons: list[str | None] = [None]
        self._rules: dict[Rule, int] = {}

    def outcomes(self, rule: Rule, placed: Placed, work: Work) -> Outcomes:
        """Return what *work* makes of texts under a rule that sends digests; it sees new ones only."""
        with self._lock:
            keys = self._keyed(rule, placed)
            slots = (keys[:, 0] & np.uint64(len(self._keys) - 1)).astype(np.int64)
            known = (self._keys[slots] == keys).all(axis=1)
            digests, codes = self._digests[slots], self._codes[slots]
            new = np.flatnonzero(~known)
            if len(new):
                found = work(rule, placed.take(new))
                digests[new], codes[new] = from_arrow(found.sent), self._coded(found.reasons)
                for kept, value in ((self._keys, keys), (self._digests, digests), (self._codes, codes)):
                    kept[slots[new]] = value[new]
            reasons = pa.array(self._reasons, pa.string()).take(pa.array(codes))
        return Outcomes(to_arrow(digests, codes == 0), reasons)

    def _keyed(self, rule: Rule, placed: Placed) -> Keys:
        number = self._rules.setdefault(rule, len(self._rules))
        begun = [
            hashlib.blake2b(
                f"{number} {place.region if rule.regional else ''}\0".encode(),
                key=self._secret,
                digest_size=_KEY_BYTES,
            )
            for place in placed.places
        ]
        found = []
        for text, place in zip(
            placed.texts.cast(pa.large_binary()).to_pylist(), placed.place_of.tolist(), strict=True
        ):
            keyed = begun[place].copy()
            keyed.update(text)
            found.append(keyed.digest())
        return np.frombuffer(b"".join(found), dtype=np.uint64).reshape(-1, _KEY_BYTES // 8)

    def _coded(self, reasons: pa.Array) -> Codes:
        for reason in pc.unique(reasons).to_pylist():
            if reason not in self._reasons:
                self._reasons.append(reason)
        codes = pc.fill_null(pc.index_in(reasons, pa.array(self._reasons, pa.string())), 0)
        return np.asarray(codes, dtype=np.uint8)


@cache
def remembered() -> Remembered:
    """Return what this process remembers."""
    return Remembered()
