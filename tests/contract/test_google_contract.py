"""Both Google connectors keep the contract against the emulated Google, through the vendors' clients."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from cohortd.core.identifiers import IdentifierKind
from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.google import GoogleEmulator, GoogleRules
from connectors.contract import ConnectorContract, Elapse, Inspector, Seen, Strike, Trouble
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
KINDS = {
    Trouble.UNAVAILABLE: Fault(kind=FaultKind.ERROR, status=503),
    Trouble.ANSWER_LOST: Fault(kind=FaultKind.DROP_AFTER),
    Trouble.QUOTA: Fault(kind=FaultKind.QUOTA, retry_after_s=120),
    Trouble.HALF_APPLIED: Fault(kind=FaultKind.HALF_APPLY, share=0.5),
    Trouble.TOKEN_EXPIRED: Fault(kind=FaultKind.TOKEN_EXPIRED),
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
    calls: ClassVar[dict[str, str]]

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
    def strike(self, emulator: GoogleEmulator) -> Strike:
        def strike(verb: str, trouble: Trouble) -> None:
            fault = KINDS[trouble]
            emulator.faults.add(
                Fault(
                    call=self.calls[verb],
                    kind=fault.kind,
                    status=fault.status,
                    share=fault.share,
                    retry_after_s=fault.retry_after_s,
                )
            )

        return strike

    @pytest.fixture
    def pass_time(self, clock: Clock) -> Elapse:
        return clock.pass_time

    def make(self, emulator: GoogleEmulator) -> Connector:
        raise NotImplementedError


class TestDataManagerOverGrpc(GoogleContract):
    calls: ClassVar[dict[str, str]] = {
        "ensure": "dm.user_lists.create",
        "apply": "dm.audience_members.*",
        "check": "dm.user_lists.list",
    }

    def make(self, emulator: GoogleEmulator) -> Connector:
        options = DataManagerOptions(ACCOUNT, endpoint=emulator.grpc_endpoint, identity=IDENTITY)
        return DataManagerConnector(options)


class TestDataManagerOverRest(TestDataManagerOverGrpc):
    def make(self, emulator: GoogleEmulator) -> Connector:
        options = DataManagerOptions(ACCOUNT, endpoint=emulator.http_endpoint, identity=IDENTITY)
        return DataManagerConnector(options)


class TestGoogleAds(GoogleContract):
    calls: ClassVar[dict[str, str]] = {
        "ensure": "ads.user_lists.mutate",
        "apply": "ads.jobs.add",
        "check": "ads.search",
    }

    def make(self, emulator: GoogleEmulator) -> Connector:
        options = GoogleAdsOptions(ACCOUNT, endpoint=emulator.grpc_endpoint, identity=IDENTITY)
        return GoogleAdsConnector(options)


class TestGoogleAdsWhereRunningTheJobFails(TestGoogleAds):
    """A filled job that nobody saw start is started again by the next attempt."""

    calls: ClassVar[dict[str, str]] = {**TestGoogleAds.calls, "apply": "ads.jobs.run"}
