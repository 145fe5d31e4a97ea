"""The removal log as linked data: a consent record a withdrawal, by DPV's profile of ISO/IEC TS 27560."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Final, TextIO

from cohortd.core.printable import escaped
from cohortd.core.removals import RemovalEntry, RemovalEvent
from cohortd.report.cases import Case, begun_until, cases_of

#: All of it stands inline: a reader fetches nothing.
CONTEXT: Final[Mapping[str, object]] = {
    "@version": 1.1,
    "dct": "http://purl.org/dc/terms/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "dpv-27560": "https://w3id.org/dpv/schema/dpv-27560#",
    #: Whatever only our log has; each field of an entry under its own name.
    "cohortd": "urn:cohortd:log:",
    "dct:conformsTo": {"@type": "@id"},
    "dct:created": {"@type": "xsd:dateTime"},
    "dct:date": {"@type": "xsd:dateTime"},
    "dpv:hasDataSubject": {"@type": "@id"},
    "dpv:hasRecipient": {"@type": "@id"},
    "dpv:hasPurpose": {"@type": "@id"},
    "dpv:hasProcessing": {"@type": "@id"},
    "dpv:hasPersonalData": {"@type": "@id"},
    "dpv:hasLegalBasis": {"@type": "@id"},
    "skos:broader": {"@type": "@id"},
    "cohortd:unknown": {"@type": "@id"},
    "cohortd:steps": {"@container": "@list"},
}
#: The profile asks for these, and nothing here knows them: whoever hands a record out adds them.
_UNKNOWN: Final = ("dpv:hasNotice", "dpv:hasDataController", "dpv:hasStorageCondition")
_STATES: Final = {"denied": "dpv:ConsentRefused"}
_PERSONAL_DATA: Final = {
    "email": ("pd:EmailAddress",),
    "phone": ("pd:TelephoneNumber",),
    "address": ("pd:Name", "pd:PhysicalAddress"),
    "mobile_ad_id": ("pd:UID",),
    "external_id": ("pd:UID",),
}
_PROFILES: Final = {"gdpr": "dpv-27560:record-eu-gdpr"}


def removal_log_jsonld(
    entries: Iterable[RemovalEntry], out: TextIO, *, period: tuple[str, str] | None = None
) -> None:
    """Write one document: a graph with a consent record for each withdrawal, a line each.

    Holds all entries in memory. Steps whose withdrawal is not among the entries are left out.

    Args:
        entries: In the order of the log.
        out: Where to.
        period: From when on, and before when, what is told was recorded; blank for open.
    """
    cases = begun_until(cases_of(entries), period[1] if period is not None else "")
    out.write(f'{{"@context": {json.dumps(CONTEXT)},\n"@graph": [\n')
    for number, case in enumerate(cases):
        out.write(",\n" if number else "")
        out.write(escaped(json.dumps(_record(case), ensure_ascii=False)))
    out.write("\n]}\n")


def _record(case: Case) -> dict[str, object]:
    """Header, principal, processing, parties and events of TS 27560, then what is our log's own."""
    first = case.entries[0]
    sent = [entry for entry in case.entries if entry.destination]
    parties = {_party_id(entry): entry for entry in sent}
    return {
        "@id": _id(first),
        "@type": "dpv:ConsentRecord",
        "dct:conformsTo": _PROFILES.get(first.regulation, "dpv-27560:record"),
        "dpv:hasIdentifier": first.record_id or f"entry {first.seq}",
        "dct:created": first.at,
        "dct:language": "en",
        "dpv:hasDataSubject": {
            "@id": f"urn:cohortd:subject:{first.subject}",
            "@type": "dpv:DataSubject",
            "dpv:hasIdentifier": first.subject,
        },
        "dpv:hasProcess": {
            "@type": "dpv:Process",
            "dpv:hasPurpose": _worded(first.purpose, "dpv:Purpose", "dpv:TargetedAdvertising"),
            "dpv:hasProcessing": "dpv:Share",
            "dpv:hasLegalBasis": _worded(
                "" if first.legal_basis == "consent" else first.legal_basis, "dpv:LegalBasis", "dpv:Consent"
            ),
            **_where_any("dpv:hasPersonalData", _personal_data(sent)),
            **_where_any("dpv:hasRecipient", list(parties)),
            **_where_any("dpv:hasApplicableLaw", first.regulation),
        },
        "dpv:hasEntity": [_party(name, entry) for name, entry in parties.items()],
        "dpv:hasConsentStatus": {
            "@type": _STATES.get(first.rule or first.trigger, "dpv:ConsentWithdrawn"),
            "dct:date": first.event_time or first.at,
            "dpv:isImplementedByEntity": {"@id": f"urn:cohortd:subject:{first.subject}"},
        },
        "cohortd:unknown": list(_UNKNOWN),
        "cohortd:steps": [_step(entry) for entry in case.entries],
    }


def _worded(words: str, kind: str, broader: str) -> object:
    """A term of DPV's, or our customer's own words below it."""
    return {"@type": kind, "skos:prefLabel": words, "skos:broader": broader} if words else broader


def _where_any(name: str, value: object) -> dict[str, object]:
    return {name: value} if value else {}


def _personal_data(sent: Iterable[RemovalEntry]) -> list[str]:
    kinds = sorted({kind for entry in sent for kind in entry.identifier_kinds.split(",") if kind})
    return list(dict.fromkeys(term for kind in kinds for term in _PERSONAL_DATA.get(kind, ())))


def _party_id(entry: RemovalEntry) -> str:
    return f"urn:cohortd:recipient:{entry.platform}:{entry.account}"


def _party(name: str, entry: RemovalEntry) -> dict[str, object]:
    return {
        "@id": name,
        "@type": "dpv:Recipient",
        "dpv:hasName": entry.platform,
        "dpv:hasIdentifier": entry.account,
    }


def _step(entry: RemovalEntry) -> dict[str, object]:
    """Every field of an entry as people read it; what is checked is the log as it was sealed."""
    own = {f"cohortd:{name}": value for name, value in asdict(entry).items()}
    kind = "cohortd:Withdrawal" if entry.event == RemovalEvent.RECORDED else "cohortd:Removal"
    return {"@id": f"{_id(entry)}#step", "@type": kind, "dct:date": entry.at, **own}


def _id(entry: RemovalEntry) -> str:
    return f"urn:uuid:{entry.record_id}" if entry.record_id else f"urn:cohortd:entry:{entry.seq}"
