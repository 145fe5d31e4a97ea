"""What a request is answered: proven before it is read, and acknowledged only when it is kept."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from standardwebhooks.webhooks import Webhook

from cohortd.core.errors import LedgerUnreachableError
from cohortd.receiver import Auth, AuthKind, Desk, Inlet, Received, ReceiverLimits, Verdict, can_sign
from cohortd.receiver.pacing import Pace

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "a-secret-of-some-length"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()
BODY = json.dumps({"email": "canary@example.com"}).encode()
HMAC = Auth(AuthKind.HMAC, SECRET, header="X-Signature", prefix="sha256=", id_header="X-Id")
TIMED = Auth(AuthKind.HMAC, SECRET, header="X-Signature", timestamp_header="X-Time", base64=True)
BEARER = Auth(AuthKind.BEARER, SECRET, header="Authorization", prefix="Bearer ")
STANDARD = Auth(AuthKind.STANDARD_WEBHOOKS, WEBHOOK_SECRET)


def _signed(content: bytes, secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), content, hashlib.sha256).digest()


def _timed(at: datetime) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    return {
        "x-time": stamp,
        "x-signature": base64.b64encode(_signed(stamp.encode() + b"." + BODY)).decode(),
    }


def _standard(*, age_s: int = 0, body: bytes = BODY, secret: str = WEBHOOK_SECRET) -> dict[str, str]:
    stamp = datetime.fromtimestamp(int(time.time()) - age_s, UTC)
    signature = Webhook(secret).sign("msg_1", stamp, body.decode())
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(stamp.timestamp())),
        "webhook-signature": f"v1,{base64.b64encode(b'x' * 32).decode()} {signature}",
    }


class _Took:
    """Takes events, and keeps them."""

    def __init__(self, verdict: Verdict | None = Verdict.TAKEN) -> None:
        self.events: list[Received] = []
        self._verdict = verdict

    def __call__(self, received: Received) -> Verdict:
        if self._verdict is None:
            raise LedgerUnreachableError
        self.events.append(received)
        return self._verdict


def _ask(
    auth: Auth,
    headers: Mapping[str, str] | Callable[[], Mapping[str, str]],
    took: _Took,
    *,
    body: bytes = BODY,
    path: str = "/consent/cmp",
    most_a_minute: int = 10,
    times: int = 1,
) -> tuple[int, int]:
    limits = ReceiverLimits(most_bytes=1_000, most_a_minute=most_a_minute)
    desk = Desk([Inlet("cmp", "/consent/cmp", auth)], take=took, limits=limits, clock=lambda: NOW)
    # A signed time is as old as the request, not as the collection of the tests.
    given = headers() if callable(headers) else headers
    whole = {"content-type": "application/json", "content-length": str(len(body)), **given}
    answers = [desk.answer(path, whole, lambda count: body[:count]) for _ in range(times)]
    return int(answers[-1].status), answers[-1].after_s


@pytest.mark.parametrize(
    ("auth", "headers", "event_id"),
    [
        (HMAC, {"x-signature": "sha256=" + _signed(BODY).hex(), "x-id": "e1"}, "e1"),
        (TIMED, _timed(NOW - timedelta(seconds=299)), ""),
        (BEARER, {"authorization": f"Bearer {SECRET}"}, ""),
        (STANDARD, _standard, "msg_1"),
    ],
)
def test_who_holds_the_secret_is_heard(auth: Auth, headers: Any, event_id: str) -> None:
    took = _Took()
    answer = _ask(auth, headers, took)

    assert answer == (200, 0)
    assert took.events == [Received("cmp", event_id, BODY)]


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        (HMAC, {}),
        (HMAC, {"x-signature": "sha256="}),
        (HMAC, {"x-signature": _signed(BODY).hex()}),
        (HMAC, {"x-signature": "sha256=" + _signed(BODY + b" ").hex()}),
        (HMAC, {"x-signature": "sha256=" + _signed(BODY, "another").hex()}),
        (HMAC, {"x-signature": "sha256=no hex at all ÿ"}),
        (TIMED, {"x-signature": base64.b64encode(_signed(BODY)).decode()}),
        (TIMED, {**_timed(NOW), "x-time": str(int(NOW.timestamp()) + 1)}),
        (TIMED, {**_timed(NOW), "x-time": "nan"}),
        (TIMED, _timed(NOW - timedelta(seconds=301))),
        (TIMED, _timed(NOW + timedelta(seconds=301))),
        (BEARER, {}),
        (BEARER, {"authorization": "Bearer "}),
        (BEARER, {"authorization": SECRET}),
        (BEARER, {"authorization": f"Bearer {SECRET}ÿ"}),
        (STANDARD, {}),
        (STANDARD, lambda: _standard(age_s=3600)),
        (STANDARD, lambda: _standard(age_s=-3600)),
        (STANDARD, lambda: _standard(body=BODY + b" ")),
        (STANDARD, lambda: {**_standard(), "webhook-id": "msg_2"}),
        (STANDARD, lambda: {**_standard(), "webhook-signature": "without a comma"}),
        (STANDARD, lambda: {**_standard(), "webhook-timestamp": "soon"}),
    ],
)
def test_whoever_is_not_proven_is_not_heard(auth: Auth, headers: Any) -> None:
    took = _Took()
    answer = _ask(auth, headers, took)

    assert answer == (401, 0)
    assert took.events == []


def test_bytes_that_are_no_text_are_no_fault_of_ours() -> None:
    assert _ask(STANDARD, _standard(), _Took(), body=b"\xff\xfe") == (401, 0)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-length": "1001"}, 413),
        ({"content-length": "9" * 400}, 413),
        ({"content-length": ""}, 411),
        ({"transfer-encoding": "chunked"}, 411),
        ({"content-length": "-1"}, 400),
        ({"content-length": "5, 5"}, 400),
        ({"content-length": str(len(BODY) + 1)}, 400),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": ""}, 415),
        ({"content-encoding": "gzip"}, 415),
    ],
)
def test_what_is_no_event_is_refused_before_its_signature_is_looked_at(
    headers: dict[str, str], status: int
) -> None:
    took = _Took()
    answer = _ask(BEARER, {"authorization": f"Bearer {SECRET}", **headers}, took)

    assert answer[0] == status
    assert took.events == []


def test_nothing_is_taken_elsewhere() -> None:
    assert _ask(BEARER, {"authorization": f"Bearer {SECRET}"}, _Took(), path="/consent")[0] == 404


@pytest.mark.parametrize(
    ("verdict", "answer"),
    [
        (Verdict.TAKEN, (200, 0)),
        (Verdict.KNOWN, (200, 0)),
        (Verdict.PARKED, (202, 0)),
        (None, (503, 30)),
    ],
)
def test_a_sender_is_told_what_was_committed_or_to_come_again(
    verdict: Verdict | None, answer: tuple[int, int]
) -> None:
    assert _ask(BEARER, {"authorization": f"Bearer {SECRET}"}, _Took(verdict)) == answer


def test_a_sender_that_sends_too_much_is_told_when_to_come_again() -> None:
    took = _Took()
    status, after_s = _ask(BEARER, {"authorization": f"Bearer {SECRET}"}, took, most_a_minute=2, times=3)

    assert status == 429
    assert 1 <= after_s <= 30
    assert len(took.events) == 2


def test_forged_events_do_not_use_up_what_the_sender_may_send() -> None:
    limits = ReceiverLimits(most_bytes=1_000, most_a_minute=1)
    desk = Desk([Inlet("cmp", "/c", BEARER)], take=_Took(), limits=limits, clock=lambda: NOW)
    plain = {"content-type": "application/json", "content-length": "2"}
    for _ in range(50):
        desk.answer("/c", plain, lambda _count: b"{}")
    answer = desk.answer("/c", {**plain, "authorization": f"Bearer {SECRET}"}, lambda _count: b"{}")

    assert answer.status == 200


def test_a_flood_of_forged_events_does_not_flood_the_log() -> None:
    with structlog.testing.capture_logs() as events:
        _ask(BEARER, {}, _Took(), times=500)

    assert 1 <= len(events) <= 20
    assert events[0] == {
        "event": "consent_event_refused",
        "log_level": "warning",
        "source": "cmp",
        "reason": "the sender is not proven",
    }


def test_a_pace_fills_evenly() -> None:
    at = [0.0]
    pace = Pace(60, clock=lambda: at[0])
    taken = [pace.wait_s() for _ in range(61)]
    at[0] = 1.5
    later = [pace.wait_s(), pace.wait_s()]

    assert taken == [0.0] * 60 + [1.0]
    assert later == [0.0, 0.5]


@pytest.mark.parametrize(
    ("auth", "can"),
    [(HMAC, True), (STANDARD, True), (Auth(AuthKind.STANDARD_WEBHOOKS, "whsec_"), False)],
)
def test_a_secret_that_signs_nothing_is_told(auth: Auth, can: bool) -> None:  # noqa: FBT001
    assert can_sign(auth) is can


def test_nothing_shows_a_secret_or_a_body() -> None:
    shown = repr([HMAC, Received("cmp", "", BODY)])

    assert SECRET not in shown
    assert "canary" not in shown
