"""One person's report: what ``trace`` finds, put beside the audiences it was sent to and the proof."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from cohortd.core.consenting import SubjectKind
from cohortd.core.errors import SettingsError
from cohortd.core.modelling import Segment
from cohortd.core.planning import Target
from cohortd.core.times import format_time, parse_time
from cohortd.ledger import Remote
from cohortd.pipeline.decisions import by_time
from cohortd.pipeline.proving import verify_log
from cohortd.pipeline.tracing import Trace, decisions_in, trace_person
from cohortd.pipeline.wiring import Pipeline
from cohortd.report.cards import platform_name
from cohortd.report.person import (
    ConsentLine,
    PersonReport,
    Place,
    Proof,
    Why,
    person_html,
    person_json,
)

_WRITE: Final = {".html": person_html, ".json": person_json}
#: Of several identifiers in one audience the first of these says how the person stands there.
_WORST_FIRST: Final = ("present", "adding", "removing", "rejected")
#: A reader may know the company, not the names of its interfaces.
_PLATFORMS: Final = {"google_data_manager": "Google", "google_ads": "Google Ads"}
_NAMED: Final = {
    "email": "e-mail address",
    "phone": "phone number",
    "address": "name and postal address",
    "mobile_ad_id": "advertising id of a phone",
    "external_id": "customer number",
}


def check_name(file: Path) -> None:
    """Refuse a file that says by its name neither ``.html`` nor ``.json``.

    Raises:
        SettingsError: It does not.
    """
    if file.suffix.lower() not in _WRITE:
        raise SettingsError(f"{file}: name it .html or .json, which says what is written")


def write_report(report: PersonReport, file: Path) -> None:
    """Write a report, for its owner alone to read.

    Raises:
        SettingsError: The file cannot be written, or its name does not say how.
    """
    check_name(file)
    try:
        with file.open("w", encoding="utf-8", newline="") as out:
            file.chmod(0o600)
            _WRITE[file.suffix.lower()](report, out)
    except OSError as error:
        raise SettingsError(f"cannot write {file}: {error.strerror}") from None


def report_of(
    pipeline: Pipeline, kind: SubjectKind, value: str, *, trace: Trace | None = None, why: bool = False
) -> PersonReport:
    """Gather everything about one person.

    Args:
        trace: What was found of them, where it was looked for already.
        why: Whether to compute why they are in their segment, which reads the events anew.
    """
    trace = trace or trace_person(pipeline, kind, value, why=why)
    is_customer = kind is SubjectKind.CUSTOMER
    segments = _segments(pipeline)
    return PersonReport(
        who=f"customer {value}" if is_customer else f"whoever was named by this {_NAMED[kind.value]}",
        subject=trace.subject,
        made_at=format_time(pipeline.clock()),
        option=f"--{kind.value} {value if is_customer else '…'}",
        places=tuple(_places(pipeline, trace, segments)),
        whys=tuple(_why(row, segments) for row in (*trace.decisions, *_last_let(pipeline, trace))),
        consent=tuple(_consent(row) for row in trace.consent),
        entries=trace.entries,
        proof=_proof(pipeline),
        placement=tuple(line for each in trace.placements for line in each.sentences()),
    )


def _segments(pipeline: Pipeline) -> Mapping[str, Segment]:
    version = pipeline.ledger.models.current()
    return {} if version is None else {segment.id: segment for segment in version.segments}


def _places(pipeline: Pipeline, trace: Trace, segments: Mapping[str, Segment]) -> Iterator[Place]:
    remotes = {remote.target: remote for remote in pipeline.ledger.remotes.all()}
    now: dict[Target, list[dict[str, object]]] = defaultdict(list)
    past: dict[Target, list[dict[str, object]]] = defaultdict(list)
    for rows, found in ((trace.memberships, now), (trace.history, past)):
        for row in rows:
            found[Target(str(row["audience"]), str(row["destination"]))].append(row)
    for target in sorted(now.keys() | past.keys(), key=lambda each: (each.destination, each.audience)):
        yield _place(target, remotes.get(target), segments.get(target.audience), now[target], past[target])


def _place(
    target: Target,
    remote: Remote | None,
    segment: Segment | None,
    now: list[dict[str, object]],
    past: list[dict[str, object]],
) -> Place:
    rows = [*past, *now]
    return Place(
        platform=_platform(remote.platform) if remote is not None else target.destination,
        destination=target.destination,
        account=remote.account if remote is not None else "",
        audience=target.audience,
        name=remote.name if remote is not None else target.audience,
        description=segment.description if segment is not None else "",
        remote_id=(remote.remote_id or "") if remote is not None else "",
        identifiers=tuple(
            dict.fromkeys(f"{_NAMED.get(str(r['kind']), str(r['kind']))} {r['digest']}" for r in rows)
        ),
        first_sent_at=_time(min(str(row["added_at"]) for row in rows)),
        last_sent_at=_time(max((str(row["sent_at"]) for row in now), default="")),
        removed_at="" if now else _time(max(str(row["removed_at"]) for row in past)),
        state=_state(now),
    )


def _platform(code: str) -> str:
    return _PLATFORMS.get(code) or platform_name(code)


def _state(now: Iterable[Mapping[str, object]]) -> str:
    states = {str(row["state"]): bool(row["by_hand"]) for row in now}
    found = next((state for state in _WORST_FIRST if state in states), "removed")
    return "by_hand" if found == "present" and states[found] else found


def _last_let(pipeline: Pipeline, trace: Trace) -> Iterator[Mapping[str, object]]:
    """Of families for which they are left out now, the last decision kept by which they could be sent."""
    missing = {str(row["family"]) for row in trace.decisions if row["reason"]}
    files = sorted((pipeline.data_dir / "decisions").glob("*.parquet"), key=by_time, reverse=True)
    for file in files[1:] if missing else ():
        for row in decisions_in(pipeline, file, trace.customers):
            if not row["reason"] and row["family"] in missing:
                missing.discard(str(row["family"]))
                yield row


def _why(row: Mapping[str, object], segments: Mapping[str, Segment]) -> Why:
    groups = [str(row["segment_id"] or ""), *str(row.get("also_in") or "").split()]
    return Why(
        family=str(row["family"]),
        decided_at=str(row["decided_at"]),
        rule=str(row["rule"]),
        may_be_sent=not row["reason"],
        record_at=str(row.get("record_at") or ""),
        record_source=str(row.get("record_source") or ""),
        segments=tuple(segments[group].name if group in segments else group for group in groups if group),
    )


def _consent(row: Mapping[str, object]) -> ConsentLine:
    return ConsentLine(
        str(row["status"]),
        str(row["recorded_at"]),
        str(row["purpose"]),
        str(row["platform"]),
        str(row["regulation"]),
        str(row["source"]),
    )


def _proof(pipeline: Pipeline) -> Proof:
    proof = verify_log(pipeline)
    verdict = (
        f"The whole removal log, {proof.entries:,} entries, was checked for this report and is unaltered."
        if proof.ok
        else f"The removal log was found altered when this report was made: {proof.finding}"
    )
    return Proof(verdict, proof.ok, proof.head, proof.public_key)


def _time(text: str) -> str:
    return format_time(parse_time(text)) if text else ""
