"""The Meta connector keeps the contract against the emulated Graph API, through the real SDK."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from platform_faults import META

from cohortd.core.identifiers import IdentifierKind
from cohortd.core.payloads import digest_of
from cohortd.emulators.meta import MetaEmulator, MetaRules
from connectors.contract import ConnectorContract, Elapse, Inspector, Seen, Strike, Trouble, Unmet
from connectors.meta import MetaConnector, MetaOptions

TOKEN = "EAAB-token-that-must-not-show"
SECRET = "app-secret-that-must-not-show"

CALLS = {
    "create": "audiences.create",
    "find": "audiences.list",
    "add": "users.add",
    "remove": "users.remove",
    "read": "audiences.read",
    "rename": "audiences.update",
    "retire": "audiences.update",
    "check": "account.read",
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
    # Meta names invalid rows in an answer that takes the others, and does its work at once.
    impossible = frozenset(
        {Trouble.ROW_REFUSED, Trouble.WORK_FAILED, Trouble.WORK_HALF_DONE, Trouble.WORK_LATE}
    )
    verbs = tuple(CALLS)

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
    def ordered(self) -> list[Trouble]:
        return []

    @pytest.fixture
    def strike(self, emulator: MetaEmulator, ordered: list[Trouble]) -> Strike:
        def strike(verb: str, trouble: Trouble) -> None:
            ordered.append(trouble)
            emulator.faults.add(replace(META[trouble], call=CALLS[verb]))

        return strike

    @pytest.fixture
    def unmet(self, emulator: MetaEmulator, ordered: list[Trouble]) -> Unmet:
        return lambda: len(ordered) - len(emulator.faults.struck)

    @pytest.fixture
    def pass_time(self, clock: Clock) -> Elapse:
        return clock.pass_time


class TestMetaWhereRemovalsTakeWholePeople(TestMeta):
    """The other reading of Meta's documents ends in the same members."""

    @pytest.fixture
    def rules(self) -> MetaRules:
        return MetaRules(token=TOKEN, app_secret=SECRET, removes_whole_people=True)
