"""``/usersreplace`` by the documents: one at a time, first batch first, 90 minutes, no /users meanwhile."""

import json
from datetime import timedelta

import pytest
import requests
from meta_client import Client, Make, digest, error, session


def replace(
    client: Client, remote_id: str, *people: object, at: str | None, schema: str = "EMAIL"
) -> requests.Response:
    payload = json.dumps({"schema": [schema], "data": [[digest(each)] for each in people]})
    more = {} if at is None else {"session": at}
    return client.call("POST", f"{remote_id}/usersreplace", payload=payload, **more)


def held(*people: object) -> set[str]:
    return {f"email:{digest(each)}" for each in people}


def status(client: Client, remote_id: str) -> int:
    node = client.call("GET", remote_id, fields="operation_status").json()
    return int(node["operation_status"]["code"])


@pytest.fixture
def fed(client: Client) -> str:
    """An audience that holds the persons 1 and 2."""
    remote_id = client.create()
    client.users(remote_id, ["EMAIL"], [[digest(1)], [digest(2)]])
    return remote_id


def test_the_first_batch_deletes_everybody_and_the_next_ones_add(client: Client, fed: str) -> None:
    first = replace(client, fed, 2, at=session(7, last=False)).json()
    half = client.emulator.members(fed)
    last = replace(client, fed, 3, 4, at=session(7, 2)).json()

    assert half == held(2)
    assert client.emulator.members(fed) == held(2, 3, 4)
    assert [answer["num_received"] for answer in (first, last)] == [1, 3]


def test_nothing_else_may_be_done_to_the_members_meanwhile(client: Client, fed: str) -> None:
    replace(client, fed, 2, at=session(7, last=False))
    during = status(client, fed)
    users = error(client.users(fed, ["EMAIL"], [[digest(9)]]))
    removal = error(client.users(fed, ["EMAIL"], [[digest(2)]], method="delete"))
    other = error(replace(client, fed, 9, at=session(8)))
    replace(client, fed, 3, at=session(7, 2))

    assert during == 414
    assert {users, removal, other} == {(2650, 1870145)}
    assert status(client, fed) == 200


def test_a_replacement_that_takes_too_long_leaves_what_came_and_adds_go_on(
    client: Client, fed: str
) -> None:
    replace(client, fed, 2, at=session(7, last=False))
    client.clock.now += timedelta(minutes=91)
    late = error(replace(client, fed, 3, at=session(7, 2)))
    failed = status(client, fed)
    client.users(fed, ["EMAIL"], [[digest(3)]])

    assert late == (2650, 1870158)
    assert failed == 415
    assert status(client, fed) == 200
    assert client.emulator.members(fed) == held(2, 3)


def test_batches_come_behind_the_first_one_in_any_order_and_the_last_one_ends_it(
    client: Client, fed: str
) -> None:
    early = error(replace(client, fed, 3, at=session(7, 2, last=False)))
    replace(client, fed, 2, at=session(7, last=False))
    twice = error(replace(client, fed, 2, at=session(7, last=False)))
    replace(client, fed, 4, at=session(7, 3, last=False))
    replace(client, fed, 4, at=session(7, 3, last=False))
    ended = replace(client, fed, 3, at=session(7, 2)).json()
    over = error(replace(client, fed, 3, at=session(7, 2)))

    assert early == (2650, 1870147)
    assert twice == (100, None)
    assert ended["num_received"] == 3
    assert over == (2650, 1870159)


def test_a_session_is_demanded_and_external_ids_are_not_taken(client: Client, fed: str) -> None:
    assert error(replace(client, fed, 2, at=None)) == (100, None)
    assert error(replace(client, fed, 2, at=session(7), schema="EXTERN_ID")) == (100, None)


def test_an_audience_that_nothing_was_uploaded_to_is_not_in_its_normal_state(client: Client) -> None:
    assert error(replace(client, client.create(), 2, at=session(7))) == (2650, 1870145)


@pytest.mark.parametrize("replaces_small", [True, False])
def test_a_small_audience_may_be_replaced_or_not(make: Make, *, replaces_small: bool) -> None:
    client = make(removal_floor=5, replaces_small=replaces_small)
    remote_id = client.create()
    client.users(remote_id, ["EMAIL"], [[digest(1)], [digest(2)]])
    answer = replace(client, remote_id, 2, at=session(7))

    assert client.emulator.members(remote_id) == (held(2) if replaces_small else held(1, 2))
    assert replaces_small or error(answer) == (200, 1870047)
