"""The Meta connector keeps the contract against the emulated Graph API, through the real SDK."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cohortd.core.identifiers import IdentifierKind
from cohortd.core.payloads import digest_of
from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.meta import MetaEmulator, MetaRules
from connectors.contract import ConnectorContract, Elapse, Inspector, Seen, Strike, Trouble
from connectors.meta import MetaConnector, MetaOptions

TOKEN = "EAAB-token-that-must-not-show"
SECRET = "app-secret-that-must-not-show"

CALLS = {"ensure": "audiences.create", "apply": "users.*", "check": "account.read"}
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
    if kind in ("email", "phone"):
        return IdentifierKind[kind.upper()], bytes.fromhex(value)
    return IdentifierKind[kind.upper()], digest_of({"id": value})


class TestMeta(ConnectorContract):
    secrets = (TOKEN, SECRET)
    unknown_remote_id = "120219999999999999"

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def rules(self) -> MetaRules:
        return MetaRules(token=TOKEN, app_secret=SECRET)

    @pytest.fixture
    def emulator(self, clock: Clock, rules: MetaRules) -> Iterator[MetaEmulator]:
        with MetaEmulator(rules=rules, clock=clock) as emulator:
            yield emulator

    @pytest.fixture
    def connector(self, emulator: MetaEmulator, clock: Clock) -> Iterator[MetaConnector]:
        options = MetaOptions(
            account="act_1", access_token=TOKEN, app_secret=SECRET, endpoint=emulator.endpoint
        )
        connector = MetaConnector(options, clock=clock)
        yield connector
        connector.close()

    @pytest.fixture
    def members(self, emulator: MetaEmulator) -> Inspector:
        return lambda remote_id: frozenset(map(seen_of, emulator.members(remote_id)))

    @pytest.fixture
    def strike(self, emulator: MetaEmulator) -> Strike:
        def strike(verb: str, trouble: Trouble) -> None:
            fault = KINDS[trouble]
            emulator.faults.add(
                Fault(
                    call=CALLS[verb],
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


class TestMetaWhereRemovalsTakeWholePeople(TestMeta):
    """The other reading of Meta's documents ends in the same members."""

    @pytest.fixture
    def rules(self) -> MetaRules:
        return MetaRules(token=TOKEN, app_secret=SECRET, removes_whole_people=True)
