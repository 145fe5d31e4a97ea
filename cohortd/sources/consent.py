"""Reads consent records: who said what, when, for which purpose and platform."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cohortd.core.consenting import ConsentStatus
from cohortd.core.errors import SettingsError
from cohortd.core.tables import CONSENT_SUBJECT_FIELDS, CONSENT_TEXT_FIELDS
from cohortd.core.withholding import WITHHELD
from cohortd.sources.casting import Cast, as_list, as_text, as_time, is_set
from cohortd.sources.chunks import Chunk, Sieve
from cohortd.sources.keys import looks_like_email, looks_like_phone
from cohortd.sources.reading import chosen, chunks
from cohortd.sources.table import TableSource, Tally

CONSENT_COLUMNS = (*CONSENT_SUBJECT_FIELDS, "status", "recorded_at", *CONSENT_TEXT_FIELDS)
#: A withdrawal that cannot be read is left out like any faulty row, but under a reason of its own:
#: whoever ordered it is still being sent, so a run should not go on as if nothing were.
WITHDRAWAL_LOST = "unreadable_withdrawal"

#: Rows whose status is none of ours: at fault, and kept all the same, as denials.
TAKEN_FOR_DENIED = ("missing_status_taken_for_denied", "unknown_status_taken_for_denied")

_WITHDRAWING = (ConsentStatus.DENIED, ConsentStatus.REVOKED)
_EXPLAINING = ("source", "evidence")
#: Only its hash is kept, so that its holder can prove it.
_HASHED_LATER = "evidence"

Columns = dict[str, pa.Array]


def read_consent(source: TableSource, tally: Tally) -> Iterator[pa.RecordBatch]:
    """Stream records of text, the empty text where something is absent.

    ``status`` is one of ConsentStatus; ``recorded_at`` is ISO 8601 in UTC, in whole seconds, and
    empty for a withdrawal whose time cannot be read. Of
    several e-mails or phones in one row each becomes a record of its own. At least one batch comes.

    Raises:
        SettingsError: A column is missing, or none says whom a record is about.
        SourceError: The table cannot be read.
    """
    mapping = chosen(
        source,
        needed=("status", "recorded_at"),
        optional=(*CONSENT_SUBJECT_FIELDS, *CONSENT_TEXT_FIELDS),
    )
    if not set(CONSENT_SUBJECT_FIELDS) & set(mapping):
        raise SettingsError(
            f"sources.{source.name}: no column says whom a record is about; map one of"
            f" {', '.join(CONSENT_SUBJECT_FIELDS)} in sources.{source.name}.columns"
        )
    yield pa.RecordBatch.from_pylist(
        [], schema=pa.schema([(name, pa.string()) for name in CONSENT_COLUMNS])
    )
    for chunk in chunks(source, mapping, tally, needed=("status", "recorded_at"), graver=_grave_if_no):
        yield _one_subject_each(_kept(chunk, mapping, tally=tally, separator=source.separator))


def _kept(chunk: Chunk, mapping: Mapping[str, str], *, tally: Tally, separator: str) -> pa.RecordBatch:
    status = as_text(_column(chunk, mapping, "status"))
    statuses = _known_or_denied(chunk, status, tally)
    is_withdrawal = pc.is_in(statuses, value_set=_among(_WITHDRAWING))
    withdraws = np.asarray(pc.fill_null(is_withdrawal, fill_value=False))
    sieve = Sieve(chunk, tally, grave=withdraws, grave_reason=WITHDRAWAL_LOST)
    sieve.drop(status.faulty, "undecodable_text")
    columns = _subjects(sieve, mapping, separator=separator)
    columns["status"] = statuses
    columns["recorded_at"] = _recorded_at(sieve, _column(chunk, mapping, "recorded_at"), withdraws)
    for name in CONSENT_TEXT_FIELDS:
        cast = as_text(_column(chunk, mapping, name))
        # What only explains a record must not lose it.
        text = cast.values if name in _EXPLAINING else sieve.take(cast, "undecodable_text")
        columns[name] = text if name == _HASHED_LATER else _without_contacts(text)
    return sieve.kept({name: columns[name] for name in CONSENT_COLUMNS}, mapped=mapping)


def _grave_if_no(text: str) -> str:
    """Take a row that cannot be split into cells for a withdrawal, unless all it may say is yes."""
    lowered = text.lower()
    says_yes = str(ConsentStatus.GRANTED) in lowered
    says_no = any(status in lowered for status in _WITHDRAWING)
    return "" if says_yes and not says_no else WITHDRAWAL_LOST


def _without_contacts(text: pa.Array) -> pa.Array:
    """Withhold what is an e-mail address or a phone, or holds an address: records are kept as they are."""
    holds = np.asarray(pc.fill_null(pc.match_substring(text, "@"), fill_value=False))
    return pc.if_else(pa.array(holds | looks_like_phone(text)), pa.scalar(WITHHELD), text)


def _known_or_denied(chunk: Chunk, status: Cast, tally: Tally) -> pa.Array:
    """Take a status that is none of ours for a no: it may be a withdrawal in other words.

    Such a row is counted as at fault, and stays all the same.
    """
    statuses = pc.utf8_lower(status.values)
    known = np.asarray(pc.fill_null(pc.is_in(statuses, value_set=_among(ConsentStatus)), fill_value=False))
    faults = (~is_set(statuses) & ~status.faulty, is_set(statuses) & ~known)
    for faulty, reason in zip(faults, TAKEN_FOR_DENIED, strict=True):
        rows = np.flatnonzero(faulty)
        tally.drop(reason, len(rows), rows=chunk.numbers[rows[:20]].tolist(), file=chunk.file)
        tally.kept -= len(rows)
    return pc.if_else(pa.array(known), statuses, pa.scalar(str(ConsentStatus.DENIED)))


def _subjects(sieve: Sieve, mapping: Mapping[str, str], *, separator: str) -> Columns:
    """Read whom records are about; ids that are contact data are forgotten.

    Unlike the other tables, this one is not refused whole: its withdrawals must get through.
    """
    by_contact = {
        name: sieve.take(as_list(_column(sieve.chunk, mapping, name), separator), "undecodable_text")
        for name in ("email", "phone")
    }
    ids = sieve.take(as_text(_column(sieve.chunk, mapping, "customer_id")), "undecodable_text")
    has_contact = is_set(by_contact["email"]) | is_set(by_contact["phone"])
    is_contact = looks_like_email(ids) | looks_like_phone(ids)
    sieve.drop(is_contact & ~has_contact, "contact_as_customer_id")
    sieve.drop(~is_set(ids) & ~has_contact, "missing_subject")
    known = pc.if_else(pa.array(is_contact), pa.scalar(None, pa.string()), ids)
    return {"customer_id": known, **by_contact}


def _column(chunk: Chunk, mapping: Mapping[str, str], name: str) -> pa.Array:
    return chunk.column(mapping[name]) if name in mapping else pa.nulls(chunk.rows, pa.string())


def _recorded_at(sieve: Sieve, column: pa.Array, withdraws: npt.NDArray[np.bool_]) -> pa.Array:
    """Read the time; a withdrawal stays without one, since it counts whatever its time."""
    times = as_time(column)
    sieve.drop(times.faulty & ~withdraws, "unparsable_recorded_at")
    sieve.drop(~is_set(times.values) & ~withdraws, "missing_recorded_at")
    return pc.strftime(times.values, "%Y-%m-%dT%H:%M:%SZ")


def _one_subject_each(batch: pa.RecordBatch) -> pa.RecordBatch:
    emails, phones = batch.column("email"), batch.column("phone")
    counts = np.maximum(np.maximum(_lengths(emails), _lengths(phones)), 1)
    rows = np.repeat(np.arange(batch.num_rows), counts)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    repeated = batch.take(pa.array(rows))
    columns = {
        name: _nth(batch.column(name), rows, nth) if name in {"email", "phone"} else repeated.column(name)
        for name in CONSENT_COLUMNS
    }
    filled = [pc.fill_null(column, "") for column in columns.values()]
    return pa.RecordBatch.from_arrays(filled, names=list(columns))


def _lengths(lists: pa.Array) -> npt.NDArray[np.int64]:
    return np.asarray(pc.fill_null(pc.list_value_length(lists), 0)).astype(np.int64)


def _nth(lists: pa.Array, rows: npt.NDArray[np.int64], nth: npt.NDArray[np.int64]) -> pa.Array:
    """Take the nth value of each row's list; null beyond its end."""
    lengths = _lengths(lists)
    starts = np.cumsum(lengths) - lengths
    beyond = nth >= lengths[rows]
    places = pa.array(np.where(beyond, 0, starts[rows] + nth), mask=beyond)
    return pc.list_flatten(lists).take(places)


def _among(statuses: Iterable[ConsentStatus]) -> pa.Array:
    return pa.array([str(status) for status in statuses])
