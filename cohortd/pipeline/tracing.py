"""Everything decided and sent about one person."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from cohortd.core.consenting import ConsentRecord, SubjectKind
from cohortd.core.errors import SettingsError, SourceError
from cohortd.core.identifiers import Family, member_key
from cohortd.core.removals import RemovalEntry, RemovalEvent
from cohortd.core.times import format_time
from cohortd.identity import identify
from cohortd.ledger import MembershipRow, PastMembership
from cohortd.pipeline.decisions import newest
from cohortd.pipeline.placing import Placement, place
from cohortd.pipeline.subjects import IDENTIFIER_KINDS, Subject, contact_subject, customer_subject
from cohortd.pipeline.wiring import Pipeline
from cohortd.sources import read_contacts

#: Customers of one contact field whose features are computed again: each takes the sources once.
_MOST_PLACED = 3
#: What people are told of a membership's state.
_STANDING = {
    "adding": "on its way, not confirmed yet",
    "present": "there",
    "removing": "being taken back, not confirmed yet",
    "rejected": "not accepted",
}


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of one person; identifiers by their first eight digits only."""

    subject: str
    found: bool
    customers: tuple[str, ...]
    decisions: tuple[dict[str, object], ...]
    memberships: tuple[dict[str, object], ...]
    history: tuple[dict[str, object], ...]
    consent: tuple[dict[str, object], ...]
    removals: tuple[dict[str, object], ...]
    #: Why each customer is in their segment.
    placements: tuple[Placement, ...] = ()
    #: The same entries of the removal log, as they were sealed.
    entries: tuple[RemovalEntry, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The answer of ``trace --json``."""
        return {
            "subject": self.subject,
            "found": self.found,
            "customers": list(self.customers),
            "decisions": list(self.decisions),
            "memberships": list(self.memberships),
            "history": list(self.history),
            "consent": list(self.consent),
            "removals": list(self.removals),
            "placements": [asdict(each) for each in self.placements],
        }

    def sentences(self) -> Iterator[str]:
        """Tell the same to people."""
        if not self.found:
            yield "Nothing is known of this person: nothing was decided, sent or taken back."
            return
        yield from map(_decision_sentence, self.decisions)
        if self.decisions and any(_is_since(row, self.decisions[0]) for row in self.removals):
            yield "Consent was taken back since then, so nothing more is sent."
        for placement in self.placements:
            yield from placement.sentences()
        for row in self.consent:
            yield f"Consent: {row['status']} at {row['recorded_at']} ({row['source']})."
        for row in self.memberships:
            yield f"{_place(row)} {_standing(row)} (sent {row['sent_at']})."
        for row in self.history:
            yield f"{_place(row)} sent {row['added_at']}, taken back {row['removed_at']}."
        yield from self._removal_sentences()

    def _removal_sentences(self) -> Iterator[str]:
        if self.removals:
            yield f"In the removal log this person is {self.subject}:"
        for row in self.removals:
            where = f" from {row['audience']} on {row['destination']}" if row["destination"] else ""
            yield f"Removal {row['event']}{where} at {row['at']} ({row['trigger']})."


def _decision_sentence(row: dict[str, object]) -> str:
    verdict = "may be sent" if not row["reason"] else f"is left out ({row['reason']})"
    segment = " ".join(filter(None, (str(row["segment_id"] or "none"), *_further(row))))
    keys = row.get("match_keys")  # runs of an earlier version did not count them
    known = "" if keys is None else f"; known by {keys} {'key' if keys == 1 else 'keys'}"
    limited = row["without_room"]
    room = (
        f"; not on {', '.join(limited)}, which has a member_limit"
        if isinstance(limited, list) and limited
        else ""
    )
    return (
        f"Decided at {row['decided_at']}: customer {row['customer_id']} {verdict} on {row['family']}"
        f" by the consent rule {row['rule']}{_record(row)}; segment {segment}{known}{room}."
    )


def _record(row: dict[str, object]) -> str:
    at = row.get("record_at")  # runs of an earlier version did not keep it
    whence = f" from {row['record_source']}" if row.get("record_source") else ""
    return f", for the record of {at}{whence}" if at else ""


def _further(row: dict[str, object]) -> list[str]:
    """The audiences of somebody besides their segment's; runs of an earlier version knew none."""
    return [f"and {audience}" for audience in str(row.get("also_in") or "").split()]


def _is_since(removal: dict[str, object], decision: dict[str, object]) -> bool:
    return removal["event"] == RemovalEvent.RECORDED and str(removal["at"]) > str(decision["decided_at"])


def _standing(row: dict[str, object]) -> object:
    if row["by_hand"] and row["state"] == "present":
        return "written to a file for upload by hand"
    return _STANDING.get(str(row["state"]), row["state"])


def _place(row: dict[str, object]) -> str:
    return f"{row['destination']}, audience {row['audience']}, {row['kind']} {row['digest']}…:"


def trace_person(pipeline: Pipeline, kind: SubjectKind, value: str, *, why: bool = True) -> Trace:
    """Gather what the ledger, the last decisions and the removal log say of one person.

    Args:
        pipeline: Where to look.
        kind: How the person is named.
        value: The name.
        why: Whether to compute why they are in their segment, which reads the events anew.

    Raises:
        SettingsError: The contact field is no valid one.
    """
    subject = (
        customer_subject(pipeline, value)
        if kind is SubjectKind.CUSTOMER
        else contact_subject(pipeline, kind, value)
    )
    if not subject:
        raise SettingsError(f"this is no valid {kind.value}, so it names nobody")
    keys = member_keys(pipeline, kind, subject)
    customers = (
        (value,) if kind is SubjectKind.CUSTOMER else tuple(sorted(_customers(pipeline, kind, subject)))
    )
    keys |= {member_key(customer, pipeline.ledger.secret) for customer in customers}
    members = pipeline.ledger.members
    memberships = tuple(
        _membership(pipeline, row) for key in sorted(keys) for row in members.of_member(key)
    )
    history = tuple(_past(row) for key in sorted(keys) for row in members.history_of(key))
    decisions = tuple(_decisions(pipeline, customers))
    subjects = [(kind, subject), *((SubjectKind.CUSTOMER, (("", key),)) for key in sorted(keys))]
    sent: list[MembershipRow | PastMembership] = []
    for key in sorted(keys):
        sent += [*members.of_member(key), *members.history_of(key)]
    named = {of: by for by, of in IDENTIFIER_KINDS.items()}
    subjects += [(named[row.kind], (("", row.digest),)) for row in sent if row.kind in named]
    consent = tuple(
        _consent(record)
        for record in pipeline.ledger.consent.records_for([(k, key) for k, s in subjects for _, key in s])
    )
    log = pipeline.ledger.removals
    names = log.names_of([log.subject_ref(k, s) for k, s in subjects])
    found = [entry for name in sorted({*names.values()}) for entry in log.told(subject=name)]
    entries = tuple(sorted(found, key=lambda entry: entry.seq))
    return Trace(
        subject=names[log.subject_ref(kind, subject)],
        found=any((decisions, memberships, history, consent, entries)),
        customers=customers,
        decisions=decisions,
        memberships=memberships,
        history=history,
        consent=consent,
        placements=tuple(place(pipeline, each) for each in _decided(decisions) if why),
        removals=tuple(map(_removal, entries)),
        entries=entries,
    )


def _decided(decisions: Iterable[dict[str, object]]) -> list[str]:
    """The customers whom the last run put into a segment."""
    placed = dict.fromkeys(str(row["customer_id"]) for row in decisions if row["segment_id"])
    return list(placed)[:_MOST_PLACED]


def member_keys(pipeline: Pipeline, kind: SubjectKind, subject: Subject) -> set[bytes]:
    """Everybody who is or was sent by the contact field, erased at the source or not."""
    if kind is SubjectKind.CUSTOMER:
        return {subject[0][1]}
    owners = pipeline.ledger.members.owners_of
    return {
        key for family, digest in subject for key in owners(Family(family), IDENTIFIER_KINDS[kind], digest)
    }


def _customers(pipeline: Pipeline, kind: SubjectKind, subject: Subject) -> set[str]:
    """Customers who carry the contact field in the source now; none where it cannot be read."""
    family, digest = Family(subject[0][0]), subject[0][1]
    found: set[str] = set()
    try:
        for batch in read_contacts(pipeline.sources.customers, None, fields=("email", "phone", "country")):
            ids = batch.column("customer_id").to_pylist()
            table = identify(
                batch,
                family,
                default_region=pipeline.identity.default_region,
                hashed=pipeline.identity.hashed,
            ).identifiers
            same = table.filter(pc.equal(table.column("kind"), int(IDENTIFIER_KINDS[kind])))
            for row, candidate in zip(
                *(same.column(c).to_pylist() for c in ("row", "digest")), strict=True
            ):
                if candidate == digest:
                    found.add(ids[row])
    except (SourceError, SettingsError):
        return set()
    return found


def _decisions(pipeline: Pipeline, customers: tuple[str, ...]) -> Iterator[dict[str, object]]:
    found = newest(pipeline.data_dir / "decisions")
    return iter(()) if found is None else decisions_in(pipeline, found, customers)


def decisions_in(pipeline: Pipeline, file: Path, customers: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """Yield what one run decided on these customers."""
    if not customers:
        return
    run = pipeline.ledger.runs.get(file.stem)
    decided_at = format_time(run.started_at) if run is not None else ""
    for row in pq.read_table(file, filters=[("customer_id", "in", list(customers))]).to_pylist():
        yield {
            "run_id": file.stem,
            "decided_at": decided_at,
            **row,
            "record_at": format_time(row["record_at"]) if row.get("record_at") else None,
            "without_room": _without_room(pipeline, row),
        }


def _without_room(pipeline: Pipeline, decision: dict[str, object]) -> list[str]:
    """Name the destinations with a limit where somebody is not who may be sent there."""
    if decision["reason"] or not (decision["segment_id"] or decision.get("also_in")):
        return []
    key = member_key(str(decision["customer_id"]), pipeline.ledger.secret)
    there = {row.target.destination for row in pipeline.ledger.members.of_member(key)}
    return [
        each.name
        for each in pipeline.destinations.values()
        if each.family == decision["family"] and each.member_limit is not None and each.name not in there
    ]


def _membership(pipeline: Pipeline, row: MembershipRow) -> dict[str, object]:
    destination = pipeline.destinations.get(row.target.destination)
    return {
        "audience": row.target.audience,
        "destination": row.target.destination,
        "kind": row.kind.name.lower(),
        "digest": row.digest.hex()[:8],
        "state": row.state,
        "added_at": str(row.added_at),
        "sent_at": str(row.sent_at),
        "reason": row.reason,
        "by_hand": destination is not None and destination.by_hand,
    }


def _past(row: PastMembership) -> dict[str, object]:
    return {
        "audience": row.target.audience,
        "destination": row.target.destination,
        "kind": row.kind.name.lower(),
        "digest": row.digest.hex()[:8],
        "added_at": str(row.added_at),
        "removed_at": str(row.removed_at),
    }


def _removal(entry: RemovalEntry) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "at": entry.at,
        "event": entry.event,
        "audience": entry.audience,
        "destination": entry.destination,
        "remote_id": entry.remote_id,
        "trigger": entry.trigger,
        "source": entry.source,
    }


def _consent(record: ConsentRecord) -> dict[str, object]:
    return {
        "status": record.status.value,
        "recorded_at": format_time(record.recorded_at),
        "purpose": record.purpose,
        "platform": record.platform,
        "regulation": record.regulation,
        "source": record.source,
    }
