"""Retrying insists on what may work later, as long and as politely as it was told."""

import threading
import time

import pytest
import structlog

from cohortd.core.delivery import RemoteSpec
from cohortd.core.errors import FatalError, RejectedError, RetryableError, SyncError
from connectors.memory import MemoryConnector
from connectors.retrying import RetryingConnector, RetryPolicy

SPEC = RemoteSpec("s1", "Regulars", "")


class Waits:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def failing(*errors: SyncError) -> MemoryConnector:
    inner = MemoryConnector()
    for error in errors:
        inner.fail_next("ensure", error)
    return inner


def test_what_works_at_once_is_not_repeated() -> None:
    inner, waits = MemoryConnector(), Waits()
    assert RetryingConnector(inner, sleep=waits).ensure(SPEC) == "1"
    assert inner.calls["ensure"] == 1
    assert waits.seconds == []


def test_a_retryable_error_is_tried_again_until_it_works() -> None:
    inner, waits = failing(RetryableError("a"), RetryableError("b")), Waits()
    assert RetryingConnector(inner, sleep=waits).ensure(SPEC) == "1"
    assert inner.calls["ensure"] == 3


@pytest.mark.parametrize("error", [RejectedError("no"), FatalError("no", cure="Act.")])
def test_other_errors_pass_at_once(error: SyncError) -> None:
    inner, waits = failing(error), Waits()
    with pytest.raises(type(error)) as raised:
        RetryingConnector(inner, sleep=waits).ensure(SPEC)
    assert raised.value is error
    assert inner.calls["ensure"] == 1
    assert waits.seconds == []


def test_the_platform_says_how_long_to_wait() -> None:
    inner, waits = failing(RetryableError("a", after_s=60), RetryableError("b", after_s=0)), Waits()
    RetryingConnector(inner, sleep=waits).ensure(SPEC)
    assert waits.seconds == [60, 0]


@pytest.mark.parametrize(("chance", "share"), [(0.0, 0.5), (0.5, 0.75), (1.0, 1.0)])
def test_without_a_word_from_the_platform_waits_double_up_to_the_longest_half_by_chance(
    chance: float, share: float
) -> None:
    inner, waits = failing(*[RetryableError("a")] * 6), Waits()
    policy = RetryPolicy(attempts=7, first_s=1.0, longest_s=8.0)
    RetryingConnector(inner, policy, sleep=waits, chance=lambda: chance).ensure(SPEC)

    assert waits.seconds == [share * doubled for doubled in (1, 2, 4, 8, 8, 8)]


def test_waits_differ_by_chance() -> None:
    waited = set()
    for _ in range(20):
        waits = Waits()
        RetryingConnector(failing(RetryableError("a")), sleep=waits).ensure(SPEC)
        waited.update(waits.seconds)

    assert len(waited) > 1


def test_it_stops_after_so_many_attempts_with_the_platforms_own_error() -> None:
    errors = [RetryableError(str(number)) for number in range(5)]
    inner, waits = failing(*errors), Waits()
    with pytest.raises(RetryableError) as raised:
        RetryingConnector(inner, RetryPolicy(attempts=3), sleep=waits).ensure(SPEC)
    assert raised.value is errors[2]
    assert len(waits.seconds) == 2


def test_it_stops_before_a_wait_that_leads_past_the_total_time() -> None:
    inner, waits = failing(*[RetryableError("a", after_s=40)] * 9), Waits()
    with pytest.raises(RetryableError):
        RetryingConnector(inner, RetryPolicy(attempts=9, total_s=100), sleep=waits).ensure(SPEC)
    assert waits.seconds == [40, 40]


def test_a_platform_that_asks_for_more_than_the_total_time_is_not_waited_for() -> None:
    inner, waits = failing(RetryableError("a", after_s=3600)), Waits()
    with pytest.raises(RetryableError) as raised:
        RetryingConnector(inner, RetryPolicy(total_s=900), sleep=waits).ensure(SPEC)
    assert raised.value.after_s == 3600
    assert waits.seconds == []


def test_nothing_is_tried_again_once_stopping() -> None:
    inner, waits, stop = failing(RetryableError("a")), Waits(), threading.Event()
    stop.set()
    with pytest.raises(RetryableError):
        RetryingConnector(inner, stop=stop, sleep=waits).ensure(SPEC)
    assert inner.calls["ensure"] == 1


def test_a_stop_during_a_wait_is_not_followed_by_one_more_call() -> None:
    error, stop = RetryableError("a"), threading.Event()
    inner = failing(error)
    with pytest.raises(RetryableError) as raised:
        RetryingConnector(inner, stop=stop, sleep=lambda _seconds: stop.set()).ensure(SPEC)
    assert raised.value is error
    assert inner.calls["ensure"] == 1


def test_the_stop_event_ends_a_real_wait_at_once() -> None:
    stop = threading.Event()
    inner = failing(RetryableError("a", after_s=60))
    threading.Timer(0.02, stop.set).start()
    began = time.monotonic()
    with pytest.raises(RetryableError):
        RetryingConnector(inner, stop=stop).ensure(SPEC)
    assert time.monotonic() - began < 10


def test_every_verb_is_insisted_on_but_closing() -> None:
    inner = MemoryConnector()
    remote_id = inner.ensure(SPEC)
    for verb in ("poll", "read", "retire"):
        inner.fail_next(verb, RetryableError("a"))
    patient = RetryingConnector(inner, sleep=Waits())
    patient.poll("1")
    patient.read(remote_id)
    patient.retire(remote_id)
    assert [line.ok for line in patient.check()] == [True]
    patient.close()
    assert (inner.calls["poll"], inner.calls["read"], inner.calls["retire"]) == (2, 2, 2)
    assert inner.closed
    assert (patient.platform, patient.limits) == (inner.platform, inner.limits)


def test_a_retry_is_logged_with_its_reason_and_wait() -> None:
    inner = failing(RetryableError("busy", after_s=5))
    with structlog.testing.capture_logs() as events:
        RetryingConnector(inner, sleep=Waits()).ensure(SPEC)
    assert events == [
        {
            "event": "platform_call_retried",
            "log_level": "warning",
            "platform": "memory",
            "verb": "ensure",
            "attempt": 1,
            "wait_s": 5.0,
            "reason": "busy",
        }
    ]
