from collections.abc import Callable, Iterator

import pytest
import responses
from meta_clock import StillClock

from connectors.meta import MetaConnector, MetaOptions


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def waits() -> list[float]:
    """How long each upload waited for its turn."""
    return []


@pytest.fixture
def make_connector(clock: StillClock, waits: list[float]) -> Iterator[Callable[..., MetaConnector]]:
    made: list[MetaConnector] = []

    def make(**changes: object) -> MetaConnector:
        options = MetaOptions(**{"account": "act_1", "access_token": "the-token", **changes})
        numbers = iter(range(101, 200))
        made.append(
            MetaConnector(
                options,
                clock=clock,
                wait=lambda seconds: bool(waits.append(seconds)),
                session_id=lambda: next(numbers),
            )
        )
        return made[-1]

    yield make
    for connector in made:
        connector.close()


@pytest.fixture
def connector(make_connector: Callable[..., MetaConnector]) -> MetaConnector:
    return make_connector()


@pytest.fixture
def graph() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock
