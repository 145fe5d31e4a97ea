"""What is read of an event, and what of a broken one."""

import json
from datetime import UTC, datetime

import pytest

from cohortd.receiver import PRESETS, EventShape, Said, read_event
from cohortd.receiver.events import MOST_DEPTH

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAIN = EventShape(
    customer_id=("id",),
    email=("contact.email", "emails[]"),
    phone=("phone",),
    recorded_at=("at",),
    status=("status",),
    purpose=("purpose",),
    statuses={"Opt-Out": "revoked"},
)


def _ketch(**changes: object) -> dict[str, object]:
    request = {
        "property": "shop",
        "environment": "production",
        "regulation": "gdpr",
        "jurisdiction": "eugdpr",
        "identities": [
            {"identitySpace": "cookie", "identityFormat": "raw", "identityValue": "x"},
            {"identitySpace": "account_id", "identityFormat": "raw", "identityValue": "123"},
            {"identitySpace": "email", "identityFormat": "raw", "identityValue": "canary@example.com"},
        ],
        "purposes": {"advertising": "granted", "data_sales": "denied"},
        "legalBasis": {"advertising": "consent_optin", "data_sales": "consent_optout"},
        "collectedAt": 1772366400,
        **changes,
    }
    return {
        "apiVersion": "consent/v1",
        "kind": "ConsentRequest",
        "metadata": {"uid": "22880925", "tenant": "shop"},
        "request": request,
    }


def _didomi(kind: str = "event.created", **changes: object) -> dict[str, object]:
    entity = {
        "id": "00b89328",
        "created_at": "2026-03-01T11:00:00.000Z",
        "updated_at": "2026-03-01T12:00:00.000Z",
        "regulation": "cpra",
        "status": "confirmed",
        "user": {"id": "a3722cd3", "organization_user_id": "123"},
        "consents": {
            "purposes": [{"id": "advertising", "enabled": True}, {"id": "email", "enabled": False}]
        },
        **changes,
    }
    both = kind.endswith("updated")
    parameters = {"old_entity": {"id": "old"}, "new_entity": entity} if both else {"entity": entity}
    return {"type": kind, "parameters": parameters}


def _read(event: object, shape: EventShape = PLAIN):
    return read_event(json.dumps(event).encode(), shape)


def test_ketch_says_every_purpose_with_its_regulation_and_basis() -> None:
    reading = _read(_ketch(), PRESETS["ketch"])

    assert reading.fault == ""
    assert (reading.named.customer_ids, reading.named.emails) == (("123",), ("canary@example.com",))
    assert reading.event_id == "22880925"
    assert reading.said == (
        Said("granted", AT, "advertising", regulation="gdpr", legal_basis="consent"),
        Said("denied", AT, "data_sales", regulation="gdpr", legal_basis="consent_optout"),
    )


@pytest.mark.parametrize("kind", ["event.created", "event.updated", "user.created"])
def test_didomi_says_every_purpose_under_its_own_regulation(kind: str) -> None:
    reading = _read(_didomi(kind), PRESETS["didomi"])

    assert reading.named.customer_ids == ("123",)
    assert reading.said == (
        Said("granted", AT, "advertising", regulation="cpra"),
        Said("denied", AT, "email", regulation="cpra"),
    )


def test_didomi_means_gdpr_where_it_names_no_regulation() -> None:
    assert {s.regulation for s in _read(_didomi(regulation=None), PRESETS["didomi"]).said} == {"gdpr"}


def test_didomi_grants_nothing_that_waits_for_approval_but_withdraws() -> None:
    reading = _read(_didomi(status="pending_approval"), PRESETS["didomi"])

    assert [(s.status, s.purpose) for s in reading.said] == [("denied", "email")]


@pytest.mark.parametrize("kind", ["event.deleted", "user.deleted"])
def test_who_is_deleted_at_didomi_is_granted_nothing(kind: str) -> None:
    assert _read(_didomi(kind), PRESETS["didomi"]).said == (Said("revoked", AT),)


@pytest.mark.parametrize(
    ("at", "means"),
    [
        ("2026-03-01T12:00:00Z", AT),
        ("2026-03-01T13:00:00+01:00", AT),
        (1772366400, AT),
        ("1772366400", AT),
        (1772366400000, AT),
        ("soon", None),
        (None, None),
        (True, None),
        (1e300, None),
        ({"at": 1}, None),
    ],
)
def test_times_are_iso_or_unix_seconds_or_milliseconds(at: object, means: datetime | None) -> None:
    [said] = _read({"id": "1", "status": "revoked", "at": at}).said

    assert said.recorded_at == means


