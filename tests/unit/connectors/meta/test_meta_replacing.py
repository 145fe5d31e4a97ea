"""Replacing the members of a custom audience, and deleting it."""

import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from cohortd.core.delivery import BatchState, Content, Part
from cohortd.core.errors import GoneError, RetryableError, SessionEndedError, TooSmallError
from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from connectors.meta import MetaConnector, replacing

REPLACE = "https://graph.facebook.com/v26.0/42/usersreplace"
NODE = "https://graph.facebook.com/v26.0/42/"


def person(name: str) -> Member:
    digest = hashlib.sha256(name.encode()).digest()
    return Member(digest[:16], (Identifier(IdentifierKind.EMAIL, digest),))


ANN, BOB, CEM = map(person, ("ann", "bob", "cem"))


def taken(received: int) -> dict[str, object]:
    return {"audience_id": "42", "session_id": "101", "num_received": received, "num_invalid_entries": 0}


def told(code: int, subcode: int) -> dict[str, object]:
    return {"error": {"message": "no", "code": code, "error_subcode": subcode}}


def forms(graph: responses.RequestsMock) -> list[dict[str, object]]:
    found = [parse_qs(call.request.body) for call in graph.calls]
    return [{key: json.loads(form[key][0]) for key in ("payload", "session")} for form in found]


def test_the_content_is_one_session_of_its_own(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.post(REPLACE, json=taken(2))
    receipt = connector.replace(Content("42", (ANN, BOB)))
    [form] = forms(graph)

    assert receipt.state is BatchState.CONFIRMED
    assert form["payload"]["schema"] == ["EMAIL"]
    assert form["session"] == {
        "session_id": 101,
        "batch_seq": 1,
        "last_batch_flag": True,
        "estimated_num_total": 2,
    }


def test_the_requests_of_a_session_are_numbered_and_what_meta_received_is_counted_over_all(
    graph: responses.RequestsMock, connector: MetaConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.meta.connector.ROWS_PER_REQUEST", 2)
    graph.post(REPLACE, json=taken(2))
    graph.post(REPLACE, json=taken(3))
    connector.replace(Content("42", (ANN, BOB, CEM)))
    sessions = [form["session"] for form in forms(graph)]

    assert [(each["batch_seq"], each["last_batch_flag"]) for each in sessions] == [(1, False), (2, True)]
    assert {each["session_id"] for each in sessions} == {101}


def test_rows_that_meta_did_not_receive_are_no_success(
    graph: responses.RequestsMock, connector: MetaConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.meta.connector.ROWS_PER_REQUEST", 2)
    graph.post(REPLACE, json=taken(2))
    graph.post(REPLACE, json=taken(2))

    with pytest.raises(RetryableError, match="0 of 1"):
        connector.replace(Content("42", (ANN, BOB, CEM)))


def test_a_replacement_carries_no_external_ids() -> None:
    assert IdentifierKind.EXTERNAL_ID not in replacing.REPLACEABLE


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [(200, 1870047, TooSmallError), (2650, 1870145, RetryableError), (2650, 1870148, RetryableError)],
)
def test_refusals_are_told_apart(
    graph: responses.RequestsMock, connector: MetaConnector, code: int, subcode: int, kind: type[Exception]
) -> None:
    graph.post(REPLACE, status=400, json=told(code, subcode))

    with pytest.raises(kind):
        connector.replace(Content("42", (ANN,)))


def test_an_audience_is_deleted_by_its_id(graph: responses.RequestsMock, connector: MetaConnector) -> None:
    graph.delete(NODE, json={"success": True})
    connector.delete("42")

    assert urlsplit(graph.calls[0].request.url).path == "/v26.0/42/"


def test_one_that_is_deleted_already_is_told_as_gone(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.delete(NODE, status=400, json=told(100, 33))

    with pytest.raises(GoneError):
        connector.delete("42")


@pytest.mark.parametrize(("subcode", "how"), [(1870147, "unknown"), (1870158, "late"), (1870159, "over")])
def test_it_is_told_why_a_session_cannot_be_gone_on_with(
    graph: responses.RequestsMock, connector: MetaConnector, subcode: int, how: str
) -> None:
    graph.post(REPLACE, status=400, json=told(2650, subcode))

    with pytest.raises(SessionEndedError) as raised:
        connector.replace_part(Part("42", "7", 2, is_last=True, members=(ANN,)))
    assert raised.value.how == how


def test_a_part_is_sent_under_its_number_in_the_session_that_is_named(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.post(REPLACE, json=taken(40))
    receipt = connector.replace_part(Part("42", "7", 3, is_last=False, members=(ANN, BOB)))
    [form] = forms(graph)

    assert receipt.state is BatchState.CONFIRMED
    assert form["session"] == {"session_id": 7, "batch_seq": 3, "last_batch_flag": False}
