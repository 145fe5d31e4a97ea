"""The consent platform's whole export against the ledger: webhooks get lost, and this finds what they told.

Whatever is withdrawn there and not here is taken in as it is read, like any other withdrawal. All else
waits for the end of the export, since only then it is known whether it is whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import structlog
from structlog.contextvars import bound_contextvars

from cohortd.core.consenting import ConsentRecord, SubjectKind
from cohortd.core.errors import CohortdError
from cohortd.core.identifiers import member_key
from cohortd.core.times import format_time
from cohortd.ledger import RunRow
from cohortd.pipeline.consents import ROWS_AT_ONCE, book_of, consent_parts, table_records
from cohortd.pipeline.differences import Difference, Flags, Kept, Numbers, Said, people_of_keys, person_of
from cohortd.pipeline.intake import lost_withdrawals, withdraw_new
from cohortd.pipeline.lifting import lift_answered
from cohortd.pipeline.reconciled import KIND, WHOLE, Reconciled
from cohortd.pipeline.wiring import Pipeline
from cohortd.sources import TAKEN_FOR_DENIED, TableSource, Tally

#: More would fill an answer without telling more.
MOST_SAMPLES: Final = 10
ABSENT, ABSENT_WITHDRAWN = "absent_there", "absent_there_withdrawn"
_ORDER: Final = (*(each.value for each in Difference), ABSENT, ABSENT_WITHDRAWN)
#: What needs nobody's attention.
_QUIET: Final = frozenset({Difference.SAME, Difference.GRANTED_THERE})
log = structlog.get_logger()

Found = npt.NDArray[np.object_]


@dataclass(slots=True)
class _Account:
    """What was found so far."""

    counts: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[str]] = field(default_factory=dict)
    people: list[Numbers] = field(default_factory=list)
    #: Who was withdrawn by this very export.
    out: list[Numbers] = field(default_factory=list)
    #: Grants of whoever ever withdrew.
    grants: list[pd.DataFrame] = field(default_factory=list)
    contact_grants: list[ConsentRecord] = field(default_factory=list)
    newest: int | None = None
    withdrawn: int = 0

    def note(self, name: str, count: int, subjects: Iterator[str]) -> None:
        """Count a difference; take subjects of it as samples as long as there is room."""
        self.counts[name] += count
        kept = self.samples.setdefault(name, [])
        for subject in subjects:
            if len(kept) >= MOST_SAMPLES:
                return
            if subject not in kept:
                kept.append(subject)


def reconcile(pipeline: Pipeline, source: TableSource, *, accept_shrunk: bool = False) -> Reconciled:
    """Compare an export with the ledger; queue the removals of whoever withdrew there, send none.

    Args:
        accept_shrunk: Take it for whole although it names far fewer people than the last one.

    Raises:
        SettingsError: It lacks a column.
        SourceError: It cannot be read; withdrawals read so far are taken in.
    """
    runs, now = pipeline.ledger.runs, pipeline.clock()
    before = runs.last(KIND, WHOLE)
    run_id = runs.start(KIND, as_of=now, at=now)
    try:
        with bound_contextvars(run_id=run_id):
            done = _compare(pipeline, source, run_id, before=before, accept_shrunk=accept_shrunk)
    except CohortdError as error:
        runs.finish(run_id, status="failed", summary={"notes": [str(error)]}, at=pipeline.clock())
        raise
    runs.finish(run_id, status=done.status, summary=done.as_json(), at=pipeline.clock())
    told = {name: count for name, count in done.differences.items() if name not in _QUIET}
    log.info(
        "consent_reconciled",
        run_id=run_id,
        status=done.status,
        withdrawn=done.withdrawn,
        lifted=done.lifted,
        **told,
    )
    return done


def _compare(
    pipeline: Pipeline, source: TableSource, run_id: str, *, before: RunRow | None, accept_shrunk: bool
) -> Reconciled:
    pipeline.progress("reading the consent export")
    tally, account = Tally(source.name), _Account()
    kept = Kept.of(_kept(pipeline))
    for table, records in consent_parts(pipeline, source, tally):
        _take_part(pipeline, kept, table, records, account)
    seen = np.unique(np.concatenate([np.empty(0, np.uint64), *account.people]))
    people_before = _people(before)
    least = 0.0 if people_before is None else (1 - pipeline.guards.source_drop) * people_before
    shrank = len(seen) < least and not accept_shrunk
    dropped = {reason: count for reason, count in tally.dropped.items() if reason not in TAKEN_FOR_DENIED}
    lost = lost_withdrawals(dropped)
    lifted = 0 if shrank else _lift(pipeline, account)
    is_readable = sum(dropped.values()) <= pipeline.guards.bad_rows * tally.read
    if not shrank and is_readable:
        _note_absent(pipeline, kept, seen, account)
    shrunk_from = people_before if shrank else None
    notes = [*_notes(pipeline, account, people=len(seen), shrunk_from=shrunk_from, is_readable=is_readable)]
    return Reconciled(
        run_id=run_id,
        status="stopped" if shrank else "partial" if lost else "done",
        read=tally.read,
        people=len(seen),
        people_before=people_before,
        newest_at=_newest(account),
        differences={name: account.counts[name] for name in _ORDER if name in account.counts},
        samples={name: found for name, found in account.samples.items() if found},
        withdrawn=account.withdrawn,
        lifted=lifted,
        dropped=dropped,
        notes=(*notes, *([lost] if lost else [])),
    )


def _kept(pipeline: Pipeline) -> Iterator[Said]:
    """Read what the ledger keeps for our purpose."""
    store, rules = pipeline.ledger.consent, pipeline.consent
    yield Said.of_records([], rules)
    for part in store.parts_by_customer():
        yield Said.of_frame(
            part.drop_columns(["key"]).to_pandas(), people_of_keys(part.column("key")), rules
        )
    page: list[ConsentRecord] = []
    for record in store.by_contact():
        page.append(record)
        if len(page) >= ROWS_AT_ONCE:
            yield Said.of_records(page, rules)
            page = []
    yield Said.of_records(page, rules)


def _take_part(
    pipeline: Pipeline, kept: Kept, table: pd.DataFrame, records: Sequence[ConsentRecord], account: _Account
) -> None:
    """Compare one part; what is withdrawn in it and not here is taken in at once."""
    keys = [member_key(str(each), pipeline.ledger.secret) for each in table["customer_id"]]
    named = Said.of_frame(table, people_of_keys(pa.array(keys, pa.binary())), pipeline.consent)
    contacts = Said.of_records(records, pipeline.consent)
    found, found_contacts = kept.compare(named), kept.compare(contacts)
    untimed = _places(found, table["untimed"].to_numpy()[named.row])
    _know_again(pipeline, found, untimed, _records_at(pipeline, table, named.row[untimed]))
    untimed = _places(found_contacts, np.array([records[i].untimed for i in contacts.row], np.bool_))
    _know_again(pipeline, found_contacts, untimed, [records[i] for i in contacts.row[untimed]])
    customer = SubjectKind.CUSTOMER
    _count(account, found, lambda i: pipeline.ledger.removals.subject_ref(customer, keys[named.row[i]]))
    _count(account, found_contacts, lambda i: _contact_ref(pipeline, records[contacts.row[i]]))
    news = found == Difference.WITHDRAWN_THERE
    new_records = [records[i] for i in contacts.row[found_contacts == Difference.WITHDRAWN_THERE]]
    # A denial that the same part answers with a newer grant is none: see ``withdraw_new``.
    theirs = np.isin(named.person, named.person[news]) & (news | (named.rank == 0))
    book = book_of(table.iloc[named.row[theirs]], new_records)
    account.withdrawn += withdraw_new(pipeline, book, as_of=pipeline.clock())
    account.out += [named.person[news], contacts.person[found_contacts == Difference.WITHDRAWN_THERE]]
    account.people += [np.unique(named.person), np.unique(contacts.person)]
    _keep_grants(kept, named, table, account)
    may_lift = _ever_withdrew(kept, contacts, account)
    account.contact_grants += [records[i] for i in contacts.row[may_lift]]
    now = int(pipeline.clock().timestamp())
    past = np.concatenate([said.time[said.time <= now] for said in (named, contacts)])
    if len(past):
        account.newest = max(int(past.max()), account.newest or 0)


def _places(found: Found, untimed: Flags) -> npt.NDArray[np.intp]:
    """Find the withdrawals without a time that seem to be news."""
    return np.flatnonzero(untimed & (found == Difference.WITHDRAWN_THERE))


def _records_at(pipeline: Pipeline, table: pd.DataFrame, rows: npt.NDArray[np.intp]) -> list[ConsentRecord]:
    return [record for _, record in table_records(pipeline, table.iloc[rows])]


def _know_again(
    pipeline: Pipeline, found: Found, places: npt.NDArray[np.intp], records: Sequence[ConsentRecord]
) -> None:
    """Of withdrawals without a time, take those for the same that were kept in these very words.

    They count from when they first came; else each export would withdraw anew what a grant answered.
    """
    news = set(pipeline.ledger.consent.unknown(records))
    for place, record in zip(places, records, strict=True):
        if record not in news:
            found[place] = Difference.SAME.value


def _count(account: _Account, found: Found, ref: Callable[[int], str]) -> None:
    for name, count in zip(*np.unique(found.astype(str), return_counts=True), strict=True):
        places = () if name in _QUIET else np.flatnonzero(found == name)[:MOST_SAMPLES]
        account.note(str(name), int(count), (ref(int(place)) for place in places))


def _keep_grants(kept: Kept, named: Said, table: pd.DataFrame, account: _Account) -> None:
    rows = named.row[_ever_withdrew(kept, named, account)]
    if len(rows) or not account.grants:  # the first one says which columns there are
        account.grants.append(table.iloc[rows].copy())


def _ever_withdrew(kept: Kept, said: Said, account: _Account) -> Flags:
    """Mark the grants of whoever ever withdrew, here or earlier in the export."""
    out = kept.withdrew(said.person) | np.isin(said.person, np.concatenate(account.out))
    marked: Flags = out & (said.rank == 0)
    return marked


def _lift(pipeline: Pipeline, account: _Account) -> int:
    """Lift, by the usual rules, what a newer grant of the export answers."""
    table = pd.concat(account.grants, ignore_index=True)
    return lift_answered(pipeline, book_of(table, account.contact_grants), as_of=pipeline.clock())


def _note_absent(pipeline: Pipeline, kept: Kept, seen: Numbers, account: _Account) -> None:
    absent, withdrawn = kept.absent_of(seen)
    if len(absent):
        account.note(ABSENT, len(absent), _refs(pipeline, absent[:MOST_SAMPLES]))
        account.counts[ABSENT_WITHDRAWN] = withdrawn


def _refs(pipeline: Pipeline, people: Numbers) -> Iterator[str]:
    """Name some people by keyed hashes; the ledger is read again for it."""
    removals, store = pipeline.ledger.removals, pipeline.ledger.consent
    wanted = set(people.tolist())
    for part in store.parts_by_customer():
        numbers = people_of_keys(part.column("key"))
        for place in np.flatnonzero(np.isin(numbers, people)):
            if int(numbers[place]) in wanted:
                wanted.discard(int(numbers[place]))
                yield removals.subject_ref(SubjectKind.CUSTOMER, part.column("key")[int(place)].as_py())
        if not wanted:
            return
    for record in store.by_contact():
        if person_of(record.subject_kind, record.subject) in wanted:
            wanted.discard(person_of(record.subject_kind, record.subject))
            yield _contact_ref(pipeline, record)


def _contact_ref(pipeline: Pipeline, record: ConsentRecord) -> str:
    return pipeline.ledger.removals.subject_ref(record.subject_kind, record.subject)


def _notes(
    pipeline: Pipeline, account: _Account, *, people: int, shrunk_from: int | None, is_readable: bool
) -> Iterator[str]:
    if shrunk_from is not None:
        yield (
            f"the export names {people:,} people, the last one named {shrunk_from:,}: it is not taken for"
            " whole. Withdrawals in it were taken in; nothing was lifted, and who is absent is not told."
            " If it is right: cohortd consent reconcile --accept-shrunk"
        )
    newest, limit = _newest(account), 2 * pipeline.reconcile_every
    if newest is None or pipeline.clock() - newest > limit:
        said = "no record" if newest is None else f"its newest record is of {format_time(newest)}"
        yield f"the export may be stale: {said}, and one is expected every {_span(limit / 2)}"
    if not is_readable:
        yield "too many rows of the export cannot be read: who is absent from it is not told"


def _span(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:g} hours"


def _newest(account: _Account) -> datetime | None:
    return None if account.newest is None else datetime.fromtimestamp(account.newest, tz=UTC)


def _people(run: RunRow | None) -> int | None:
    found = run.summary.get("people") if run is not None else None
    return found if isinstance(found, int) else None