@pytest.mark.parametrize(
    ("status", "means"),
    [
        *(("granted", "granted"), ("GRANTED", "granted"), (True, "granted")),
        *((False, "denied"), ("opt-out", "revoked"), ("Revoked", "revoked")),
        *(("perhaps", "denied"), (1, "denied"), ({"granted": True}, "denied"), ("", "denied")),
    ],
)
def test_a_status_that_nobody_knows_is_a_no(status: object, means: str) -> None:
    [said] = _read({"id": "1", "status": status, "purpose": "advertising", "at": 1772366400}).said

    assert said.status == means


def test_an_id_that_is_an_address_names_nobody_as_an_id() -> None:
    named = _read({"id": "canary@example.com", "status": "revoked"}).named

    assert (named.customer_ids, named.emails) == ((), ("canary@example.com",))


def test_the_first_path_that_leads_anywhere_counts() -> None:
    named = _read({"emails": ["a@example.com", "b@example.com"], "status": "revoked"}).named

    assert named.emails == ("a@example.com", "b@example.com")


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "it is no JSON"),
        (b"\xff\xfe{}", "it is no JSON"),
        (b'{"id": "1", "id": "2", "status": "revoked"}', "it is no JSON"),
        (b'{"id": NaN}', "it is no JSON"),
        (b'{"id": 1' + b"0" * 5_000 + b"}", "it is no JSON"),
        (b"[]", "it is no JSON object"),
        (b"[" * (MOST_DEPTH + 1), "it is nested too deep"),
        (b'{"a":' * 100_000 + b"1", "it is nested too deep"),
        (b'{"status": "revoked"}', "it names nobody"),
    ],
)
def test_of_what_is_no_event_nobody_is_read(raw: bytes, fault: str) -> None:
    reading = read_event(raw, PLAIN)

    assert (reading.fault, bool(reading.named), reading.said) == (fault, False, ())


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ({"id": "1"}, "it says nothing of any purpose"),
        ({"id": "1", "status": "granted", "at": 1772366400}, "a grant names no purpose"),
        ({"id": "1", "status": "granted", "purpose": "advertising"}, "a grant bears no readable time"),
    ],
)
def test_of_an_event_at_fault_it_is_known_whom_it_names(event: dict[str, str], fault: str) -> None:
    reading = _read(event)

    assert (reading.fault, reading.named.customer_ids, reading.said) == (fault, ("1",), ())


def test_of_an_event_that_names_too_many_all_are_known() -> None:
    reading = read_event(json.dumps({"id": [str(n) for n in range(51)]}).encode(), PLAIN)

    assert (reading.fault, len(reading.named.customer_ids)) == ("it names too many at once", 51)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"regulation": ""}, "a grant names no regulation"),
        ({"purposes": {"": "granted"}}, "a grant names no purpose"),
        ({"purposes": {}}, "it says nothing of any purpose"),
        ({"purposes": "granted"}, "it says nothing of any purpose"),
        ({"purposes": {str(n): "denied" for n in range(201)}}, "it says too much at once"),
    ],
)
def test_a_grant_that_left_blank_would_count_for_more_is_at_fault(
    changes: dict[str, object], fault: str
) -> None:
    assert _read(_ketch(**changes), PRESETS["ketch"]).fault == fault


def test_brackets_within_texts_do_not_count_as_depth() -> None:
    assert _read({"id": "1", "status": "revoked", "note": "[" * 500 + '\\"'}).fault == ""


@pytest.mark.parametrize("at", ["status", "purpose", "more"])
def test_halves_of_characters_are_a_fault_and_its_person_is_known_all_the_same(at: str) -> None:
    event = {"id": "1", "status": "revoked", "purpose": "advertising"} | {at: "a\ud800"}
    reading = read_event(json.dumps(event).encode(), PLAIN)

    assert (reading.fault, reading.named.customer_ids) == ("it holds halves of characters", ("1",))


def test_no_name_is_read_that_cannot_be_kept() -> None:
    reading = read_event(b'{"id": "1\\ud800", "status": "revoked"}', PLAIN)

    assert reading.named.customer_ids == ("1\N{REPLACEMENT CHARACTER}",)


def test_nothing_shows_whom_an_event_names() -> None:
    assert "canary" not in repr(_read({"id": "canary@example.com", "status": "revoked"}))
