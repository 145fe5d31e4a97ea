"""A destination whose quota is used up is not asked: it is waited for, or left to a later run, and told."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cohortd.core.delivery import Batch, Hold, Lane, Receipt
from tests.evidence.business import Business
from tests.evidence.laws import check_all
from tests.evidence.stand_in import InTurns

EVERYBODY = {name: "s1" if name in "abcd" else "s2" for name in "abcdefgh"}


class Held(InTurns):
    """A platform that is not to be asked before a moment, except about revocations if so told."""

    regular: Hold | None = None
    urgent: Hold | None = None

    def hold(self, *, urgent: bool) -> Hold | None:
        found = self.urgent if urgent else (self.urgent or self.regular)
        return found if found is not None and found.until > self.clock() else None

    def apply(self, batch: Batch) -> Receipt:
        assert self.hold(urgent=batch.lane is Lane.REVOCATION) is None
        return super().apply(batch)


class Waiting(threading.Event):
    """Waits by setting the clock on."""

    def __init__(self, business: Business) -> None:
        super().__init__()
        self._business = business
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        self._business.now += timedelta(seconds=timeout or 0.0)
        return self.is_set()


@pytest.fixture
def business(tmp_path: Path) -> Iterator[Business]:
    made = Business(tmp_path)
    made.desired = dict(EVERYBODY)
    yield made
    made.ledger.close()


@pytest.fixture
def waiting(business: Business) -> Waiting:
    return Waiting(business)


@pytest.fixture
def meta(business: Business, waiting: Waiting) -> Held:
    """The only destination."""
    held = Held(business.platforms["meta"])
    business.platforms = {"meta": business.platforms["meta"]}
    destination = replace(business.pipeline.destinations["meta"], connector=held)
    business.pipeline = replace(business.pipeline, destinations={"meta": destination}, stop=waiting)
    return held


def in_time(business: Business, **span: float) -> datetime:
    return business.now + timedelta(**span)


def test_a_short_hold_is_waited_for(business: Business, meta: Held, waiting: Waiting) -> None:
    meta.regular = Hold(in_time(business, seconds=42), "the quota of a minute is used up")
    business.sync()

    assert sum(waiting.waits) == pytest.approx(42)
    check_all(business)


def test_a_long_hold_ends_the_sending_with_one_note_and_a_later_run_goes_on(
    business: Business, meta: Held, waiting: Waiting
) -> None:
    meta.regular = Hold(in_time(business, hours=7), "the quota of a day is used up")
    with business.delivery() as delivery:
        business.plan(delivery)
        sent = delivery.drain() + delivery.drain()
    assert (sent, waiting.waits) == (0, [])
    assert delivery.notes == [
        "meta: the quota of a day is used up; it goes on after 2026-01-05 13:00:00 UTC"
    ]
    business.now += timedelta(hours=7)
    business.sync()

    check_all(business)


def test_a_hold_with_nothing_to_send_is_not_told(business: Business, meta: Held) -> None:
    business.sync()
    meta.regular = Hold(in_time(business, hours=7), "the quota of a day is used up")
    with business.delivery() as delivery:
        delivery.drain()

    assert delivery.notes == []


def test_revocations_go_where_all_else_is_held(business: Business, meta: Held) -> None:
    business.sync()
    business.after(hours=1)
    business.revoke("a")
    business.desired["new"] = "s1"
    business.people["new"] = replace(business.people["c"], name="new", email="new@x")
    business.carried["new"] = business.people["new"].identifiers()
    meta.regular = Hold(in_time(business, hours=7), "the rest is kept for revocations")
    business.sync()

    assert {each.lane for each in business.ledger.outbox.open_batches()} == {Lane.REGULAR}
    held = set().union(*(business.on_platform(target) for target in business.targets()))
    assert not held & business.taken_back()


def test_what_a_platform_says_of_its_limit_is_kept_to_by_another_process(
    business: Business, meta: Held
) -> None:
    until = in_time(business, minutes=19)
    meta.urgent = Hold(until, "the limit of calls is reached", is_told=True)
    with business.delivery() as delivery:
        business.plan(delivery)
        delivery.drain()
    meta.urgent = None
    with business.delivery() as later:
        sent = later.drain()

    assert business.ledger.remotes.blocked_until("meta") == until
    assert sent == 0
    assert "asked to be left alone" in later.notes[0]


def test_who_waits_for_everything_does_not_spin_while_a_quota_is_used_up(
    business: Business, meta: Held, waiting: Waiting
) -> None:
    meta.regular = Hold(in_time(business, hours=7), "the quota of a day is used up")
    with business.delivery() as delivery:
        business.plan(delivery)
        is_settled = delivery.until_settled(timeout_s=3600)

    assert not is_settled
    assert waiting.waits == []
