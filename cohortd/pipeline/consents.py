"""Consent records from the table and the ledger, joined to customers batch by batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.identifiers import Family
from cohortd.ledger import CUSTOMER_STATEMENTS
from cohortd.pipeline.subjects import (
    SUBJECT_KINDS,
    Contact,
    Subject,
    contact_subject,
    contacts_of_record,
    customer_subject,
)
from cohortd.pipeline.wiring import Pipeline
from cohortd.sources import TableSource, Tally, read_consent
from consent import RECORD_COLUMNS

#: What ``consent.decide`` reads of a record, whom it is about, and where it came from.
COLUMNS = ["customer_id", *RECORD_COLUMNS, "source"]
#: A withdrawal by a contact field that is no valid one.
WITHDRAWAL_OF_NOBODY = "withdrawal_of_nobody"
_DETAIL = [*RECORD_COLUMNS, "source", "evidence"]
#: The table by customer: ``untimed`` says that a row bore no readable time.
_COLUMNS = ["customer_id", *_DETAIL, "untimed"]

#: How a table says that the second step was done.
_YES = frozenset({"1", "true", "t", "yes", "y", "confirmed"})
#: Rows made into records at once: a table may have millions.
ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class ConsentBook:
    """All consent records, findable by customer id, by member key and by contact digest."""

    #: The table's rows that name a customer: ``_COLUMNS``.
    table: pd.DataFrame
    #: What the ledger keeps by customer (withdrawals, imports, the grants that answered): columns, not
    #: records, since a table may hold millions of denials.
    kept: pa.Table
    #: Records by contact field, the ledger's and the table's.
    by_contact: Mapping[Contact, Sequence[ConsentRecord]]

    def rows(self, customers: Mapping[bytes, str], contacts: Iterable[tuple[str, Contact]]) -> pd.DataFrame:
        """Gather the records that concern these customers.

        Args:
            customers: Member key -> customer id.
            contacts: (customer id, contact) of every e-mail and phone they carry.

        Returns:
            One row a customer and record, with ``COLUMNS``.
        """
        table = self.table.loc[self.table["customer_id"].isin(set(customers.values())), COLUMNS]
        found = [table, self._kept_of(customers)]
        if self.by_contact:
            rows = [
                _row(c, record) for c, contact in contacts for record in self.by_contact.get(contact, ())
            ]
            found.append(pd.DataFrame(rows, columns=COLUMNS).astype({"confirmed": bool}))
        found = [frame for frame in found if len(frame)] or [table]
        for frame in found:
            frame["recorded_at"] = pd.to_datetime(frame["recorded_at"], utc=True)
        return pd.concat(found, ignore_index=True)

    def _kept_of(self, customers: Mapping[bytes, str]) -> pd.DataFrame:
        """What the ledger keeps of these customers (by member key), with ``COLUMNS``."""
        theirs = pc.is_in(self.kept.column("key"), value_set=pa.array(customers, type=pa.binary()))
        frame = self.kept.filter(theirs).to_pandas()
        frame["customer_id"] = frame["key"].map(customers)
        words = ["status", "purpose", "platform", "regulation", "source", "legal_basis"]
        rows: pd.DataFrame = frame.astype(dict.fromkeys(words, object))[COLUMNS]
        return rows

    def contact_records(self) -> Iterator[ConsentRecord]:
        """Every record by contact field, once."""
        seen: set[int] = set()
        for records in self.by_contact.values():
            for record in records:
                if id(record) not in seen:
                    seen.add(id(record))
                    yield record


def open_book(pipeline: Pipeline, tally: Tally | None = None) -> ConsentBook:
    """Read the consent table, if there is one, beside what the ledger keeps.

    Of statements without a time, it is noted which the table no longer makes.
    """
    store = pipeline.ledger.consent
    table, records = _no_rows(), list[ConsentRecord]()
    if pipeline.sources.consent is not None:
        table, records = read_consent_table(pipeline, pipeline.sources.consent, tally or Tally("consent"))
        untimed = [record for _, record in table_records(pipeline, table[table["untimed"]])]
        store.note_absent(present=[*untimed, *(record for record in records if record.untimed)])
    return ConsentBook(table, store.by_customer(), _indexed([*store.by_contact(), *records]))


def book_of(table: pd.DataFrame, by_contact_field: Iterable[ConsentRecord]) -> ConsentBook:
    """Index one table alone."""
    return ConsentBook(table, CUSTOMER_STATEMENTS.empty_table(), _indexed(by_contact_field))


def read_consent_table(
    pipeline: Pipeline, source: TableSource, tally: Tally
) -> tuple[pd.DataFrame, list[ConsentRecord]]:
    """Read a consent table; contact fields become digests here and go no further.

    A row that names a customer is about that customer, whatever else it names; else it is about
    each contact field it names.

    Returns:
        The rows by customer id as a table, and the rows by contact field as records.
    """
    frames, records = list[pd.DataFrame](), list[ConsentRecord]()
    for frame, by_contact in consent_parts(pipeline, source, tally):
        frames.append(frame)
        records += by_contact
    return pd.concat(frames, ignore_index=True) if frames else _no_rows(), records


def consent_parts(
    pipeline: Pipeline, source: TableSource, tally: Tally
) -> Iterator[tuple[pd.DataFrame, list[ConsentRecord]]]:
    """Yield a consent table part by part, each as ``read_consent_table`` gives the whole of it."""
    now = pipeline.clock().replace(microsecond=0)  # a table has whole seconds
    for batch in read_consent(source, tally):
        frame, records = _detail(batch, now), list[ConsentRecord]()
        named = frame["customer_id"] != ""
        if not named.all():
            records = _by_contact(
                pipeline, batch.filter(pa.array(~named)), frame[~named], tally, hashed=source.hashed
            )
        table = frame[named].reset_index(drop=True)
        _date(pipeline, table)
        yield table, list(pipeline.ledger.consent.dated(records))


def resting_on(rows: npt.NDArray[np.intp], records: pd.DataFrame) -> dict[str, list[Any]]:
    """Give when and by whom the records in these rows were made; None and "" for a negative row."""
    at, source = records["recorded_at"], records["source"].to_numpy(dtype=object)
    rests = rows >= 0
    made: list[datetime | None] = [None] * len(rows)
    for place, stamp in zip(np.flatnonzero(rests), at.iloc[rows[rests]], strict=True):
        made[place] = stamp.to_pydatetime()
    sources = np.full(len(rows), "", dtype=object)
    sources[rests] = source[rows[rests]]
    return {"record_at": made, "record_source": sources.tolist()}


def parts(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Cut a long table into parts that can be made into records."""
    return (rows.iloc[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE))


