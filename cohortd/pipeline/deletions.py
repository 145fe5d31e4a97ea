"""California's deletion lists (DROP) against the customers: whoever is on one is taken back everywhere.

Nothing raw is needed of the lists, and nothing raw of the customers leaves identity: digests meet digests.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import structlog

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.deletions import DeletionList, DeletionStatus
from cohortd.core.identifiers import DIGEST_BYTES, Family, IdentifierKind
from cohortd.identity import deletion_digests, is_comparable
from cohortd.ledger import Extra, Withdrawn
from cohortd.pipeline import carriers
from cohortd.pipeline.consents import Subject, customer_subject
from cohortd.pipeline.deletion_items import Items, at_once
from cohortd.pipeline.revoking import send_revocations
from cohortd.pipeline.wiring import Pipeline
from cohortd.report import DeletionAnswers
from cohortd.sources import REMOVED, DeletionPart, DeletionTally, Tally, read_contacts, read_deletion_lists

#: What the removal log says: why, and where it came from.
TRIGGER: Final = "drop"
#: Under which it is due and answered: the Delete Act leaves more time than opting out under the CCPA.
REGULATION: Final = "ccpa"
_LOOKED_UP_AT_ONCE: Final = 50_000
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Deletions:
    """What an import of deletion lists came to."""

    #: List, or ``Removed`` -> usable rows.
    rows: Mapping[str, int]
    dropped: Mapping[str, int]
    #: Work items by whom they name: nobody, one, several, granted_again; and by what was answered.
    found: Mapping[str, int]
    answered: Mapping[str, int]
    not_compared: Mapping[str, int]
    withdrawn: int
    known: int
    notes: tuple[str, ...]
    fell_short: bool


@dataclass(slots=True)
class DeletionAccount:
    """What became of work items."""

    tally: DeletionTally = field(default_factory=DeletionTally)
    #: Of items by how many people they name now: none, one, several; and those not compared, by list.
    found: Counter[str] = field(default_factory=Counter)
    not_compared: Counter[str] = field(default_factory=Counter)
    #: People newly taken back, and those taken back by an earlier import of the same work items.
    withdrawn: int = 0
    known: int = 0
    #: Rows of the customers table that could not be compared.
    customers_lost: int = 0
    deleted: bool = False


def import_deletions(
    pipeline: Pipeline, file: Path, answers: DeletionAnswers, *, deleted: bool
) -> Deletions:
    """Take everybody on the lists back, send the removals, and write what is to be answered.

    Args:
        deleted: Whether a person says that whoever is found alone is deleted everywhere else, too.

    Raises:
        SettingsError, SourceError: The lists or the customers cannot be read. Removals queued so far
            are sent; no answer is written.
    """
    account, answered = DeletionAccount(deleted=deleted), Counter[str]()
    try:
        with answers:
            for name, rows in take_deletions(pipeline, file, account):
                answers.write(name, rows)
                answered.update(str(int(status)) for _, status in rows)
    finally:
        sending = send_revocations(pipeline)
    notes = list(_notes(account))
    log.info("deletion_lists_taken", withdrawn=account.withdrawn, known=account.known, **account.found)
    return Deletions(
        rows=dict(account.tally.rows),
        dropped={reason: count for reason, count in account.tally.dropped.items() if count},
        found=dict(account.found),
        answered=dict(sorted(answered.items())),
        not_compared=dict(account.not_compared),
        withdrawn=account.withdrawn,
        known=account.known,
        notes=(*notes, *sending.notes),
        fell_short=sending.fell_short or bool(account.customers_lost) or _lost(account),
    )


def _lost(account: DeletionAccount) -> bool:
    return any(account.tally.dropped.values())


def _notes(account: DeletionAccount) -> Iterator[str]:
    removed = account.tally.rows[REMOVED]
    if removed:
        yield f"{removed:,} requests were cancelled; a cancellation is no grant, so nothing was lifted"
    for name, count in account.not_compared.items():
        yield f"{name}: {count:,} work items were not compared, and are not answered"
    unsaid = account.found["one"]
    if unsaid and not account.deleted:
        yield (
            f"{unsaid:,} work items name one person each, who must be deleted everywhere (or is exempt):"
            " they are answered 3 with --deleted, once that is done, and left out of the report until then"
        )
    if account.found["granted_again"]:
        yield (
            f"{account.found['granted_again']:,} work items name somebody who granted again since an"
            " earlier import; they are not taken back anew, and the items are not answered"
        )
    if account.customers_lost:
        yield (
            f"{account.customers_lost:,} rows of the customers table cannot be read and were not compared:"
            " mend them before you answer 5"
        )
    if account.tally.unknown_files:
        yield f"{account.tally.unknown_files:,} files in the ZIP are no lists and were not read"


def take_deletions(
    pipeline: Pipeline, file: Path, account: DeletionAccount
) -> Iterator[tuple[str, list[tuple[bytes, DeletionStatus]]]]:
    """Look for everybody on the lists and queue their removals; yield file names and what to answer."""
    for parts in at_once(read_deletion_lists(file, account.tally)):
        for name in dict.fromkeys(part.list for part in parts):
            if not is_comparable(name, hashed=pipeline.identity.hashed):
                account.not_compared[name.value] += sum(len(p) for p in parts if p.list is name)
        items = list(_items(pipeline, parts))
        _find_customers(pipeline, items, account)
        _find_sent(pipeline, items, account)
        for each in items:
            yield from _answers(each, account)


def _items(pipeline: Pipeline, parts: Sequence[DeletionPart]) -> Iterator[Items]:
    for name in DeletionList:
        theirs = [part for part in parts if part.list is name]
        if theirs and is_comparable(name, hashed=pipeline.identity.hashed):
            ids = np.concatenate([part.ids for part in theirs])
            yield Items(name, theirs, ids, np.concatenate([part.digests for part in theirs]))


def _find_customers(pipeline: Pipeline, items: Sequence[Items], account: DeletionAccount) -> None:
    """Compare what every customer carries."""
    tally = Tally("customers")
    by_list = {each.list: each for each in items}
    for contacts in read_contacts(pipeline.sources.customers, tally):
        found: dict[int, set[tuple[DeletionList, int]]] = defaultdict(set)
        for name, rows, digests in deletion_digests(contacts, hashed=pipeline.identity.hashed):
            if name in by_list:
                for place, item in by_list[name].matches(digests):
                    found[int(rows[place])].add((name, item))
        if found:
            chosen = sorted(found)
            theirs = contacts.take(pa.array(chosen))
            _take_back(pipeline, theirs, [found[row] for row in chosen], by_list, account)
    account.customers_lost = tally.dropped_rows


def _take_back(
    pipeline: Pipeline,
    contacts: pa.RecordBatch,
    named: Sequence[Collection[tuple[DeletionList, int]]],
    items: Mapping[DeletionList, Items],
    account: DeletionAccount,
) -> None:
    """Revoke for the customers of *contacts*, each of whom some work items name."""
    carried = carriers.of_batch(pipeline, contacts)
    asked = [
        _Asked(SubjectKind.CUSTOMER, customer_subject(pipeline, customer), items[name], item, customer)
        for customer, theirs in zip(contacts.column("customer_id").to_pylist(), named, strict=True)
        for name, item in sorted(theirs)
    ]
    for each in asked:
        each.items.people[each.item] += 1
    _revoke(pipeline, asked, account, carried)


def _find_sent(pipeline: Pipeline, items: Sequence[Items], account: DeletionAccount) -> None:
    """Find who is no customer any more and was sent by e-mail: Meta's digest is the lists' own.

    So is Google's, but for addresses at Gmail with dots. Of phones and devices the digests differ.
    """
    for each in items:
        if each.list is DeletionList.EMAIL:
            missing = np.flatnonzero(each.people == 0)
            for start in range(0, len(missing), _LOOKED_UP_AT_ONCE):
                asked = list(_sent(pipeline, each, missing[start : start + _LOOKED_UP_AT_ONCE]))
                _revoke(pipeline, asked, account, {})


def _sent(pipeline: Pipeline, items: Items, missing: npt.NDArray[np.intp]) -> "Iterator[_Asked]":
    wanted = [items.digests[item].tobytes() for item in missing]
    people: Counter[bytes] = Counter()
    for family in Family:
        people |= Counter(pipeline.ledger.members.sent_by(family, IdentifierKind.EMAIL, wanted))
    found = sorted(people)
    digests = np.frombuffer(b"".join(found), np.uint8).reshape(-1, DIGEST_BYTES)
    for place, item in items.matches(digests):
        items.people[item] = people[found[place]]
        subject = tuple((family.value, found[place]) for family in sorted(Family))
        yield _Asked(SubjectKind.EMAIL, subject, items, item)


@dataclass(frozen=True, slots=True, repr=False)
class _Asked:
    """Somebody whom a work item names."""

    kind: SubjectKind
    subject: Subject
    items: Items
    item: int
    customer_id: str = ""

    @property
    def evidence(self) -> str:
        """SHA-256 of the work item's ID, as of all evidence."""
        return sha256(bytes(self.items.ids[self.item])).hexdigest()


