"""Identifiers that somebody whose consent is withdrawn carries now, and somebody else would be sent by.

What a person carries may change after they withdrew: an address may come to be a partner's. The
withdrawal wins for it all the same, whenever it reached the customers table.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cohortd.core.consenting import ConsentRecord, Reason
from cohortd.core.identifiers import DIGEST_BYTES, Family, member_key
from cohortd.ledger import SuppressionCause, Withdrawn
from cohortd.pipeline import carriers
from cohortd.pipeline.wiring import Pipeline
from cohortd.pipeline.withdrawing import withdraw_all

#: The first eight bytes of digests: of two that only begin alike, a person is looked at in vain.
Heads = npt.NDArray[np.uint64]
_HEAD_BYTES = 8
_WITHDRAWN = [Reason.REVOKED.value, Reason.DENIED.value]


@dataclass(slots=True)
class Shared:
    """One family's identifiers of whoever would be sent, and of whoever withdrew, as all are read."""

    sent: list[Heads] = field(default_factory=list)
    withdrawn: list[Heads] = field(default_factory=list)
    #: The customer of each withdrawn one.
    whose: list[pa.Array] = field(default_factory=list)

    def note_sent(self, digests: pa.ChunkedArray) -> None:
        """Take in what some customers would be sent by."""
        self.sent.append(_heads(digests))

    def note_withdrawn(
        self, ids: Sequence[str], reasons: "npt.NDArray[np.object_]", identifiers: pa.Table
    ) -> None:
        """Take in what those of some customers carry whom a withdrawal keeps out."""
        rows = np.asarray(identifiers.column("row").to_numpy(), dtype=np.int64)
        theirs = np.isin(reasons, _WITHDRAWN)[rows]
        self.withdrawn.append(_heads(identifiers.column("digest").filter(pa.array(theirs))))
        self.whose.append(pa.array(ids, type=pa.string()).take(pa.array(rows[theirs])))

    def customers(self) -> Sequence[str]:
        """Return who withdrew and carries what somebody else would be sent by."""
        if not sum(map(len, self.withdrawn)):
            return []
        both = np.isin(np.concatenate(self.withdrawn), np.concatenate(self.sent))
        found = pa.chunked_array(self.whose).filter(pa.array(both))
        return sorted(found.unique().to_pylist())


def withdraw_shared(
    pipeline: Pipeline,
    sharing: Mapping[Family, Sequence[str]],
    withdrawn: Mapping[tuple[Family, bytes], ConsentRecord],
) -> None:
    """Suppress what these customers carry now, by the withdrawal that keeps them out.

    Args:
        sharing: Customers, by family.
        withdrawn: What is known of why they are kept out, where the ledger cannot say.
    """
    for family, customers in sharing.items():
        carried = carriers.of_customers(pipeline, customers)
        theirs = {c: [extra for extra in found if extra[0] is family] for c, found in carried.items()}
        keys = {c: member_key(c, pipeline.ledger.secret) for c in theirs}
        wanted = {(0, key) for key in keys.values()}
        wanted |= {(int(i.kind), i.digest) for found in theirs.values() for _, _, i in found}
        causes = _causes(pipeline, family, wanted)
        asked = []
        for customer, found in theirs.items():
            own = [(0, keys[customer]), *((int(i.kind), i.digest) for _, _, i in found)]
            standing = [cause for key in own for cause in causes.get(key, ())]
            record = max(standing, key=lambda c: c.withdrawn_at).record if standing else None
            record = record or withdrawn.get((family, keys[customer]))
            if record is not None:
                asked.append(Withdrawn(record, {family}, found))
        withdraw_all(pipeline, asked)


def _causes(
    pipeline: Pipeline, family: Family, keys: set[tuple[int, bytes]]
) -> Mapping[tuple[int, bytes], Sequence[SuppressionCause]]:
    found: dict[tuple[int, bytes], list[SuppressionCause]] = defaultdict(list)
    for key, cause in pipeline.ledger.consent.against(family, sorted(keys)):
        found[key].append(cause)
    return found


def _heads(digests: pa.ChunkedArray) -> Heads:
    whole = digests.combine_chunks()
    data = np.frombuffer(whole.buffers()[1] or b"", dtype=np.uint8)
    data = data[whole.offset * DIGEST_BYTES : (whole.offset + len(whole)) * DIGEST_BYTES]
    heads = np.ascontiguousarray(data.reshape(-1, DIGEST_BYTES)[:, :_HEAD_BYTES])
    return heads.view(np.uint64).ravel()