def table_records(pipeline: Pipeline, rows: pd.DataFrame) -> list[tuple[str, ConsentRecord]]:
    """Turn rows by customer id into records, each with its customer id."""
    return [
        (
            str(row.customer_id),
            _record(SubjectKind.CUSTOMER, customer_subject(pipeline, str(row.customer_id)), row),
        )
        for row in rows.itertuples(index=False)
    ]


def contacts_of(
    identified: pa.Table, family: Family, customer_ids: Sequence[str]
) -> list[tuple[str, Contact]]:
    """List the e-mails and phones of a batch, each with its customer id."""
    columns = (identified.column(name).to_pylist() for name in ("row", "kind", "digest"))
    return [
        (customer_ids[row], (family.value, kind, digest))
        for row, kind, digest in zip(*columns, strict=True)
        if kind in SUBJECT_KINDS
    ]


def _no_rows() -> pd.DataFrame:
    table = pd.DataFrame(columns=_COLUMNS).astype({"untimed": bool, "confirmed": bool})
    return table.assign(recorded_at=pd.to_datetime(table["recorded_at"], utc=True))


def _date(pipeline: Pipeline, table: pd.DataFrame) -> None:
    """Date the rows without a time: each counts from when it first reached us, not anew every day."""
    untimed = table.index[table["untimed"]]
    records = [record for _, record in table_records(pipeline, table.loc[untimed])]
    dated = [record.recorded_at for record in pipeline.ledger.consent.dated(records)]
    if dated:
        table.loc[untimed, "recorded_at"] = pd.Series(pd.to_datetime(dated, utc=True), index=untimed)


