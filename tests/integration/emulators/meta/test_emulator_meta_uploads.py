"""Uploads to the emulated Graph API: payloads, hashes and sessions, strictly by Meta's documents."""

import json
from datetime import timedelta

import pytest
from meta_client import MADID, Client, Make, digest, error, session


def test_an_upload_is_counted_and_kept_by_person(client: Client) -> None:
    remote_id = client.create()
    answer = client.users(
        remote_id,
        ["EMAIL", "PHONE", "FN", "EXTERN_ID"],
        [[digest(1), digest(2), digest(3), "C-7"], [digest(4), "", "", ""]],
    ).json()
    assert answer == {
        "audience_id": remote_id,
        "session_id": "1",
        "num_received": 2,
        "num_invalid_entries": 0,
        "invalid_entry_samples": [],
    }
    assert client.emulator.size(remote_id) == 2
    assert client.emulator.members(remote_id) == {
        f"email:{digest(1)}",
        f"phone:{digest(2)}",
        "external_id:C-7",
        f"email:{digest(4)}",
    }


@pytest.mark.parametrize("key", ["EMAIL", "PHONE", "EXTERN_ID", "MADID"])
def test_a_removal_finds_a_row_by_any_identifying_key(client: Client, key: str) -> None:
    remote_id = client.create()
    row = {"EMAIL": digest(1), "PHONE": digest(2), "EXTERN_ID": "C-7", "MADID": MADID}
    client.users(remote_id, list(row), [list(row.values())])
    client.users(remote_id, [key], [[row[key]]], method="delete")
    assert len(client.emulator.members(remote_id)) == 3
    assert not any(identifier.endswith(row[key]) for identifier in client.emulator.members(remote_id))


def test_the_other_reading_of_a_removal_takes_the_whole_person(make: Make) -> None:
    client = make(removes_whole_people=True)
    remote_id = client.create()
    client.users(remote_id, ["EMAIL", "PHONE"], [[digest(1), digest(2)], [digest(3), digest(4)]])
    client.users(remote_id, ["EMAIL"], [[digest(1)]], method="delete")
    assert client.emulator.members(remote_id) == {f"email:{digest(3)}", f"phone:{digest(4)}"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("EMAIL", "mary@example.com"),
        ("EMAIL", digest(1).upper()),
        ("EMAIL", digest(1)[:-1]),
        ("EMAIL", digest("")),
        ("FN", "mary"),
        ("MADID", digest(1)),
        ("MADID", MADID.upper()),
    ],
)
def test_values_that_are_not_hashed_as_documented_are_invalid_and_left_out(
    client: Client, key: str, value: str
) -> None:
    remote_id = client.create()
    answer = client.users(remote_id, [key, "EXTERN_ID"], [[value, "a"], ["", "b"]]).json()
    assert (answer["num_received"], answer["num_invalid_entries"]) == (2, 1)
    assert answer["invalid_entry_samples"] == [value]
    assert client.emulator.members(remote_id) == {"external_id:b"}


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        (["EMAIL", "PHONE"], [[digest(1)]]),
        (["EMAIL"], [digest(1)]),
        (["EMAIL"], [[None]]),
        (["EMAIL"], []),
        (["EMAIL"], None),
        ([], [[]]),
        (["EMAIL", "EMAIL"], [[digest(1), digest(2)]]),
        (["MAIL"], [[digest(1)]]),
        ("EMAIL", [digest(1)]),
        (["EMAIL"], [[digest(1)]] * 10_001),
    ],
)
def test_a_payload_that_does_not_fit_its_schema_is_refused_whole(
    client: Client, schema: object, data: object
) -> None:
    remote_id = client.create()
    assert error(client.users(remote_id, schema, data))[0] == 100
    assert client.emulator.size(remote_id) == 0


def test_no_payload_is_refused(client: Client) -> None:
    assert error(client.call("POST", f"{client.create()}/users")) == (100, None)


