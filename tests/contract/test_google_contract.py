"""Both Google connectors keep the contract against the emulated Google, through the vendors' clients."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from cohortd.core.identifiers import IdentifierKind
from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.google import GoogleEmulator, GoogleRules
from connectors.contract import ConnectorContract, Elapse, Inspector, Seen, Strike, Trouble, Unmet
from connectors.google_access import GoogleIdentity
from connectors.google_ads import GoogleAdsConnector, GoogleAdsOptions
from connectors.google_data_manager import DataManagerConnector, DataManagerOptions
from connectors.protocol import Connector

ACCOUNT = "123-456-7890"
IDENTITY = GoogleIdentity(
    client_id="client-id",
    client_secret="secret-that-must-not-show",
    refresh_token="token-that-must-not-show",
)
JOB = "offline_user_data_job_error"
#: What both APIs say alike.
FAULTS = {
    Trouble.UNAVAILABLE: Fault(status=503),
    Trouble.INTERNAL: Fault(status="INTERNAL"),
    Trouble.TIMED_OUT: Fault(status="DEADLINE_EXCEEDED"),
    Trouble.NOT_DELIVERED: Fault(kind=FaultKind.DROP_BEFORE),
    Trouble.ANSWER_LOST: Fault(kind=FaultKind.DROP_AFTER),
    Trouble.SLOW: Fault(kind=FaultKind.DELAY, delay_s=0.01),
    Trouble.PAGE: Fault(status=502, body="<html>Bad Gateway</html>"),
    Trouble.GARBLED: Fault(status=200, body="<html>Welcome</html>"),
    Trouble.EMPTY: Fault(status=200, body="{}"),
    Trouble.CONFLICT: Fault(status="ABORTED"),
    Trouble.QUOTA: Fault(kind=FaultKind.QUOTA, retry_after_s=120),
    Trouble.TOKEN_EXPIRED: Fault(kind=FaultKind.TOKEN_EXPIRED),
    Trouble.NO_PERMISSION: Fault(status="PERMISSION_DENIED"),
    Trouble.HALF_APPLIED: Fault(kind=FaultKind.HALF_APPLY, share=0.5),
    Trouble.REFUSED: Fault(status="INVALID_ARGUMENT"),
    Trouble.WORK_FAILED: Fault(),
    Trouble.WORK_HALF_DONE: Fault(kind=FaultKind.HALF_APPLY, share=0.5),
    Trouble.WORK_LATE: Fault(kind=FaultKind.LATE, delay_s=7200),
}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def seen_of(identifier: str) -> Seen:
    kind, _, value = identifier.partition(":")
    return IdentifierKind[kind.upper()], bytes.fromhex(value)


class GoogleContract(ConnectorContract):
    """Work takes ten minutes here, so nothing is confirmed at once."""

    secrets = ("secret-that-must-not-show", "token-that-must-not-show")
    unknown_remote_id = "7000000001"
    impossible = frozenset({Trouble.NOT_YET})
    calls: ClassVar[dict[str, str]]
    faults: ClassVar[dict[Trouble, Fault]]
    work: ClassVar[str]

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def emulator(self, clock: Clock) -> Iterator[GoogleEmulator]:
        with GoogleEmulator(rules=GoogleRules(delay_s=600), clock=clock) as emulator:
            yield emulator

    @pytest.fixture
    def connector(self, emulator: GoogleEmulator) -> Iterator[Connector]:
        connector = self.make(emulator)
        yield connector
        connector.close()

    @pytest.fixture
    def members(self, emulator: GoogleEmulator) -> Inspector:
        return lambda remote_id: frozenset(map(seen_of, emulator.identifiers(remote_id)))

    @pytest.fixture
    def ordered(self) -> list[Trouble]:
        return []

    @pytest.fixture
    def strike(self, emulator: GoogleEmulator, ordered: list[Trouble]) -> Strike:
        def strike(verb: str, trouble: Trouble) -> None:
            ordered.append(trouble)
            call = self.work if trouble.startswith("work") else self.calls[verb]
            emulator.faults.add(replace(self.faults[trouble], call=call))

        return strike

    @pytest.fixture
    def unmet(self, emulator: GoogleEmulator, ordered: list[Trouble]) -> Unmet:
        return lambda: len(ordered) - len(emulator.faults.struck)

    @pytest.fixture
    def pass_time(self, clock: Clock) -> Elapse:
        return clock.pass_time

    def make(self, emulator: GoogleEmulator) -> Connector:
        raise NotImplementedError


class TestDataManagerOverGrpc(GoogleContract):
    work = "dm.processing"
    calls: ClassVar[dict[str, str]] = {
        "create": "dm.user_lists.create",
        "find": "dm.user_lists.list",
        "add": "dm.audience_members.ingest",
        "remove": "dm.audience_members.remove",
        "poll": "dm.request_status.retrieve",
        "read": "dm.user_lists.get",
        "rename": "dm.user_lists.update",
        "retire": "dm.user_lists.update",
        "check": "dm.user_lists.list",
    }
    faults: ClassVar[dict[Trouble, Fault]] = FAULTS | {
        Trouble.DAY_QUOTA: Fault(kind=FaultKind.QUOTA, code="PerDayPerProject", retry_after_s=7200),
        Trouble.NO_TERMS: Fault(status="FAILED_PRECONDITION", code="TERMS_AND_CONDITIONS_NOT_SIGNED"),
        Trouble.UNKNOWN_CODE: Fault(status="FAILED_PRECONDITION", code="BRAND_NEW"),
        Trouble.TOO_LARGE: Fault(status="INVALID_ARGUMENT", code="TOO_MANY_AUDIENCE_MEMBERS"),
        Trouble.ROW_REFUSED: Fault(status="INVALID_ARGUMENT", code="INVALID_SHA256_FORMAT", row=1),
        Trouble.GONE: Fault(status="INVALID_ARGUMENT", code="INVALID_USER_LIST_ID"),
    }

    def make(self, emulator: GoogleEmulator) -> Connector:
        options = DataManagerOptions(ACCOUNT, endpoint=emulator.grpc_endpoint, identity=IDENTITY)
        return DataManagerConnector(options)


class TestDataManagerOverRest(TestDataManagerOverGrpc):
    def make(self, emulator: GoogleEmulator) -> Connector:
        options = DataManagerOptions(ACCOUNT, endpoint=emulator.http_endpoint, identity=IDENTITY)
        return DataManagerConnector(options)


class TestGoogleAds(GoogleContract):
    work = "ads.processing"
    calls: ClassVar[dict[str, str]] = {
        "create": "ads.user_lists.mutate",
        "find": "ads.search",
        "add": "ads.jobs.add",
        "remove": "ads.jobs.add",
        "poll": "ads.search",
        "read": "ads.search",
        "rename": "ads.user_lists.mutate",
        "retire": "ads.user_lists.mutate",
        "check": "ads.search",
    }
    faults: ClassVar[dict[Trouble, Fault]] = FAULTS | {
        Trouble.CONFLICT: Fault(status="INVALID_ARGUMENT", code="database_error.CONCURRENT_MODIFICATION"),
        Trouble.DAY_QUOTA: Fault(status="RESOURCE_EXHAUSTED", code="quota_error.RESOURCE_EXHAUSTED"),
        Trouble.NO_PERMISSION: Fault(
            status="PERMISSION_DENIED", code="authorization_error.USER_PERMISSION_DENIED"
        ),
        Trouble.NO_TERMS: Fault(
            status="INVALID_ARGUMENT", code=f"{JOB}.CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"
        ),
        Trouble.UNKNOWN_CODE: Fault(status="FAILED_PRECONDITION", code="request_error.UNKNOWN"),
        Trouble.TOO_LARGE: Fault(status="INVALID_ARGUMENT", code="database_error.REQUEST_TOO_LARGE"),
        Trouble.ROW_REFUSED: Fault(status="INVALID_ARGUMENT", code=f"{JOB}.INVALID_SHA256_FORMAT", row=1),
        Trouble.GONE: Fault(status="INVALID_ARGUMENT", code=f"{JOB}.INVALID_USER_LIST_ID"),
    }

    def make(self, emulator: GoogleEmulator) -> Connector:
        options = GoogleAdsOptions(ACCOUNT, endpoint=emulator.grpc_endpoint, identity=IDENTITY)
        return GoogleAdsConnector(options)


class TestGoogleAdsWhereRunningTheJobFails(TestGoogleAds):
    """A filled job that nobody saw start is started again by the next attempt."""

    impossible = TestGoogleAds.impossible | {Trouble.HALF_APPLIED}
    calls: ClassVar[dict[str, str]] = {
        **TestGoogleAds.calls,
        "add": "ads.jobs.run",
        "remove": "ads.jobs.run",
    }


class TestGoogleAdsWhereCreatingTheJobFails(TestGoogleAds):
    """An empty job of which nobody knows is left behind, and another is filled."""

    impossible = TestGoogleAds.impossible | {Trouble.HALF_APPLIED}
    calls: ClassVar[dict[str, str]] = {
        **TestGoogleAds.calls,
        "add": "ads.jobs.create",
        "remove": "ads.jobs.create",
    }