def _detail(batch: pa.RecordBatch, now: datetime) -> pd.DataFrame:
    """Columns as ``decide`` wants them: lower-case scopes, blank for absent, aware times."""
    table = pa.Table.from_batches([batch])
    frame = pd.DataFrame(index=range(table.num_rows))
    for name in ["customer_id", *_DETAIL]:
        present = name in table.column_names
        frame[name] = table.column(name).to_pandas() if present else ""
    for name in ["customer_id", "purpose", "platform", "regulation", "legal_basis", "source", "evidence"]:
        frame[name] = frame[name].fillna("").astype(str)
    for name in ["purpose", "platform", "regulation", "legal_basis"]:
        frame[name] = frame[name].str.strip().str.lower()
    frame["confirmed"] = frame["confirmed"].fillna("").astype(str).str.strip().str.lower().isin(_YES)
    recorded_at = pd.to_datetime(frame["recorded_at"], utc=True, errors="coerce")
    # Only a withdrawal comes without a readable time. It counts from when it first reaches us, so that
    # a grant of before cannot stand against it, and one of later can.
    frame["untimed"] = recorded_at.isna()
    frame["recorded_at"] = recorded_at.fillna(pd.Timestamp(now))
    return frame


def _by_contact(
    pipeline: Pipeline,
    batch: pa.RecordBatch,
    detail: pd.DataFrame,
    tally: Tally,
    *,
    hashed: Collection[str],
) -> list[ConsentRecord]:
    records = []
    for values, row in zip(batch.to_pylist(), detail.itertuples(index=False), strict=True):
        subjects = [
            (kind, contact_subject(pipeline, kind, values[kind.value], hashed=kind.value in hashed))
            for kind in SUBJECT_KINDS.values()
            if values.get(kind.value)
        ]
        found = [_record(kind, subject, row) for kind, subject in subjects if subject]
        if not found:
            withdraws = values["status"] != ConsentStatus.GRANTED.value
            tally.drop(WITHDRAWAL_OF_NOBODY if withdraws else "no_usable_subject", 1)
            tally.kept -= 1
        records += found
    return records


def _indexed(records: Iterable[ConsentRecord]) -> Mapping[Contact, Sequence[ConsentRecord]]:
    by_contact: dict[Contact, list[ConsentRecord]] = defaultdict(list)
    for record in records:
        for contact in contacts_of_record(record):
            by_contact[contact].append(record)
    return by_contact


def _record(kind: SubjectKind, subject: Subject, row: object) -> ConsentRecord:
    evidence = str(getattr(row, "evidence"))  # noqa: B009 - itertuples rows are typed as plain tuples
    recorded_at: pd.Timestamp = getattr(row, "recorded_at")  # noqa: B009 - see above
    text = {
        name: str(getattr(row, name)) for name in ("status", "purpose", "platform", "regulation", "source")
    }
    return ConsentRecord(
        subject_kind=kind,
        subject=subject,
        status=ConsentStatus(text["status"]),
        recorded_at=recorded_at.to_pydatetime(),
        purpose=text["purpose"],
        platform=text["platform"],
        regulation=text["regulation"],
        source=text["source"] or "consent table",
        evidence=sha256(evidence.encode()).hexdigest() if evidence else "",
        legal_basis=str(getattr(row, "legal_basis")),  # noqa: B009 - see above
        confirmed=bool(getattr(row, "confirmed")),  # noqa: B009 - see above
        untimed=bool(getattr(row, "untimed")),  # noqa: B009 - see above
    )


def _row(customer_id: str, record: ConsentRecord) -> tuple[object, ...]:
    return (
        customer_id,
        record.status.value,
        record.recorded_at,
        record.purpose,
        record.platform,
        record.regulation,
        record.legal_basis,
        record.confirmed,
        record.source,
    )
