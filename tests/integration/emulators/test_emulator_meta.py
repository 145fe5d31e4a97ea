"""The emulated Graph API is as strict as Meta's documents, towards any client."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.meta import MetaEmulator, MetaRules

ACCOUNT = "act_1"
CREATE = {"name": "Regulars", "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"}
MADID = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"

Make = Callable[..., "Client"]


def digest(text: object) -> str:
    return hashlib.sha256(str(text).encode()).hexdigest()


class Clock:
    now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Client:
    """Plain HTTP, as a stranger would speak."""

    def __init__(self, emulator: MetaEmulator, clock: Clock) -> None:
        self.emulator, self.clock = emulator, clock
        self.http = requests.Session()
        self.http.trust_env = False

    def call(self, method: str, path: str, /, **params: object) -> requests.Response:
        token = {"access_token": "t"}
        url = f"{self.emulator.endpoint}/v26.0/{path}"
        if method == "POST":
            return self.http.post(url, params=token, data=params, timeout=10)
        return self.http.request(method, url, params=token | params, timeout=10)

    def create(self, **changes: object) -> str:
        return str(self.call("POST", f"{ACCOUNT}/customaudiences", **CREATE | changes).json()["id"])

    def users(self, remote_id: str, schema: object, data: object, /, **more: object) -> requests.Response:
        payload = json.dumps({"schema": schema, "data": data})
        return self.call("POST", f"{remote_id}/users", payload=payload, **more)


def error(answer: requests.Response) -> tuple[int, int | None]:
    told = answer.json()["error"]
    return told["code"], told.get("error_subcode")


def session(number: int, seq: int = 1, *, last: bool = True) -> str:
    return json.dumps({"session_id": number, "batch_seq": seq, "last_batch_flag": last})


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Client] = []

    def make(folder: Path | None = None, **rules: object) -> Client:
        clock = Clock()
        emulator = MetaEmulator(rules=MetaRules(**rules), clock=clock, folder=folder)
        emulator.start()
        made.append(Client(emulator, clock))
        return made[-1]

    yield make
    for client in made:
        client.http.close()
        client.emulator.stop()


@pytest.fixture
def client(make: Make) -> Client:
    return make()


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


@pytest.mark.parametrize(
    "path", ["120219999999999999/users", "120219999999999999", "act_x/customaudiences"]
)
def test_what_is_not_there_may_also_be_forbidden(client: Client, path: str) -> None:
    assert error(client.call("POST", path, **CREATE)) == (100, 33)


def test_other_accounts_are_not_there(make: Make) -> None:
    client = make(accounts=frozenset({"act_2"}))
    assert error(client.call("GET", "act_1")) == (100, 33)


def test_a_flagged_name_blocks_uploads_and_edits_and_shows(client: Client) -> None:
    remote_id = client.create(name="High income shoppers")
    assert error(client.users(remote_id, ["EMAIL"], [[digest(1)]])) == (100, 1713230)
    assert error(client.call("POST", remote_id, name="x")) == (100, 1713228)
    fields = "operation_status,fields_violating_integrity_policy"
    node = client.call("GET", remote_id, fields=fields).json()
    assert (node["operation_status"]["code"], node["fields_violating_integrity_policy"]) == (471, ["name"])


def test_an_audience_too_small_refuses_removals_where_a_floor_is_set(make: Make) -> None:
    client = make(removal_floor=2)
    remote_id = client.create()
    client.users(remote_id, ["EMAIL"], [[digest(1)]])
    assert error(client.users(remote_id, ["EMAIL"], [[digest(1)]], method="delete")) == (200, 1870047)
    client.users(remote_id, ["EMAIL"], [[digest(2)]])
    client.users(remote_id, ["EMAIL"], [[digest(1)]], method="delete")
    assert client.emulator.members(remote_id) == {f"email:{digest(2)}"}


def test_terms_that_nobody_accepted_stop_everything_that_writes(make: Make) -> None:
    client = make(terms_accepted=False)
    assert error(client.call("POST", f"{ACCOUNT}/customaudiences", **CREATE)) == (200, 1870034)
    assert client.call("GET", ACCOUNT, fields="tos_accepted").json()["tos_accepted"] == {}


@pytest.mark.parametrize(
    "changes",
    [{"name": ""}, {"subtype": "WEBSITE"}, {"customer_file_source": "OURS"}, {"retention_days": 181}],
)
def test_an_audience_is_created_by_the_documents_only(client: Client, changes: dict[str, object]) -> None:
    assert error(client.call("POST", f"{ACCOUNT}/customaudiences", **CREATE | changes))[0] == 100


def test_lists_come_in_pages(client: Client) -> None:
    ids = [client.create(name=str(number)) for number in range(5)]
    found, after = [], {}
    for _ in range(3):
        page = client.call("GET", f"{ACCOUNT}/customaudiences", fields="id,name", limit=2, **after).json()
        found += [node["id"] for node in page["data"]]
        after = {"after": page["paging"]["cursors"]["after"]}
    assert found == ids
    assert "next" not in page["paging"]
    too_many = client.call("GET", f"{ACCOUNT}/customaudiences", limit=1000)
    assert error(too_many) == (1, None)


def test_sizes_are_rounded_and_hidden_while_small(client: Client) -> None:
    remote_id = client.create()
    fields = "operation_status,delivery_status,approximate_count_lower_bound,approximate_count_upper_bound"

    def shown() -> list[int]:
        node = client.call("GET", remote_id, fields=fields).json()
        codes = [node["operation_status"]["code"], node["delivery_status"]["code"]]
        return [*codes, node["approximate_count_lower_bound"], node["approximate_count_upper_bound"]]

    assert shown() == [410, 300, -1, -1]
    client.users(remote_id, ["EMAIL"], [[digest(number)] for number in range(99)])
    assert shown() == [200, 300, -1, -1]
    client.users(remote_id, ["EMAIL"], [[digest(number)] for number in range(1234)])
    assert shown() == [200, 200, 1200, 1300]


def test_tokens_and_signatures_are_checked(make: Make) -> None:
    assert error(make(token="other").call("GET", ACCOUNT))[0] == 190
    unsigned = make(app_secret="s").call("GET", ACCOUNT)
    assert "appsecret_proof" in unsigned.json()["error"]["message"]


def test_the_hours_allowance_is_shown_and_enforced(make: Make) -> None:
    client = make(calls_per_hour=4)
    used = [client.call("GET", ACCOUNT) for _ in range(5)]
    usage = [json.loads(answer.headers["X-Business-Use-Case-Usage"])["1"][0] for answer in used]
    assert [each["call_count"] for each in usage] == [25, 50, 75, 100, 100]
    assert error(used[-1]) == (80003, 2446079)
    assert usage[-1]["estimated_time_to_regain_access"] == 60
    client.clock.now += timedelta(hours=1)
    assert client.call("GET", ACCOUNT).ok


def test_an_error_is_answered_as_scheduled(client: Client) -> None:
    client.emulator.faults.add(Fault(call="account.read", status=500, code=1, subcode=99))
    client.emulator.faults.add(Fault(call="account.read", status=502, body="<html>Bad Gateway</html>"))
    first, second, third = (client.call("GET", ACCOUNT) for _ in range(3))
    assert (first.status_code, error(first)) == (500, (1, 99))
    assert (second.status_code, second.text) == (502, "<html>Bad Gateway</html>")
    assert third.ok


@pytest.mark.parametrize(("kind", "size"), [(FaultKind.DROP_BEFORE, 0), (FaultKind.DROP_AFTER, 1)])
def test_a_connection_is_dropped_before_or_after_the_work(
    client: Client, kind: FaultKind, size: int
) -> None:
    remote_id = client.create()
    client.emulator.faults.add(Fault(call="users.add", kind=kind))
    with pytest.raises(requests.exceptions.ConnectionError):
        client.users(remote_id, ["EMAIL"], [[digest(1)]])
    assert client.emulator.size(remote_id) == size


def test_half_of_the_rows_are_applied_as_scheduled(client: Client) -> None:
    remote_id = client.create()
    client.emulator.faults.add(Fault(call="users.add", kind=FaultKind.HALF_APPLY, share=0.5))
    answer = client.users(remote_id, ["EMAIL"], [[digest(number)] for number in range(10)])
    assert answer.status_code == 503
    assert client.emulator.size(remote_id) == 5


def test_a_delayed_answer_is_a_right_answer(client: Client) -> None:
    client.emulator.faults.add(Fault(kind=FaultKind.DELAY, delay_s=0.05))
    assert client.call("GET", ACCOUNT).ok
    assert client.emulator.faults.struck


def test_an_expired_token_and_a_quota_are_answered_in_metas_words(client: Client) -> None:
    client.emulator.faults.add(Fault(kind=FaultKind.TOKEN_EXPIRED))
    client.emulator.faults.add(Fault(kind=FaultKind.QUOTA, retry_after_s=300))
    assert error(client.call("GET", ACCOUNT)) == (190, 463)
    limited = client.call("GET", ACCOUNT)
    usage = json.loads(limited.headers["X-Business-Use-Case-Usage"])["1"][0]
    assert (error(limited), usage["estimated_time_to_regain_access"]) == ((80003, 2446079), 5)


def test_members_outlive_the_emulator_in_a_folder(make: Make, tmp_path: Path) -> None:
    first = make(folder=tmp_path)
    remote_id = first.create()
    first.users(remote_id, ["EMAIL"], [[digest(1)]])
    second = make(folder=tmp_path)
    assert second.emulator.members(remote_id) == {f"email:{digest(1)}"}
    assert second.create() != remote_id


def test_an_audience_can_be_deleted(client: Client) -> None:
    remote_id = client.create()
    assert client.call("DELETE", remote_id).json() == {"success": True}
    assert error(client.call("GET", remote_id)) == (100, 33)


def test_a_field_meta_does_not_know_is_refused(client: Client) -> None:
    assert error(client.call("GET", client.create(), fields="id,shoe_size"))[0] == 100


def test_calls_are_counted_by_name(client: Client) -> None:
    remote_id = client.create()
    client.call("GET", remote_id)
    assert dict(client.emulator.calls) == {"audiences.create": 1, "audiences.read": 1}
