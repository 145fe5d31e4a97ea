"""What the Meta connector puts on the wire, and what it makes of the answers."""

import hashlib
import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from cohortd.core.delivery import Action, Batch, BatchState, Receipt, RemoteSpec
from cohortd.core.errors import FatalError, NotYetError, RejectedError, RetryableError
from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from connectors.meta import MetaConnector

GRAPH = "https://graph.facebook.com/v26.0"
USERS = f"{GRAPH}/42/users"
LIST = f"{GRAPH}/act_1/customaudiences"
NODE = f"{GRAPH}/42/"
ACCOUNT = f"{GRAPH}/act_1/"
SPEC = RemoteSpec("s1", "Regulars", "Buys often")


def mail(text: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, hashlib.sha256(text.encode()).digest())


def batch(*members: Member, action: Action = Action.ADD) -> Batch:
    return Batch(7, "42", action, members)


def person(*mails: str) -> Member:
    return Member(bytes(16), tuple(mail(text) for text in mails))


ANN, BOB = person("ann"), person("bob")


def taken(received: int, invalid: int = 0, samples: object = ()) -> dict[str, object]:
    return {
        "audience_id": "42",
        "session_id": "101",
        "num_received": received,
        "num_invalid_entries": invalid,
        "invalid_entry_samples": samples or [],
    }


def form(call: responses.Call) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(call.request.body).items()}


def sent(graph: responses.RequestsMock, number: int = 0) -> dict[str, str]:
    return form(graph.calls[number])


def apply_answered(
    graph: responses.RequestsMock, connector: MetaConnector, answer: object, *who: Member
) -> Receipt:
    graph.post(USERS, json=answer)
    return connector.apply(batch(*(who or (ANN, BOB))))