def _revoke(
    pipeline: Pipeline,
    asked: Sequence[_Asked],
    account: DeletionAccount,
    carried: Mapping[str, Sequence[Extra]],
) -> None:
    """Take in what is not known; the same work item counts once, so that a later grant stays."""
    store, now = pipeline.ledger.consent, pipeline.clock()
    kept = store.records_for([(each.kind, each.subject[0][1]) for each in asked])
    known = {(r.subject, r.evidence) for r in kept if r.source == TRIGGER}
    standing = {
        (cause.record.subject, cause.record.evidence)
        for cause in store.about([each.subject[0][1] for each in asked])
    }
    news = []
    for each in asked:
        if (each.subject, each.evidence) not in known:
            news.append(each)
        elif (each.subject, each.evidence) not in standing:
            each.items.again[each.item] = True
    withdrawn = [
        Withdrawn(_record(each, now), tuple(Family), carried.get(each.customer_id, ())) for each in news
    ]
    store.withdraw_many(withdrawn, trigger=TRIGGER, now=now)
    account.withdrawn += len({each.subject for each in news})
    account.known += len({each.subject for each in asked} - {each.subject for each in news})


def _record(asked: _Asked, now: datetime) -> ConsentRecord:
    return ConsentRecord(
        subject_kind=asked.kind,
        subject=asked.subject,
        status=ConsentStatus.REVOKED,
        recorded_at=now,
        regulation=REGULATION,
        source=TRIGGER,
        evidence=asked.evidence,
    )


def _answers(
    items: Items, account: DeletionAccount
) -> Iterator[tuple[str, list[tuple[bytes, DeletionStatus]]]]:
    """Say what is true of each work item by itself; of the others a person must."""
    account.found["nobody"] += int(np.count_nonzero(items.people == 0))
    account.found["granted_again"] += int(np.count_nonzero(items.again))
    account.found["one"] += int(np.count_nonzero((items.people == 1) & ~items.again))
    account.found["several"] += int(np.count_nonzero((items.people > 1) & ~items.again))
    status = np.select(
        [items.again, items.people == 0, items.people > 1],
        [0, DeletionStatus.NOT_FOUND, DeletionStatus.OPTED_OUT],
        DeletionStatus.DELETED if account.deleted else 0,
    )
    start = 0
    for part in items.parts:
        said = status[start : start + len(part)]
        start += len(part)
        told = np.flatnonzero(said)
        yield (
            part.file,
            [
                (bytes(name), DeletionStatus(int(code)))
                for name, code in zip(part.ids[told], said[told], strict=True)
            ],
        )