def test_ten_thousand_rows_are_taken(client: Client) -> None:
    remote_id = client.create()
    rows = [[digest(number)] for number in range(10_000)]
    assert client.users(remote_id, ["EMAIL"], rows).json()["num_received"] == 10_000
    assert client.users(remote_id, ["EMAIL"], rows, method="delete").json()["num_received"] == 10_000
    assert client.emulator.size(remote_id) == 0


def test_single_key_and_multi_key_uploads_do_not_mix(client: Client) -> None:
    remote_id = client.create()
    client.users(remote_id, ["EMAIL"], [[digest(1)]])
    assert error(client.users(remote_id, "EMAIL_SHA256", [digest(2)]))[0] == 2650


def test_rows_in_the_address_of_a_delete_work_until_it_is_too_long(client: Client) -> None:
    remote_id = client.create()
    few = json.dumps({"schema": ["EMAIL"], "data": [[digest(1)]]})
    many = json.dumps({"schema": ["EMAIL"], "data": [[digest(number)] for number in range(300)]})
    assert client.call("DELETE", f"{remote_id}/users", payload=few).json()["num_received"] == 1
    answer = client.call("DELETE", f"{remote_id}/users", payload=many)
    assert answer.status_code == 414
    assert "<html>" in answer.text


def test_a_session_counts_on_over_its_batches(client: Client) -> None:
    remote_id = client.create()
    first = client.users(remote_id, ["EMAIL"], [[digest(1)]], session=session(9, 1, last=False)).json()
    second = client.users(remote_id, ["EMAIL"], [[digest(2)]], session=session(9, 2)).json()
    assert (first["num_received"], second["num_received"], second["session_id"]) == (1, 2, "9")


def test_batches_after_the_last_are_discarded_without_a_word(client: Client) -> None:
    remote_id = client.create()
    for number in (1, 2):
        answer = client.users(remote_id, ["EMAIL"], [[digest(number)]], session=session(9))
        assert answer.json()["num_received"] == 1
    assert client.emulator.members(remote_id) == {f"email:{digest(1)}"}


def test_a_session_is_over_after_ninety_minutes(client: Client) -> None:
    remote_id = client.create()
    client.users(remote_id, ["EMAIL"], [[digest(1)]], session=session(9, 1, last=False))
    client.clock.now += timedelta(minutes=91)
    client.users(remote_id, ["EMAIL"], [[digest(2)]], session=session(9, 2))
    assert client.emulator.size(remote_id) == 1


@pytest.mark.parametrize(
    "text",
    [
        session(0),
        session(2**63),
        session(9, 0),
        session(9, 2),
        "nonsense",
        "[]",
        '{"session_id": "9", "batch_seq": 1}',
        '{"session_id": 9, "batch_seq": 1, "last_batch_flag": "yes"}',
    ],
)
def test_a_session_that_is_not_as_documented_is_refused(client: Client, text: str) -> None:
    remote_id = client.create()
    assert error(client.users(remote_id, ["EMAIL"], [[digest(1)]], session=text))[0] == 100


def test_a_session_keeps_its_schema_its_audience_and_its_direction(client: Client) -> None:
    remote_id, other = client.create(), client.create()
    client.users(remote_id, ["EMAIL"], [[digest(1)]], session=session(9, 1, last=False))
    part = session(9, 2)
    assert error(client.users(remote_id, ["PHONE"], [[digest(1)]], session=part))[0] == 100
    assert error(client.users(other, ["EMAIL"], [[digest(1)]], session=part))[0] == 100
    assert error(client.users(remote_id, ["EMAIL"], [[digest(1)]], session=part, method="delete"))[0] == 100


def test_an_audience_with_retention_forgets_whoever_was_not_added_again(client: Client) -> None:
    kept, forgetting = client.create(), client.create(retention_days=30)
    for remote_id in (kept, forgetting):
        client.users(remote_id, ["EMAIL"], [[digest(1)], [digest(2)]])
        client.emulator.members(remote_id)
    client.clock.now += timedelta(days=20)
    client.users(forgetting, ["EMAIL"], [[digest(2)]])
    client.clock.now += timedelta(days=11)

    assert client.emulator.size(kept) == 2
    assert client.emulator.members(forgetting) == {f"email:{digest(2)}"}
