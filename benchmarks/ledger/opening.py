"""A ledger with one remote audience, and people who take consent back."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from benchmarks.ledger.people import members
from benchmarks.ledger.places import Place
from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.planning import Target
from cohortd.core.removals import Tree
from cohortd.ledger import Ledger
from consent import concealing, merkle

NOW: Final = datetime(2026, 11, 22, tzinfo=UTC)
TARGET: Final = Target("everybody", "google")


class _Sealer:
    def seal(self, previous: str, fields: Mapping[str, object]) -> str:
        return hashlib.sha256(f"{previous}{sorted(fields.items())}".encode()).hexdigest()

    def grow(self, tree: Tree, hashes: Sequence[str]) -> Tree:
        return merkle.grow(tree, hashes)

    def sign(self, head: str) -> str:
        return head[:8]

    def conceal(self, key: bytes, text: str) -> str:
        return concealing.conceal(key, text)

    def reveal(self, key: bytes, concealed: str) -> str | None:
        return concealing.reveal(key, concealed)


@contextmanager
def opened(place: Place) -> Iterator[Ledger]:
    """Open the ledger, with its audience."""
    with Ledger.open(place.url, sealer=_Sealer(), state_dir=place.folder) as ledger:
        if ledger.remotes.get(TARGET) is None:
            remote = ledger.remotes.intend(
                TARGET, platform="google_data_manager", account="1", name="everybody", at=NOW
            )
            ledger.remotes.attach(remote.id, "1", at=NOW)
        yield ledger


def revocation(person: int) -> ConsentRecord:
    """Say that one of the people took consent back."""
    key = members(person, 1).tobytes()
    return ConsentRecord(SubjectKind.CUSTOMER, (("", key),), ConsentStatus.REVOKED, NOW)
