"""The shipped in-memory connector keeps the contract, at once and after polling."""

import pytest

from cohortd.core.errors import (
    FatalError,
    GoneError,
    NotYetError,
    RejectedError,
    RetryableError,
    SyncError,
)
from connectors.contract import ConnectorContract, Elapse, Inspector, Strike, Trouble, Unmet
from connectors.memory import MemoryConnector

VERBS = {"create": "ensure", "find": "ensure", "add": "apply", "remove": "apply"}
TROUBLES: dict[Trouble, tuple[SyncError, float]] = {
    Trouble.UNAVAILABLE: (RetryableError("not there"), 0.0),
    Trouble.INTERNAL: (RetryableError("failed inside"), 0.0),
    Trouble.TIMED_OUT: (RetryableError("no time left"), 0.0),
    Trouble.NOT_DELIVERED: (RetryableError("never arrived"), 0.0),
    Trouble.ANSWER_LOST: (RetryableError("no answer"), 1.0),
    Trouble.PAGE: (RetryableError("a page"), 0.0),
    Trouble.GARBLED: (RetryableError("a page"), 0.0),
    Trouble.EMPTY: (RetryableError("an empty object"), 0.0),
    Trouble.CONFLICT: (RetryableError("busy", after_s=60, scope="audience"), 0.0),
    Trouble.QUOTA: (RetryableError("too many calls", after_s=60), 0.0),
    Trouble.DAY_QUOTA: (RetryableError("too many calls today", after_s=3600), 0.0),
    Trouble.HALF_APPLIED: (RetryableError("broke off"), 0.5),
    Trouble.TOKEN_EXPIRED: (FatalError("token expired", cure="Renew it."), 0.0),
    Trouble.NO_PERMISSION: (FatalError("not permitted", cure="Permit it."), 0.0),
    Trouble.NO_TERMS: (FatalError("terms not accepted", cure="Accept them."), 0.0),
    Trouble.UNKNOWN_CODE: (FatalError("error 77777", cure="Look it up."), 0.0),
    Trouble.TOO_LARGE: (RejectedError("too large"), 0.0),
    Trouble.REFUSED: (RejectedError("refused"), 0.0),
    Trouble.ROW_REFUSED: (RejectedError("one refused", rows={1: "bad"}), 0.0),
    Trouble.GONE: (GoneError("gone", cure="Look for it.", scope="audience"), 0.0),
    Trouble.NOT_YET: (NotYetError("too small", after_s=3600), 0.0),
}


class MemoryContract(ConnectorContract):
    impossible = frozenset(set(Trouble) - set(TROUBLES))

    @pytest.fixture
    def members(self, connector: MemoryConnector) -> Inspector:
        return connector.members

    @pytest.fixture
    def strike(self, connector: MemoryConnector) -> Strike:
        def strike(verb: str, trouble: Trouble) -> None:
            error, applied = TROUBLES[trouble]
            connector.fail_next(VERBS.get(verb, verb), error, applied=applied)

        return strike

    @pytest.fixture
    def unmet(self, connector: MemoryConnector) -> Unmet:
        return lambda: connector.troubles_ahead

    @pytest.fixture
    def pass_time(self) -> Elapse:
        return lambda seconds: None


class TestMemoryThatConfirmsAtOnce(MemoryContract):
    verbs = tuple(verb for verb in MemoryContract.verbs if verb != "poll")

    @pytest.fixture
    def connector(self) -> MemoryConnector:
        return MemoryConnector()


class TestMemoryThatConfirmsLater(MemoryContract):
    @pytest.fixture
    def connector(self) -> MemoryConnector:
        return MemoryConnector(polls=3)
