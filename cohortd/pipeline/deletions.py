"""California's deletion lists (DROP) against the customers: whoever is on one is taken back everywhere.

Nothing raw is needed of the lists, and nothing raw of the customers leaves identity: digests meet digests.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog

from cohortd.core.deletions import DeletionStatus
from cohortd.pipeline.deletion_items import DeletionAccount, Items, at_once
from cohortd.pipeline.deletion_people import take_people_back
from cohortd.pipeline.revoking import send_revocations
from cohortd.pipeline.wiring import Pipeline
from cohortd.report import DeletionAnswers
from cohortd.sources import REMOVED, read_deletion_lists

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
        for each in take_people_back(pipeline, parts, account):
            yield from _answers(each, account)


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
