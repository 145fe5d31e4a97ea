"""The emulated Graph API is as strict as Meta's documents, towards any client."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from meta_client import ACCOUNT, CREATE, Client, Make, digest, error

from cohortd.emulators.faults import Fault, FaultKind


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
