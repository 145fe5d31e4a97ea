"""Over the Data Manager's stand-in, which counts as Google does: who keeps the quota is never refused."""

from typing import Any

import pytest
from google_people import ANN, SPEC, Clock, Start, remove

from cohortd.core.delivery import BatchState
from cohortd.core.errors import RetryableError
from cohortd.emulators.google import GoogleEmulator, GoogleRules
from connectors.google_data_manager import DataManagerConnector, DataManagerOptions
from connectors.google_quotas import ProjectQuotas
from connectors.pacing import Quota


class Book:
    """What was noted of each hour, in memory."""

    def __init__(self) -> None:
        self.hours: dict[tuple[str, int], int] = {}

    def note(self, quota: str, *, hour: int, requests: int, since: int) -> dict[int, int]:
        self.hours[quota, hour] = self.hours.get((quota, hour), 0) + requests
        return {each: n for (name, each), n in self.hours.items() if name == quota and each >= since}


@pytest.fixture
def google(start: Start) -> GoogleEmulator:
    return start(rules=GoogleRules(quotas=True))


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def quotas(clock: Clock, waits: list[float]) -> ProjectQuotas:
    def wait(seconds: float) -> bool:
        waits.append(seconds)
        clock.pass_time(seconds)
        return False

    return ProjectQuotas("shop", Quota(300, 100_000, 0.1), clock=clock, book=Book(), wait=wait)


def connector(google: GoogleEmulator, account: str, quotas: ProjectQuotas) -> DataManagerConnector:
    options = DataManagerOptions(account_id=account, endpoint=google.grpc_endpoint)
    return DataManagerConnector(options, quotas=quotas)


def test_two_destinations_of_one_project_are_never_refused_however_much_they_send(
    google: GoogleEmulator, quotas: ProjectQuotas, waits: list[float]
) -> None:
    both = [connector(google, account, quotas) for account in ("1234567890", "2345678901")]
    remotes = [each.ensure(SPEC) for each in both]
    for number in range(640):
        receipt = both[number % 2].apply(remove(remotes[number % 2], ANN))
        assert receipt.state is BatchState.ACCEPTED
    for each in both:
        each.close()

    assert google.calls["dm.audience_members.remove"] == 640
    # 270 of the 300 a minute are for what is no revocation.
    assert len(waits) == 2


def test_questions_are_counted_by_themselves(
    google: GoogleEmulator, quotas: ProjectQuotas, waits: list[float]
) -> None:
    manager = connector(google, "1234567890", quotas)
    request = manager.apply(remove(manager.ensure(SPEC), ANN)).request
    for _ in range(320):
        manager.poll(request)
    hold = manager.hold(urgent=False)
    manager.close()

    assert google.calls["dm.request_status.retrieve"] == 320
    assert len(waits) == 1
    assert hold is None


def test_without_a_quota_google_refuses(google: GoogleEmulator) -> None:
    options = DataManagerOptions(account_id="1234567890", endpoint=google.grpc_endpoint)
    manager: Any = DataManagerConnector(options)
    remote_id = manager.ensure(SPEC)
    for _ in range(300):
        manager.apply(remove(remote_id, ANN))
    with pytest.raises(RetryableError, match="quota"):
        manager.apply(remove(remote_id, ANN))
    manager.close()
