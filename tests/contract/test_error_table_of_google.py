"""Every row of Google's tables: the stand-in says it, and the connector does what the row says."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from error_table import polled, seen_conduct, two
from google.auth import exceptions as auth_errors

from cohortd.core.delivery import Action, BatchState, RemoteSpec
from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from cohortd.core.payloads import pack
from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.google import GoogleEmulator, GoogleRules
from connectors import google_sayings
from connectors.contract_kit import batch_of, person
from connectors.google_access import GoogleAccess, GoogleIdentity
from connectors.google_ads import GoogleAdsConnector, GoogleAdsOptions
from connectors.google_ads import sayings as ads
from connectors.google_ads.codes import CODES
from connectors.google_data_manager import DataManagerConnector, DataManagerOptions
from connectors.google_data_manager import sayings as dm
from connectors.google_data_manager.codes import COMMON, OF_GOOGLE, OF_ROWS, REASONS
from connectors.google_errors import STATUSES, Verdict
from connectors.protocol import Connector
from connectors.sayings import Saying, Section, conduct

ACCOUNT = "123-456-7890"
ADS = "google_ads"
GRPC, REST = "data manager over gRPC", "data manager over REST"
DAY = timedelta(days=1)
QUOTAS = {
    "RESOURCE_EXHAUSTED, `quota_limit` …PerMinutePerProject": "IngestionMutateRequestsPerMinutePerProject",
    "RESOURCE_EXHAUSTED, `quota_limit` …PerDayPerProject": "IngestionMutateRequestsPerDayPerProject",
}
WAYS = {"an add": Action.ADD, "a removal": Action.REMOVE}
PROCESSING = [f"{reason}, of {way}" for way in WAYS for reason in {**OF_ROWS, **OF_GOOGLE}]
OTHERS = ["any other, of an add", "any other, of a removal"]


def rows(sections: list[Section], title: str) -> dict[str, Saying]:
    return {saying.code: saying for each in sections if each.title == title for saying in each.sayings}


REASON_ROWS = rows(dm.sections(), "Error reasons")
PAGE_ROWS = rows(dm.sections(), "Pages")
STATE_ROWS = rows(dm.sections(), "States of a request")
PROCESSING_ROWS = rows(dm.sections(), "Processing errors")
CODE_ROWS = rows(ads.sections(), "Error codes")
OPERATION_ROWS = rows(ads.sections(), "Operations that fell out")
JOB_ROWS = rows(ads.sections(), "States of a job")
STATUS_ROWS = rows(google_sayings.sections(), "Statuses")
CREDENTIAL_ROWS = rows(google_sayings.sections(), "Credentials")


class Clock:
    now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def emulator(clock: Clock) -> Iterator[GoogleEmulator]:
    with GoogleEmulator(clock=clock, rules=GoogleRules(delay_s=60)) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def connectors(emulator: GoogleEmulator) -> Iterator[dict[str, Connector]]:
    made: dict[str, Connector] = {
        ADS: GoogleAdsConnector(GoogleAdsOptions(ACCOUNT, endpoint=emulator.grpc_endpoint)),
        GRPC: DataManagerConnector(DataManagerOptions(ACCOUNT, endpoint=emulator.grpc_endpoint)),
        REST: DataManagerConnector(DataManagerOptions(ACCOUNT, endpoint=emulator.http_endpoint)),
    }
    yield made
    for connector in made.values():
        connector.close()


@pytest.fixture
def remote_id(connectors: dict[str, Connector], emulator: GoogleEmulator, clock: Clock) -> str:
    emulator.faults.clear()
    clock.now += DAY
    return connectors[GRPC].ensure(RemoteSpec("s1", "Regulars", "Buys often"))


def strike(emulator: GoogleEmulator, call: str, **fault: Any) -> None:
    emulator.faults.add(Fault(call=call, **fault))


@pytest.mark.parametrize("way", [GRPC, REST])
@pytest.mark.parametrize("reason", {**REASONS, **COMMON})
def test_a_reason_ends_as_its_row_says(
    emulator: GoogleEmulator, connectors: dict[str, Connector], remote_id: str, reason: str, way: str
) -> None:
    saying = REASON_ROWS.get(reason) or REASON_ROWS[next(iter(QUOTAS))]
    rule = {**REASONS, **COMMON}[reason]
    status = "RESOURCE_EXHAUSTED" if rule.verdict is Verdict.QUOTA_MINUTE else "INVALID_ARGUMENT"
    row = 1 if rule.verdict is Verdict.ROW else None
    connector = connectors[way]
    if rule.verdict is Verdict.FORGOTTEN:
        strike(emulator, "dm.request_status.retrieve", code=reason, status=status)
        actual = seen_conduct(saying, partial(polled, connector, remote_id, Action.ADD))
    else:
        strike(emulator, "dm.audience_members.ingest", code=reason, status=status, row=row)
        actual = seen_conduct(saying, partial(connector.apply, two(remote_id)))

    assert actual == conduct(saying)


@pytest.mark.parametrize("way", [GRPC, REST])
@pytest.mark.parametrize("code", QUOTAS)
def test_a_quota_ends_as_its_row_says(
    emulator: GoogleEmulator, connectors: dict[str, Connector], remote_id: str, code: str, way: str
) -> None:
    saying = REASON_ROWS[code]
    strike(emulator, "dm.audience_members.ingest", kind=FaultKind.QUOTA, code=QUOTAS[code], retry_after_s=0)

    assert seen_conduct(saying, partial(connectors[way].apply, two(remote_id))) == conduct(saying)


def test_a_filter_that_is_not_understood_ends_as_its_row_says(
    emulator: GoogleEmulator, connectors: dict[str, Connector], remote_id: str
) -> None:
    strike(emulator, "dm.user_lists.list", code="INVALID_FILTER", status="INVALID_ARGUMENT")
    strike(emulator, "ads.search", code="query_error.UNKNOWN", status="INVALID_ARGUMENT")
    spec = RemoteSpec("s1", "Regulars", "Buys often")

    assert [connectors[way].ensure(spec) for way in (GRPC, ADS)] == [remote_id, remote_id]
    assert REASON_ROWS["INVALID_FILTER"].instead == CODE_ROWS["query_error.*"].instead
    assert REASON_ROWS["INVALID_FILTER"].instead == "reads the whole list instead"


@pytest.mark.parametrize("code", PAGE_ROWS)
def test_a_page_ends_as_its_row_says(
    emulator: GoogleEmulator, connectors: dict[str, Connector], remote_id: str, code: str
) -> None:
    saying = PAGE_ROWS[code]
    strike(
        emulator, "dm.audience_members.ingest", status=int(code.removeprefix("HTTP ")), body="<html></html>"
    )

    assert seen_conduct(saying, partial(connectors[REST].apply, two(remote_id))) == conduct(saying)


@pytest.mark.parametrize("code", STATE_ROWS)
def test_a_state_of_a_request_ends_as_its_row_says(
    emulator: GoogleEmulator, connectors: dict[str, Connector], remote_id: str, code: str
) -> None:
    body = json.dumps({"requestStatusPerDestination": [{"requestStatus": code}]})
    strike(emulator, "dm.request_status.retrieve", status=200, body=body)
    saying = STATE_ROWS[code]

    assert seen_conduct(saying, partial(polled, connectors[REST], remote_id, Action.ADD)) == conduct(saying)


@pytest.mark.parametrize("code", [*PROCESSING, *OTHERS])
def test_a_processing_error_ends_as_its_row_says(
    emulator: GoogleEmulator, connectors: dict[str, Connector], clock: Clock, remote_id: str, code: str
) -> None:
    reason, _, direction = code.partition(", of ")
    action = WAYS[direction]
    strike(emulator, "dm.processing", kind=FaultKind.HALF_APPLY, code=reason.replace("any other", "NEW"))
    saying, connector = PROCESSING_ROWS[code], connectors[GRPC]
    request = connector.apply(two(remote_id, action)).request
    clock.now += DAY

    assert seen_conduct(saying, partial(connector.poll, request)) == conduct(saying)


@pytest.mark.parametrize("code", CODE_ROWS)
def test_a_code_of_google_ads_ends_as_its_row_says(
    emulator: GoogleEmulator, connectors: dict[str, Connector], remote_id: str, code: str
) -> None:
    saying = CODE_ROWS[code]
    is_row = code in CODES and CODES[code].verdict is Verdict.ROW
    status = "RESOURCE_EXHAUSTED" if code.startswith("quota_error") else "INVALID_ARGUMENT"
    name = code.replace("*", "UNKNOWN")
    strike(emulator, "ads.jobs.add", code=name, status=status, row=1 if is_row else None)

    assert seen_conduct(saying, partial(connectors[ADS].apply, two(remote_id))) == conduct(saying)


def test_a_job_that_runs_already_goes_on(
    emulator: GoogleEmulator, connectors: dict[str, Connector], remote_id: str
) -> None:
    other = connectors[ADS].ensure(RemoteSpec(f"not {remote_id}", "Others", "Nobody's job is open there"))
    code = "offline_user_data_job_error.JOB_ALREADY_STARTED"
    strike(emulator, "ads.jobs.run", code=code, status="INVALID_ARGUMENT")

    assert connectors[ADS].apply(two(other)).state is BatchState.ACCEPTED


@pytest.mark.parametrize("way", [GRPC, REST, ADS])
@pytest.mark.parametrize("status", STATUSES)
def test_a_bare_status_ends_as_its_row_says(
    emulator: GoogleEmulator, connectors: dict[str, Connector], remote_id: str, status: str, way: str
) -> None:
    saying = STATUS_ROWS[status]
    call = "ads.jobs.add" if way == ADS else "dm.audience_members.ingest"
    if way == REST:
        body = json.dumps({"error": {"status": status, "message": "x"}})
        strike(emulator, call, status=400, body=body)
    else:
        strike(emulator, call, status=status)

    assert seen_conduct(saying, partial(connectors[way].apply, two(remote_id))) == conduct(saying)


def test_a_status_of_the_future_ends_as_its_row_says(
    emulator: GoogleEmulator, connectors: dict[str, Connector], remote_id: str
) -> None:
    body = json.dumps({"error": {"status": "BRAND_NEW", "message": "x"}})
    strike(emulator, "dm.audience_members.ingest", status=400, body=body)
    saying = STATUS_ROWS["any other"]

    assert seen_conduct(saying, partial(connectors[REST].apply, two(remote_id))) == conduct(saying)


#: Somebody whose country is none.
PLACE = pack({"given_name": "0" * 64, "family_name": "0" * 64, "region_code": "?", "postal_code": "1"})
BROKEN = Member(bytes(16), (Identifier(IdentifierKind.ADDRESS, bytes(32), PLACE),))


def test_operations_that_fall_out_end_as_their_rows_say(
    emulator: GoogleEmulator, connectors: dict[str, Connector], clock: Clock, remote_id: str
) -> None:
    found, connector = OPERATION_ROWS, connectors[ADS]
    some = connector.apply(batch_of(remote_id, Action.ADD, person(1), BROKEN))
    clock.now += DAY
    every = seen_conduct(
        found["every operation"], partial(connector.apply, batch_of(remote_id, Action.ADD, BROKEN))
    )
    strike(emulator, "ads.jobs.add", kind=FaultKind.WARN, code="string_length_error.TOO_LONG", row=1)
    warned = connector.apply(two(remote_id))

    assert list(found) == ["some operations", "every operation", "a warning"]
    assert some.rejected == {1: "INVALID_COUNTRY_CODE"}
    assert every == conduct(found["every operation"])
    assert warned.note == "1 warnings about malformed values"


def test_the_states_of_a_job_end_as_their_rows_say(
    emulator: GoogleEmulator, connectors: dict[str, Connector], clock: Clock, remote_id: str
) -> None:
    found, connector = dict(JOB_ROWS), connectors[ADS]
    strike(emulator, "ads.processing", after=1)
    done = connector.apply(two(remote_id)).request
    running = seen_conduct(found["RUNNING"], partial(connector.poll, done))
    clock.now += DAY
    success = seen_conduct(found["SUCCESS"], partial(connector.poll, done))
    broken = connector.apply(two(remote_id)).request
    clock.now += DAY
    failed = seen_conduct(found["FAILED"], partial(connector.poll, broken))
    lost = seen_conduct(
        found["not found"], partial(connector.poll, broken.replace("UserDataJobs/", "UserDataJobs/9"))
    )

    told = {"RUNNING": running, "SUCCESS": success, "FAILED": failed, "not found": lost}
    assert told == {code: conduct(found[code]) for code in told}
    assert found.keys() - told.keys() == {"UNSPECIFIED, UNKNOWN, PENDING"}


def test_a_job_that_has_not_begun_ends_as_its_row_says(clock: Clock) -> None:
    saying = JOB_ROWS["UNSPECIFIED, UNKNOWN, PENDING"]
    rules = GoogleRules(delay_s=60, starts_unseen=True)
    with GoogleEmulator(clock=clock, rules=rules) as emulator:
        connector = GoogleAdsConnector(GoogleAdsOptions(ACCOUNT, endpoint=emulator.grpc_endpoint))
        remote_id = connector.ensure(RemoteSpec("s1", "Regulars", "Buys often"))
        actual = seen_conduct(saying, partial(polled, connector, remote_id, Action.ADD))
        connector.close()

    assert actual == conduct(saying)


class Dying:
    """Credentials that cannot be refreshed."""

    valid = False

    def __init__(self, error: Exception) -> None:
        self._error = error

    def refresh(self, _request: object) -> None:
        raise self._error


FAILURES: dict[str, Exception] = {
    **{code: auth_errors.RefreshError(f"('{code}: gone', 'x')") for code in google_sayings.DEAD},
    "any, marked retryable": auth_errors.RefreshError("internal_failure", retryable=True),
    "no connection": auth_errors.TransportError("x"),
    "none to be found": auth_errors.DefaultCredentialsError("x"),
}


@pytest.mark.parametrize("code", CREDENTIAL_ROWS)
def test_credentials_end_as_their_row_says(code: str) -> None:
    saying, failure = CREDENTIAL_ROWS[code], FAILURES[code]
    access = GoogleAccess(GoogleIdentity(), scope="of the API", endpoint=None, load=lambda: Dying(failure))
    connector = DataManagerConnector(DataManagerOptions(ACCOUNT), access=access)

    assert seen_conduct(saying, connector.marked) == conduct(saying)


def test_no_row_is_left_out() -> None:
    assert {*REASON_ROWS} == {*REASONS, *COMMON, *QUOTAS} - {"RESOURCE_EXHAUSTED"}
    assert {*PROCESSING_ROWS} == {*PROCESSING, *OTHERS}
    assert {*STATUS_ROWS} == {*STATUSES, "any other"}
    assert {*CREDENTIAL_ROWS} == {*FAILURES}
    titles = [each.title for each in (*dm.sections(), *ads.sections(), *google_sayings.sections())]
    assert titles == [
        "Error reasons",
        "Pages",
        "States of a request",
        "Processing errors",
        "Error codes",
        "Operations that fell out",
        "States of a job",
        "Statuses",
        "Credentials",
    ]
