"""The people behind the work items of deletion lists: found by digests, taken back.

Nothing raw is needed of the lists, and nothing raw of the customers leaves identity: digests meet digests.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

import numpy as np
import pyarrow as pa

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.deletions import DeletionList
from cohortd.core.identifiers import DIGEST_BYTES, Family, IdentifierKind, member_key
from cohortd.identity import deletion_digests, is_comparable
from cohortd.ledger import Extra, Withdrawn
from cohortd.pipeline import carriers
from cohortd.pipeline.deletion_items import DeletionAccount, Items
from cohortd.pipeline.subjects import Subject, customer_subject
from cohortd.pipeline.wiring import Pipeline
from cohortd.sources import DeletionPart, Tally, read_contacts

#: What the removal log says: why, and where it came from.
TRIGGER: Final = "drop"
#: Under which it is due and answered: the Delete Act leaves more time than opting out under the CCPA.
REGULATION: Final = "ccpa"
_LOOKED_UP_AT_ONCE: Final = 50_000


def take_people_back(
    pipeline: Pipeline, parts: Sequence[DeletionPart], account: DeletionAccount
) -> Sequence[Items]:
    """Find whom the work items name, queue their removals, and return the items that were compared."""
    for name in dict.fromkeys(part.list for part in parts):
        if not is_comparable(name, hashed=pipeline.identity.hashed):
            account.not_compared[name.value] += sum(len(p) for p in parts if p.list is name)
    items = list(_items(pipeline, parts))
    _find_customers(pipeline, items, account)
    _find_sent(pipeline, items, account)
    return items


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
        each.items.add(each.item, member_key(each.customer_id, pipeline.ledger.secret))
    _revoke(pipeline, asked, account, carried)


def _find_sent(pipeline: Pipeline, items: Sequence[Items], account: DeletionAccount) -> None:
    """Find who is no customer any more and was sent by e-mail: Meta's digest is the lists' own.

    So is Google's, but for addresses at Gmail with dots. Of phones and devices the digests differ.
    """
    for each in items:
        if each.list is DeletionList.EMAIL:
            for start in range(0, len(each.ids), _LOOKED_UP_AT_ONCE):
                asked = list(_sent(pipeline, each, start, start + _LOOKED_UP_AT_ONCE))
                _revoke(pipeline, asked, account, {})


def _sent(pipeline: Pipeline, items: Items, start: int, end: int) -> "Iterator[_Asked]":
    """Whom some items name by what was sent, beside the customers that they name."""
    wanted = [digest.tobytes() for digest in items.digests[start:end]]
    people: dict[bytes, set[bytes]] = defaultdict(set)
    for family in Family:
        for digest, members in pipeline.ledger.members.sent_by(
            family, IdentifierKind.EMAIL, wanted
        ).items():
            people[digest] |= members
    found = sorted(people)
    digests = np.frombuffer(b"".join(found), np.uint8).reshape(-1, DIGEST_BYTES)
    for place, item in items.matches(digests):
        if items.add(item, *people[found[place]]):
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
