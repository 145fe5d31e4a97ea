"""Both Google connectors keep the contract against the emulated Google, through the vendors' clients."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from platform_faults import DATA_MANAGER, GOOGLE_ADS

from cohortd.core.identifiers import IdentifierKind
from cohortd.emulators.faults import Fault
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
    faults: ClassVar[dict[Trouble, Fault]] = DATA_MANAGER

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
    faults: ClassVar[dict[Trouble, Fault]] = GOOGLE_ADS

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
