"""Several batches at once, each to another audience: nothing of it is lost, and none in conflict."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cohortd.core.delivery import Action, Batch, Lane, Receipt
from cohortd.core.errors import RetryableError
from tests.evidence.business import Business
from tests.evidence.laws import check_all, settle_down
from tests.evidence.stand_in import InTurns

#: So long a test waits for what must happen, before it fails.
PATIENCE_S = 20
META = {name: "s1" if name in "abcd" else "s2" for name in "abcdefgh"}


class Front(InTurns):
    """Stands before a platform: something may happen in a thread before a batch is taken."""

    before: Callable[[Batch], None] = staticmethod(lambda _batch: None)

    def apply(self, batch: Batch) -> Receipt:
        self.before(batch)
        return super().apply(batch)


@pytest.fixture
def business(tmp_path: Path) -> Iterator[Business]:
    made = Business(tmp_path, rows_per_batch=1)
    made.desired = dict(META)
    yield made
    made.ledger.close()


@pytest.fixture
def meta(business: Business) -> Front:
    """The only destination, at two batches at once."""
    front = Front(business.platforms.pop("meta"))
    business.platforms = {"meta": front._platform}
    destination = replace(business.pipeline.destinations["meta"], connector=front, concurrency=2)
    business.pipeline = replace(business.pipeline, destinations={"meta": destination})
    return front


def test_two_audiences_are_sent_at_once(business: Business, meta: Front) -> None:
    together = threading.Barrier(2)
    meta.before = lambda _batch: bool(together.wait(PATIENCE_S)) or None
    business.sync()

    check_all(business)


def test_one_audience_never_has_two_under_way_and_a_platform_no_more_than_it_takes(
    business: Business, meta: Front
) -> None:
    under_way: list[str] = []
    guard = threading.Lock()
    seen: list[list[str]] = []
    inner = meta.apply

    def apply(batch: Batch) -> Receipt:
        with guard:
            under_way.append(batch.remote_id)
            seen.append(list(under_way))
        threading.Event().wait(0.005)  # so that another would get between
        receipt = inner(batch)
        with guard:
            under_way.remove(batch.remote_id)
        return receipt

    meta.apply = apply  # type: ignore[method-assign]
    business.sync()
    business.desired = dict.fromkeys("cdefgh", "s1")
    business.sync()
    settle_down(business)

    assert len(seen) > 16
    assert max(map(len, seen)) <= 2
    assert all(len(set(each)) == len(each) for each in seen)
    check_all(business)


def test_a_revocation_overtakes_what_was_queued_before_while_an_add_elsewhere_hangs(
    business: Business, meta: Front
) -> None:
    business.desired = {"a": "s1", "b": "s1", "e": "s2", "f": "s2"}
    business.sync()
    business.desired = dict(META)
    order: list[Lane] = []
    is_gone = threading.Event()

    def before(batch: Batch) -> None:
        order.append(batch.lane)
        if len(order) == 1:
            other = "a" if batch.remote_id.startswith("s2") else "e"
            business.revoke(other)
            assert is_gone.wait(PATIENCE_S), "the revocation waited for an add to another audience"
        if batch.lane is Lane.REVOCATION:
            is_gone.set()

    meta.before = before
    business.sync()

    # One more may have been claimed before the revocation was recorded.
    assert Lane.REVOCATION in order[:3]
    settle_down(business)
    check_all(business)


def test_a_fault_of_ours_with_one_batch_does_not_lose_the_answer_to_another(
    business: Business, meta: Front
) -> None:
    together, sent = threading.Barrier(2), list[Batch]()

    def before(batch: Batch) -> None:
        sent.append(batch)
        if len(sent) <= together.parties:  # the next one of s2 may set out before the fault is noticed
            together.wait(PATIENCE_S)
        if batch.remote_id.startswith("s1"):
            raise ValueError("a fault of ours")

    meta.before = before
    with pytest.raises(ValueError, match="a fault of ours"):
        business.sync()

    others = [each for each in business.ledger.outbox.open_batches() if each.target.audience == "s2"]
    assert len(others) == 4 - sum(each.remote_id.startswith("s2") for each in sent)
    assert {each.attempts for each in others} == {0}


def test_an_error_of_one_does_not_hold_up_the_others(business: Business, meta: Front) -> None:
    def before(batch: Batch) -> None:
        if batch.remote_id.startswith("s1"):
            raise RetryableError("no answer", scope="audience")

    meta.before = before
    business.sync()

    assert {each.target.audience for each in business.ledger.outbox.open_batches()} == {"s1"}
    meta.before = lambda _batch: None
    settle_down(business)
    check_all(business)


def test_who_is_asked_to_stop_ends_what_is_under_way_and_begins_nothing(
    business: Business, meta: Front
) -> None:
    together = threading.Barrier(2)
    sent: list[Action] = []

    def before(batch: Batch) -> None:
        sent.append(batch.action)
        together.wait(PATIENCE_S)
        business.pipeline.stop.set()

    meta.before = before
    business.sync()
    states = [each.state.value for each in business.ledger.outbox.open_batches()]

    assert len(sent) == 2
    assert states == ["pending"] * 6


def test_one_at_a_time_is_asked_in_the_callers_own_thread(business: Business) -> None:
    threads: set[Any] = set()
    for platform in business.platforms.values():
        platform.heard = lambda _batch: threads.add(threading.current_thread())
    business.sync()

    assert threads == {threading.current_thread()}