def test_an_add_is_one_post_with_a_list_schema_and_a_session_of_its_own(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    receipt = apply_answered(graph, connector, taken(2))
    assert json.loads(sent(graph)["payload"]) == {
        "schema": ["EMAIL"],
        "data": [[mail("ann").digest.hex()], [mail("bob").digest.hex()]],
    }
    assert json.loads(sent(graph)["session"]) == {
        "session_id": 101,
        "batch_seq": 1,
        "last_batch_flag": True,
        "estimated_num_total": 2,
    }
    assert "method" not in sent(graph)
    assert receipt.state is BatchState.CONFIRMED
    assert (receipt.request, receipt.rejected, receipt.unattributed) == ("101", {}, {})
    assert "24 hours" in receipt.note


def test_a_removal_is_a_post_that_says_delete_with_the_same_rows(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.post(USERS, json=taken(2))
    connector.apply(batch(ANN, BOB))
    connector.apply(batch(ANN, BOB, action=Action.REMOVE))
    added, removed = sent(graph, 0), sent(graph, 1)
    assert graph.calls[1].request.method == "POST"
    assert removed["method"] == "delete"
    assert removed["payload"] == added["payload"]


def test_a_batch_sent_again_is_a_new_session(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.post(USERS, json=taken(1))
    for _ in range(2):
        connector.apply(batch(ANN))
    ids = [json.loads(form(call)["session"])["session_id"] for call in graph.calls]
    assert ids == [101, 102]


def test_more_rows_than_one_request_holds_go_in_several(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.post(USERS, json=taken(10_000))
    graph.post(USERS, json=taken(1))
    crowd = [person(f"a{n}") for n in range(9_999)]
    receipt = connector.apply(batch(*crowd, person("x", "y")))
    sizes = [len(json.loads(form(call)["payload"])["data"]) for call in graph.calls]
    assert sizes == [10_000, 1]
    assert receipt.request == "101,102"


def test_an_invalid_row_that_is_named_rejects_its_member(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    receipt = apply_answered(graph, connector, taken(2, 1, [mail("bob").digest.hex()]))
    assert receipt.state is BatchState.CONFIRMED
    assert list(receipt.rejected) == [1]
    assert receipt.unattributed == {}


@pytest.mark.parametrize("shape", ["map", "rows"])
def test_samples_come_as_a_map_or_as_rows(
    graph: responses.RequestsMock, connector: MetaConnector, shape: str
) -> None:
    digest = mail("bob").digest.hex()
    samples = {digest: "invalid hash"} if shape == "map" else [[digest]]
    receipt = apply_answered(graph, connector, taken(2, 1, samples))
    assert list(receipt.rejected) == [1]


def test_a_removal_with_rows_left_out_that_nobody_names_is_sent_again(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.post(USERS, json=taken(2, 1))
    receipt = connector.apply(batch(ANN, BOB, action=Action.REMOVE))
    assert receipt.state is BatchState.REJECTED


def test_invalid_rows_that_are_not_named_are_counted(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    receipt = apply_answered(graph, connector, taken(2, 2, [mail("bob").digest.hex()]))
    assert list(receipt.rejected) == [1]
    assert sum(receipt.unattributed.values()) == 1


def test_a_member_with_one_valid_row_is_not_rejected(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    receipt = apply_answered(graph, connector, taken(2, 1, [mail("y").digest.hex()]), person("x", "y"))
    assert receipt.rejected == {}
    assert sum(receipt.unattributed.values()) == 1


def test_a_batch_of_invalid_members_alone_is_rejected(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    receipt = apply_answered(graph, connector, taken(1, 1, [mail("ann").digest.hex()]), ANN)
    assert receipt.state is BatchState.REJECTED


def test_a_member_meta_has_no_key_for_is_rejected_without_a_call(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    address = Member(bytes(16), (Identifier(IdentifierKind.ADDRESS, bytes(32), b'{"given_name":"x"}'),))
    receipt = connector.apply(batch(address))
    assert receipt.state is BatchState.REJECTED
    assert list(receipt.rejected) == [0]
    assert len(graph.calls) == 0


@pytest.mark.parametrize("answer", [taken(1), {"audience_id": "42"}, {}, {"num_received": None}])
def test_an_answer_that_does_not_say_all_was_received_is_no_success(
    graph: responses.RequestsMock, connector: MetaConnector, answer: object
) -> None:
    with pytest.raises(RetryableError):
        apply_answered(graph, connector, answer)


def test_too_large_a_body_is_refused_without_rows(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.post(USERS, status=413, body="<html>Request Entity Too Large</html>")
    with pytest.raises(RejectedError) as raised:
        connector.apply(batch(ANN))
    assert raised.value.rows == {}


def test_what_an_audience_is_too_small_for_has_to_wait_alone(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    error = {"message": "Permissions error", "code": 200, "error_subcode": 1870047}
    graph.post(USERS, status=403, json={"error": error})
    with pytest.raises(NotYetError) as raised:
        connector.apply(batch(ANN, action=Action.REMOVE))
    assert raised.value.scope == "audience"


def test_an_audience_is_found_by_the_marker_at_the_end_on_any_page(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    first = {
        "data": [
            {"id": "1", "description": "x [cohortd:s10]"},
            {"id": "2", "description": "[cohortd:s1] of old"},
        ],
        "paging": {"cursors": {"after": "c1"}, "next": "https://graph.facebook.com/secret"},
    }
    second = {
        "data": [
            {"id": "9", "description": "[cohortd:s1]"},
            {"id": "3", "description": "Buys [cohortd:s1]"},
        ]
    }
    graph.get(LIST, json=first)
    graph.get(LIST, json=second)
    assert connector.ensure(SPEC) == "3"
    queries = [parse_qs(urlsplit(call.request.url).query) for call in graph.calls]
    assert "after" not in queries[0]
    assert queries[1]["after"] == ["c1"]


def test_an_audience_that_is_not_there_is_created_with_the_marker(
    graph: responses.RequestsMock, make_connector: Callable[..., MetaConnector]
) -> None:
    graph.get(LIST, json={"data": []})
    graph.post(LIST, json={"id": "42"})
    assert make_connector(retention_days=90).ensure(SPEC) == "42"
    assert sent(graph, 1) == {
        "name": "Regulars",
        "subtype": "CUSTOM",
        "description": "Buys often [cohortd:s1]",
        "customer_file_source": "USER_PROVIDED_ONLY",
        "retention_days": "90",
    }


def test_a_list_that_is_too_long_for_meta_is_read_in_smaller_pages(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    words = "Please reduce the amount of data you're asking for, then retry your request"
    graph.get(LIST, status=500, json={"error": {"code": 1, "message": words}})
    graph.get(LIST, json={"data": [{"id": "3", "description": "Buys [cohortd:s1]"}]})

    assert connector.ensure(SPEC) == "3"
    limits = [parse_qs(urlsplit(call.request.url).query)["limit"] for call in graph.calls]
    assert limits == [["20"], ["10"]]


def test_an_account_that_is_not_shown_stops_the_destination_and_no_audience(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.get(LIST, status=400, json={"error": {"code": 100, "error_subcode": 33, "message": "x"}})
    with pytest.raises(FatalError) as raised:
        connector.ensure(SPEC)

    assert raised.value.scope == "destination"
    assert "ad_account_id" in raised.value.cure


def test_nothing_is_created_while_the_list_cannot_be_read(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.get(LIST, json={"unexpected": True})
    with pytest.raises(RetryableError):
        connector.ensure(SPEC)


def test_the_state_is_told_in_words_and_hidden_sizes_as_unknown(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    node = {"id": "42", "operation_status": {"code": 410}, "delivery_status": {"code": 300}}
    graph.get(NODE, json={**node, "approximate_count_lower_bound": -1, "approximate_count_upper_bound": -1})
    status = connector.read("42")
    assert (status.size_lower, status.size_upper, status.usable) == (None, None, False)
    assert status.state == "nothing uploaded yet; too small or inactive"


def test_a_flagged_audience_is_not_usable(graph: responses.RequestsMock, connector: MetaConnector) -> None:
    node = {"id": "42", "operation_status": {"code": 471}, "delivery_status": {"code": 200}}
    graph.get(
        NODE, json={**node, "approximate_count_lower_bound": 1000, "approximate_count_upper_bound": 1200}
    )
    status = connector.read("42")
    assert (status.size_lower, status.size_upper, status.usable) == (1000, 1200, False)
    assert "flagged" in status.state


def test_retiring_takes_the_marker_off_and_deletes_nothing(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.get(NODE, json={"id": "42", "name": "Regulars", "description": "Buys [cohortd:s1]"})
    graph.post(NODE, json={"success": True})
    connector.retire("42")
    assert sent(graph, 1) == {"name": "Regulars (retired)", "description": "Buys [cohortd-retired:s1]"}


def test_the_check_says_what_to_do_about_terms(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.get(ACCOUNT, json={"id": "act_1", "tos_accepted": {}})
    graph.get(LIST, json={"data": []})
    lines = connector.check()
    assert [line.ok for line in lines] == [True, False, True]
    assert "act=1" in lines[1].cure


def test_polling_is_never_needed_and_says_so(connector: MetaConnector) -> None:
    assert connector.poll("101").state is BatchState.CONFIRMED


def test_the_limits_are_metas(make_connector: Callable[..., MetaConnector]) -> None:
    assert make_connector().limits.rows_per_batch == 10_000
    assert make_connector().limits.forgets_after_days is None
    assert make_connector(retention_days=90).limits.forgets_after_days == 90
