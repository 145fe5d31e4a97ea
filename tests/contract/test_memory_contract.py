"""The shipped in-memory connector keeps the contract, at once and after polling."""

import pytest

from cohortd.core.errors import FatalError, RetryableError, SyncError
from connectors.contract import ConnectorContract, Elapse, Inspector, Strike, Trouble
from connectors.memory import MemoryConnector

TROUBLES: dict[Trouble, tuple[SyncError, float]] = {
    Trouble.UNAVAILABLE: (RetryableError("not there"), 0.0),
    Trouble.ANSWER_LOST: (RetryableError("no answer"), 1.0),
    Trouble.QUOTA: (RetryableError("too many calls", after_s=60), 0.0),
    Trouble.HALF_APPLIED: (RetryableError("broke off"), 0.5),
    Trouble.TOKEN_EXPIRED: (FatalError("token expired", cure="Renew it."), 0.0),
}


class MemoryContract(ConnectorContract):
    @pytest.fixture
    def members(self, connector: MemoryConnector) -> Inspector:
        return connector.members

    @pytest.fixture
    def strike(self, connector: MemoryConnector) -> Strike:
        def strike(verb: str, trouble: Trouble) -> None:
            error, applied = TROUBLES[trouble]
            connector.fail_next(verb, error, applied=applied)

        return strike

    @pytest.fixture
    def pass_time(self) -> Elapse:
        return lambda seconds: None


class TestMemoryThatConfirmsAtOnce(MemoryContract):
    @pytest.fixture
    def connector(self) -> MemoryConnector:
        return MemoryConnector()


class TestMemoryThatConfirmsLater(MemoryContract):
    @pytest.fixture
    def connector(self) -> MemoryConnector:
        return MemoryConnector(polls=3)
