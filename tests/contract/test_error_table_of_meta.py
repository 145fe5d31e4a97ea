"""Every row of Meta's table: the stand-in says it, and the connector does what the row says."""

import json
from collections.abc import Callable, Iterator

import pytest
import requests
import responses
from error_table import seen_conduct, two

from cohortd.core.delivery import Action, RemoteSpec
from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.meta import MetaEmulator
from connectors.meta import MetaConnector, MetaOptions
from connectors.meta import sayings as meta
from connectors.meta.errors import GraphFault
from connectors.sayings import Conduct, Saying, Section, conduct

SECTIONS: dict[str, Section] = {section.title: section for section in meta.sections()}
FAULTS = dict(meta.faults())
PAGES = dict(meta.pages())
UPLOADS = {
    "all received, none invalid": (Action.ADD, {"num_received": 2, "num_invalid_entries": 0}),
    "invalid, in the samples": (Action.ADD, {"num_received": 2, "num_invalid_entries": 1, "named": True}),
    "invalid, not in the samples, of an add": (Action.ADD, {"num_received": 2, "num_invalid_entries": 1}),
    "invalid, not in the samples, of a removal": (
        Action.REMOVE,
        {"num_received": 2, "num_invalid_entries": 1},
    ),
    "fewer received than sent, or no number": (Action.ADD, {"num_received": 1, "num_invalid_entries": 0}),
}


def rows(title: str) -> dict[str, Saying]:
    return {saying.code: saying for saying in SECTIONS[title].sayings}


@pytest.fixture(scope="module")
def emulator() -> Iterator[MetaEmulator]:
    with MetaEmulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def remote_id(emulator: MetaEmulator) -> str:
    return make(emulator).ensure(RemoteSpec("s1", "Regulars", "Buys often"))


@pytest.fixture(autouse=True)
def _no_faults_before(emulator: MetaEmulator) -> None:
    emulator.faults.clear()


def make(emulator: MetaEmulator | None) -> MetaConnector:
    endpoint = emulator.endpoint if emulator else None
    return MetaConnector(MetaOptions(account="act_1", access_token="token", endpoint=endpoint))


def done(emulator: MetaEmulator, fault: Fault, saying: Saying, action: Action, remote_id: str) -> Conduct:
    emulator.faults.add(fault)
    connector = make(emulator)
    try:
        return seen_conduct(saying, lambda: connector.apply(two(remote_id, action)))
    finally:
        connector.close()


def said(fault: GraphFault, call: str) -> Fault:
    """How the stand-in says it; what is transient has no words of its own there."""
    if fault.is_transient:
        error = {"code": fault.code, "message": "x", "is_transient": True}
        return Fault(call=call, status=fault.status, body=json.dumps({"error": error}))
    return Fault(
        call=call,
        status=fault.status,
        code=fault.code,
        subcode=fault.subcode,
        message=fault.message or None,
    )


@pytest.mark.parametrize("code", FAULTS)
def test_an_error_ends_as_its_row_says(emulator: MetaEmulator, remote_id: str, code: str) -> None:
    saying, fault = rows("Error codes")[code], FAULTS[code]
    if not fault.of_account:
        actual = done(emulator, said(fault, "users.add"), saying, Action.ADD, remote_id)
    else:
        emulator.faults.add(said(fault, "audiences.list"))
        actual = seen_conduct(saying, make(emulator).marked)

    assert actual == conduct(saying)


@pytest.mark.parametrize("code", PAGES)
def test_a_page_ends_as_its_row_says(emulator: MetaEmulator, remote_id: str, code: str) -> None:
    saying = rows("Answers that are not Meta's")[code]
    page = Fault(
        call="users.add", status=PAGES[code].status, body="<html>an error of something else</html>"
    )

    assert done(emulator, page, saying, Action.ADD, remote_id) == conduct(saying)


@pytest.mark.parametrize("code", UPLOADS)
def test_an_answer_to_an_upload_ends_as_its_row_says(
    emulator: MetaEmulator, remote_id: str, code: str
) -> None:
    saying = rows("Answers to an upload")[code]
    action, answer = UPLOADS[code]
    digest = two(remote_id).members[0].identifiers
    samples = [each.digest.hex() for each in digest] if "named" in answer else []
    body = json.dumps({**answer, "invalid_entry_samples": samples})

    assert done(
        emulator, Fault(call="users.*", status=200, body=body), saying, action, remote_id
    ) == conduct(saying)


@pytest.mark.parametrize("code", rows("States of an audience"))
def test_a_state_is_shown_as_its_row_says(emulator: MetaEmulator, remote_id: str, code: str) -> None:
    saying = rows("States of an audience")[code]
    kind, _, number = code.partition(" ")
    node = {"id": remote_id, "delivery_status": {"code": 200}, f"{kind}_status": {"code": int(number)}}
    emulator.faults.add(Fault(call="audiences.read", status=200, body=json.dumps(node)))
    connector = make(emulator)

    assert connector.read(remote_id).state.removesuffix("; ready") == saying.means
    assert seen_conduct(saying, lambda: connector.read(remote_id)).does


def test_a_connection_ends_as_its_rows_say(emulator: MetaEmulator, remote_id: str) -> None:
    found = rows("The connection")
    causes: dict[str, Callable[[], Conduct]] = {
        "refused, reset, timed out": lambda: done(
            emulator,
            Fault(kind=FaultKind.DROP_BEFORE),
            found["refused, reset, timed out"],
            Action.ADD,
            remote_id,
        ),
        "TLS": lambda: over_requests(found["TLS"], requests.exceptions.SSLError("x")),
        "the SDK crashes": lambda: over_requests(found["the SDK crashes"], TypeError("x")),
    }

    assert causes.keys() == found.keys()
    assert {code: cause() for code, cause in causes.items()} == {
        code: conduct(saying) for code, saying in found.items()
    }


def over_requests(saying: Saying, failure: Exception) -> Conduct:
    with responses.RequestsMock() as graph:
        graph.post("https://graph.facebook.com/v26.0/42/users", body=failure)
        return seen_conduct(saying, lambda: make(None).apply(two("42")))


def test_no_row_is_left_out() -> None:
    walked = {*FAULTS, *PAGES, *UPLOADS, *rows("States of an audience"), *rows("The connection")}

    assert {saying.code for section in SECTIONS.values() for saying in section.sayings} == walked
