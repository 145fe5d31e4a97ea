"""The in-memory connector does what a test tells it to."""

import pytest

from cohortd.core.delivery import Action, Batch, BatchState, Limits, RemoteSpec
from cohortd.core.errors import RejectedError, RetryableError
from cohortd.core.identifiers import Family
from connectors.contract_kit import person, seen
from connectors.memory import MemoryConnector

SPEC = RemoteSpec("s1", "Regulars", "")
ANN, BOB = person(1), person(2)


def test_failures_are_used_up_in_order_and_the_calls_counted() -> None:
    connector = MemoryConnector()
    first, second = RetryableError("1"), RetryableError("2")
    connector.fail_next("ensure", first)
    connector.fail_next("ensure", second)
    for expected in (first, second):
        with pytest.raises(RetryableError) as raised:
            connector.ensure(SPEC)
        assert raised.value is expected
    assert connector.ensure(SPEC) == "1"
    assert connector.calls["ensure"] == 3


def test_a_share_of_a_batch_can_be_applied_before_it_fails() -> None:
    connector = MemoryConnector()
    remote_id = connector.ensure(SPEC)
    connector.fail_next("apply", RetryableError("broke off"), applied=0.5)
    with pytest.raises(RetryableError):
        connector.apply(Batch(1, remote_id, Action.ADD, (ANN, BOB)))
    assert connector.members(remote_id) == seen([ANN])


def test_a_batch_is_confirmed_after_as_many_polls_as_told() -> None:
    connector = MemoryConnector(polls=2)
    receipt = connector.apply(Batch(1, connector.ensure(SPEC), Action.ADD, (ANN,)))
    states = [connector.poll(receipt.request).state for _ in range(3)]
    assert receipt.state is BatchState.ACCEPTED
    assert states == [BatchState.ACCEPTED, BatchState.CONFIRMED, BatchState.CONFIRMED]


def test_a_batch_over_the_declared_limit_is_refused() -> None:
    limits = Limits(
        family=Family.GOOGLE,
        rows_per_batch=1,
        minimum_size=0,
        forgets_after_days=540,
        overlapping_batches=False,
    )
    connector = MemoryConnector(limits=limits)
    with pytest.raises(RejectedError):
        connector.apply(Batch(1, connector.ensure(SPEC), Action.ADD, (ANN, BOB)))
