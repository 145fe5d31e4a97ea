"""The removal log: appended inside the transactions of the ledger, chained and signed."""

import hashlib
import hmac
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection

from cohortd.core.consenting import SubjectKind
from cohortd.core.deadlines import Deadlines
from cohortd.core.errors import LedgerError
from cohortd.core.identifiers import IdentifierKind
from cohortd.core.removals import (
    RemovalEntry,
    Sealer,
    SignedHead,
    Tree,
    signed_text,
)
from cohortd.core.times import parse_time
from cohortd.ledger import subject_keys
from cohortd.ledger.database import Database
from cohortd.ledger.heads import append_head, read_head, read_heads
from cohortd.ledger.journal import Journal
from cohortd.ledger.log_reading import COLUMNS, FIELDS, last_before, pages, tail
from cohortd.ledger.timings import RemovalTiming, timings_of

HEADS_FILE: Final = "removal-log-heads.jsonl"

Subject = tuple[tuple[str, bytes], ...]
log = structlog.get_logger()


class RemovalLog:
    """Every step of taking somebody back, in order; nothing is ever changed or deleted."""

    def __init__(
        self,
        database: Database,
        *,
        sealer: Sealer,
        secret: bytes,
        state_dir: Path,
        deadlines: Deadlines,
    ) -> None:
        #: By when removals must be confirmed.
        self.deadlines = deadlines
        self._database = database
        self._sealer = sealer
        self._secret = secret
        self._heads = state_dir / HEADS_FILE

    @contextmanager
    def transaction(self) -> Iterator[tuple[Connection, Journal]]:
        """Write to the ledger and to the log, both or neither.

        The new head is witnessed beside the database after the commit; where that cannot be written, all
        the same: what is committed must go on, revocations before all (``unwitnessed`` tells).
        """
        journal = Journal()
        with self._database.write() as connection:
            yield connection, journal
            head = self._append(connection, journal)
        if head is not None:
            self._witness(head)

    def entries(self, subject: str | None = None, since: datetime | None = None) -> Iterator[RemovalEntry]:
        """Yield entries in their order, as they were sealed: all, or of one subject, or from a time on.

        Args:
            subject: A reference or a name in the log; entries under both are found.
            since: The time.
        """
        for page in pages(self._database, subject, since):
            yield from page

    def through(self, take: Callable[[Sequence[RemovalEntry]], object]) -> SignedHead | None:
        """Hand over every entry, page by page in their order, and return the head that stands for them.

        What another process writes meanwhile is handed over as well, so that they belong together.
        """
        last, is_new = 0, True
        while True:
            head = self.head()
            if (head is not None and last >= head.seq) or not is_new:
                return head
            is_new = False
            for page in pages(self._database, after=last):
                take(page)
                last, is_new = (page[-1].seq, True) if page else (last, is_new)

    def told(self, subject: str | None = None, since: datetime | None = None) -> Iterator[RemovalEntry]:
        """Yield the same entries as people read them: one name a person, and their words in plain.

        Of whoever was forgotten the words are not told any more.
        """
        for page in pages(self._database, subject, since):
            with self._database.read() as connection:
                found = subject_keys.opened(connection, page, self._sealer)
            yield from found

    def openings(self, entries: Sequence[RemovalEntry]) -> Sequence[str]:
        """Return for each entry the key that opens its words and no other's, hex; or nothing."""
        with self._database.read() as connection:
            return subject_keys.openings(connection, entries)

    def forget(self, subjects: Collection[str]) -> int:
        """Erase people's keys, by references or names in the log; return how many had one.

        Their entries stay, and the log stays whole; but nobody can tell any more whose they are, nor
        read whatever else in them could name a person. Entries from before there were keys stay as
        they are.

        Raises:
            LedgerError: A removal of one of them is still under way.
        """
        with self._database.write() as connection:
            return subject_keys.forget(connection, subjects)

    def names_of(self, refs: Collection[str]) -> Mapping[str, str]:
        """Return what the log calls subjects, by reference; whoever has no key goes by the reference."""
        with self._database.read() as connection:
            found = {person.ref: person.name for person in subject_keys.find(connection, refs)}
        return {ref: found.get(ref, ref) for ref in refs}

    def head(self) -> SignedHead | None:
        """Return the newest entry's signed hash; None while the log is empty."""
        with self._database.read() as connection:
            row = connection.exec_driver_sql("SELECT seq, hash, signature, root FROM removal_head").first()
        return SignedHead(*row) if row is not None else None

    def witnesses(self) -> Sequence[SignedHead]:
        """Return the heads written beside the database; they may be one transaction behind."""
        return read_heads(self._heads)

    def witness(self) -> None:
        """Write the head beside the database where a crash kept it from being written."""
        head = self.head()
        if head is not None and self.unwitnessed():
            self._witness(head)

    def unwitnessed(self) -> str:
        """Say why the newest head is not beside the database; empty where it is."""
        head = self.head()
        try:
            witnessed = read_head(self._heads)
        except LedgerError as error:
            return str(error)
        if head is None or (witnessed is not None and witnessed.seq >= head.seq):
            return ""
        return f"{self._heads} lacks the newest head of the removal log"

    def subject_ref(self, subject_kind: SubjectKind, key: bytes | Subject) -> str:
        """Name a subject in the ledger: 32 hex digits that nobody can compute without our secret.

        The log has other names for them (``names_of``).

        Args:
            key: A customer's member key, or the subject of a consent record. A contact field goes
                by its digest under the first family in the alphabet.
        """
        chosen = key if isinstance(key, bytes) else min(key)[1]
        return hmac.digest(self._secret, subject_kind.value.encode() + b":" + chosen, hashlib.sha256).hex()[
            :32
        ]

    def newest(self, most: int) -> Sequence[RemovalEntry]:
        """Return the newest entries, the newest last, as ``told`` does."""
        with self._database.read() as connection:
            entries = tail(connection, most)
            return subject_keys.opened(connection, entries, self._sealer)

    def timings(self, since: datetime | None = None, subject: str | None = None) -> Sequence[RemovalTiming]:
        """Say how long each removal took, a withdrawal and destination: all, or those of one subject.

        Args:
            since: Of withdrawals alone that were recorded from then on; what came before is not read.
            subject: As for ``entries``.
        """
        if since is None:
            return timings_of(self._named(subject))
        with self._database.read() as connection:
            first = last_before(connection, since)
        found = timings_of(self._named(subject, after=first), recorded=True)
        return [timing for timing in found if timing.recorded_at >= since]

    def _witness(self, head: SignedHead) -> None:
        try:
            append_head(self._heads, head)
        except LedgerError as error:
            log.warning("removal_log_head_not_witnessed", why=str(error))

    def _named(self, subject: str | None, *, after: int = 0) -> Iterator[RemovalEntry]:
        """Yield entries with one name a person, whatever version they are of."""
        for page in pages(self._database, subject, after=after):
            with self._database.read() as connection:
                found = subject_keys.named(connection, page)
            yield from found

    def _append(self, connection: Connection, journal: Journal) -> SignedHead | None:
        if not journal.lines:
            return None
        newest = connection.exec_driver_sql("SELECT seq, hash, peaks, root FROM removal_head").first()
        seq, previous = (newest.seq, newest.hash) if newest is not None else (0, "")
        tree = Tree() if newest is None else self._whole(connection, Tree(seq, newest.peaks, newest.root))
        people = subject_keys.ensure(connection, {str(line["subject"]) for line in journal.lines})
        rows, hashes = [], []
        for line in journal.lines:
            seq += 1
            line["record_id"] = _record_id(str(line["at"]), f"{previous} {seq}")
            line.update(subject_keys.concealed(line, people[str(line["subject"])], self._sealer))
            sealed = self._sealer.seal(previous, line)
            rows.append((seq, *(line[name] for name in FIELDS), previous, sealed))
            hashes.append(sealed)
            previous = sealed
        marks = ", ".join("?" * len(COLUMNS))
        connection.exec_driver_sql(f"INSERT INTO removal_log ({', '.join(COLUMNS)}) VALUES ({marks})", rows)
        tree = self._sealer.grow(tree, hashes)
        signature = self._sealer.sign(signed_text(seq, previous, tree.root))
        connection.exec_driver_sql(
            "INSERT INTO removal_head (id, seq, hash, signature, root, peaks) VALUES (1, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash,"
            " signature = excluded.signature, root = excluded.root, peaks = excluded.peaks",
            (seq, previous, signature, tree.root, tree.peaks),
        )
        return SignedHead(seq, previous, signature, tree.root)

    def _whole(self, connection: Connection, tree: Tree) -> Tree:
        """Return the tree, made anew where it was altered, or where the log is older than the tree."""
        if self._sealer.grow(tree, ()) == tree:
            return tree
        hashes = connection.exec_driver_sql(
            "SELECT hash FROM removal_log WHERE seq <= ? ORDER BY seq", (tree.size,)
        )
        return self._sealer.grow(Tree(), list(hashes.scalars()))


def _record_id(at: str, place: str) -> str:
    """Name an entry by its time and its place in the chain: a UUID of version 7 that nothing else has."""
    rest = hashlib.sha256(place.encode()).hexdigest()
    when, variant = _milliseconds(at), "89ab"[int(rest[3], 16) & 3]
    return f"{when[:8]}-{when[8:]}-7{rest[:3]}-{variant}{rest[4:7]}-{rest[7:19]}"


@lru_cache(maxsize=4)
def _milliseconds(at: str) -> str:
    """Return a time since 1970 as 12 hex digits; whole transactions have the same."""
    return f"{int(parse_time(at).timestamp() * 1000):012x}"


def kinds_text(kinds: Sequence[int]) -> str:
    """Write identifier kinds for people."""
    return ",".join(IdentifierKind(kind).name.lower() for kind in sorted(set(kinds)))
