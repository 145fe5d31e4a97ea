import io
import json
from typing import Any

import pytest
from pyld import jsonld

from cohortd.core.removals import RemovalEntry
from cohortd.report import removal_log_jsonld

DPV = "https://w3id.org/dpv#"
SUBJECT = "3fa9c1d2" * 4


def entry(seq: int, event: str, **fields: Any) -> RemovalEntry:
    blank = dict.fromkeys(("audience", "destination", "platform", "account", "remote_id"), "")
    more = {
        "at": f"2026-11-22T00:58:{seq:02d}.000000Z",
        "subject": SUBJECT,
        "trigger": "revoked",
        "source": 'a form with "marks"\x1b',
        "event_time": "2026-11-21T10:00:00.000000Z",
        "identifier_kinds": "",
        "batch": 0,
        "detail": "",
        "previous": "0" * 64,
        "hash": f"{seq:064x}",
        "schema_version": 2,
        "record_id": f"01a20431-91b9-7e12-a7e0-{seq:012d}",
        "regulation": "gdpr",
        "purpose": "spring offers",
        "rule": "revoked",
    }
    return RemovalEntry(seq=seq, event=event, **{**blank, **more, **fields})


META = {"audience": "s1", "destination": "meta", "platform": "meta", "account": "act_1", "remote_id": "9"}
WHOLE = (
    entry(1, "recorded"),
    entry(2, "queued", **META, identifier_kinds="email,phone"),
    entry(3, "confirmed", **META, identifier_kinds="email,phone"),
    entry(4, "recorded", subject="77b01e42" * 4, rule="denied", regulation="", purpose=""),
)


def written(period: tuple[str, str] | None = None) -> dict[str, Any]:
    out = io.StringIO()
    removal_log_jsonld(WHOLE, out, period=period)
    document: dict[str, Any] = json.loads(out.getvalue())
    return document


def expanded() -> list[dict[str, Any]]:
    def fetch(url: str, _options: object) -> None:
        pytest.fail(f"it wants to load {url}")

    found: list[dict[str, Any]] = jsonld.expand(written(), {"documentLoader": fetch})
    return found


def test_it_is_json_ld_that_needs_nothing_from_anywhere() -> None:
    first, second = expanded()

    assert first["@id"] == f"urn:uuid:{WHOLE[0].record_id}"
    assert first["@type"] == [f"{DPV}ConsentRecord"]
    profile = "https://w3id.org/dpv/schema/dpv-27560#record"
    conforms = [each["http://purl.org/dc/terms/conformsTo"][0]["@id"] for each in (first, second)]
    assert conforms == [f"{profile}-eu-gdpr", profile]
    assert second[f"{DPV}hasConsentStatus"][0]["@type"] == [f"{DPV}ConsentRefused"]


def test_no_word_is_lost_for_want_of_a_name() -> None:
    def names(node: object) -> set[str]:
        if isinstance(node, dict):
            return set(node).union(*map(names, node.values()))
        return set().union(*map(names, node)) if isinstance(node, list) else set()

    told = names(written()["@graph"]) - {"@id", "@type"}
    prefixes = {key for key in written()["@context"] if ":" not in key}

    assert {name.partition(":")[0] for name in told} <= prefixes
    assert {name for name in names(expanded()) if not name.startswith(("@", "http", "urn:"))} == set()


def test_the_parts_of_a_consent_record_are_there() -> None:
    record = expanded()[0]
    process = record[f"{DPV}hasProcess"][0]
    purpose = process[f"{DPV}hasPurpose"][0]

    assert record[f"{DPV}hasDataSubject"][0][f"{DPV}hasIdentifier"] == [{"@value": SUBJECT}]
    assert record[f"{DPV}hasConsentStatus"][0]["@type"] == [f"{DPV}ConsentWithdrawn"]
    assert [each["@id"] for each in process[f"{DPV}hasPersonalData"]] == [
        "https://w3id.org/dpv/pd#EmailAddress",
        "https://w3id.org/dpv/pd#TelephoneNumber",
    ]
    assert purpose["http://www.w3.org/2004/02/skos/core#prefLabel"] == [{"@value": "spring offers"}]
    [recipient] = process[f"{DPV}hasRecipient"]
    assert recipient["@id"] == record[f"{DPV}hasEntity"][0]["@id"] == "urn:cohortd:recipient:meta:act_1"


def test_every_field_of_every_entry_is_in_it_in_order() -> None:
    [steps] = expanded()[0]["urn:cohortd:log:steps"]
    hashes = [step["urn:cohortd:log:hash"][0]["@value"] for step in steps["@list"]]

    assert hashes == [one.hash for one in WHOLE[:3]]
    assert steps["@list"][0]["urn:cohortd:log:source"] == [{"@value": 'a form with "marks"\x1b'}]


def test_a_period_has_the_withdrawals_recorded_in_it() -> None:
    found = written(("", WHOLE[3].at))

    assert [record["dpv:hasIdentifier"] for record in found["@graph"]] == [WHOLE[0].record_id]
