"""What becomes of custom audiences: renamed, flagged, expiring, another account's, one too many."""

from collections.abc import Callable
from urllib.parse import parse_qs

import pytest
import responses

from cohortd.core.delivery import Flag, RemoteSpec
from cohortd.core.errors import FatalError, RejectedError, RetryableError
from connectors.meta import MetaConnector

GRAPH = "https://graph.facebook.com/v26.0"
LIST = f"{GRAPH}/act_1/customaudiences"
NODE = f"{GRAPH}/42/"
SPEC = RemoteSpec("s1", "Regulars", "Buys often")
RETIRABLE = {"id": "42", "name": "Regulars", "description": "Buys [cohortd:s1]"}


def rename(connector: MetaConnector) -> None:
    connector.rename("42", "Best")


def retire(connector: MetaConnector) -> None:
    connector.retire("42")


def delete(connector: MetaConnector) -> None:
    connector.delete("42")


@pytest.mark.parametrize("change", [rename, retire, delete])
@pytest.mark.parametrize(
    ("answer", "is_done"),
    [
        ({}, False),
        ({"id": "43"}, False),
        ({"data": []}, False),
        ({"id": "42"}, True),
        ({"success": True}, True),
    ],
)
def test_a_change_is_done_only_where_meta_says_so(
    graph: responses.RequestsMock,
    connector: MetaConnector,
    change: Callable[[MetaConnector], None],
    answer: dict[str, object],
    *,
    is_done: bool,
) -> None:
    graph.get(NODE, json=RETIRABLE)
    graph.post(NODE, json=answer)
    graph.delete(NODE, json=answer)
    if is_done:
        change(connector)
        return
    with pytest.raises(RetryableError, match="did not say"):
        change(connector)


def test_a_renaming_leaves_the_description_with_our_marker_alone(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.post(NODE, json={"success": True})
    rename(connector)

    assert parse_qs(str(graph.calls[0].request.body)) == {"name": ["Best"]}


@pytest.mark.parametrize(
    ("node", "flags", "usable"),
    [
        ({"operation_status": {"code": 200}, "delivery_status": {"code": 200}}, (), True),
        ({"operation_status": {"code": 441}, "delivery_status": {"code": 200}}, (), True),
        ({"operation_status": {"code": 100}, "delivery_status": {"code": 200}}, (Flag.EXPIRING,), True),
        ({"operation_status": {"code": 411}, "delivery_status": {"code": 200}}, (Flag.LOW_MATCH,), True),
        (
            {"operation_status": {"code": 412}, "delivery_status": {"code": 200}},
            (Flag.INVALID_ENTRIES,),
            True,
        ),
        ({"operation_status": {"code": 450}, "delivery_status": {"code": 200}}, (Flag.UNUSED,), True),
        ({"operation_status": {"code": 471}, "delivery_status": {"code": 400}}, (Flag.FLAGGED,), False),
        ({"operation_status": {"code": 500}, "delivery_status": {"code": 200}}, (Flag.UNUSABLE,), False),
        ({"operation_status": {"code": 200}, "delivery_status": {"code": 430}}, (Flag.UNUSABLE,), False),
        ({"operation_status": {"code": 410}, "delivery_status": {"code": 300}}, (Flag.TOO_SMALL,), False),
        ({"fields_violating_integrity_policy": ["name"]}, (Flag.FLAGGED,), None),
        ({"account_id": "2"}, (Flag.FOREIGN,), None),
        ({"account_id": "1"}, (), None),
    ],
)
def test_states_become_flags_with_what_to_do(
    graph: responses.RequestsMock,
    connector: MetaConnector,
    node: dict[str, object],
    flags: tuple[Flag, ...],
    *,
    usable: bool | None,
) -> None:
    graph.get(NODE, json={"id": "42", **node})
    status = connector.read("42")

    assert (status.flags, status.usable) == (flags, usable)
    assert bool(status.cure) == bool(set(flags) - {Flag.TOO_SMALL})


def test_name_marker_duration_and_end_are_read(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    node = {"id": "42", "name": "Best", "description": "Buys [cohortd:s1]", "retention_days": 90}
    graph.get(NODE, json={**node, "delete_time": 1_800_000_000})
    status = connector.read("42")

    assert (status.name, status.marked, status.membership_days) == ("Best", True, 90)
    assert status.deleted_at == "2027-01-15"


def test_a_stand_in_that_knows_fewer_fields_is_asked_for_those(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.get(NODE, status=400, json={"error": {"code": 100, "message": "nonexisting field (delete_time)"}})
    graph.get(NODE, json={"id": "42", "operation_status": {"code": 200}})

    assert connector.read("42").state == "normal"


@pytest.mark.parametrize(("count", "is_full"), [(500, True), (499, False)])
def test_a_full_account_is_told_with_what_to_do(
    graph: responses.RequestsMock, connector: MetaConnector, count: int, *, is_full: bool
) -> None:
    graph.get(LIST, json={"data": [{"id": str(number), "name": "x"} for number in range(count)]})
    graph.post(LIST, status=400, json={"error": {"code": 100, "message": "x"}})
    with pytest.raises(FatalError if is_full else RejectedError) as raised:
        connector.ensure(SPEC)

    if isinstance(raised.value, FatalError):
        assert (raised.value.scope, "Delete custom audiences" in raised.value.cure) == ("audience", True)


@pytest.mark.parametrize(
    ("told", "terms"),
    [({"tos_accepted": {"custom_audience_tos": 1}}, True), ({"tos_accepted": {}}, False), ({}, None)],
)
def test_the_account_tells_of_its_terms(
    graph: responses.RequestsMock, connector: MetaConnector, told: dict[str, object], *, terms: bool | None
) -> None:
    graph.get(f"{GRAPH}/act_1/", json={"id": "act_1", **told})

    assert connector.account().terms is terms


@pytest.mark.parametrize(("told", "days"), [(90, 90), (180, 180), (0, None), (-1, None), (18_250, None)])
def test_members_that_are_kept_for_ever_have_no_duration(
    graph: responses.RequestsMock, connector: MetaConnector, told: int, days: int | None
) -> None:
    graph.get(NODE, json={"id": "42", "retention_days": told})

    assert connector.read("42").membership_days == days
