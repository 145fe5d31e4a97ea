"""The server itself: one whole request of limited size in limited time, or none."""

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import structlog

from cohortd.core.errors import AddressError
from cohortd.receiver import Auth, AuthKind, Desk, Inlet, Received, Receiver, ReceiverLimits, Verdict

SECRET = "a-secret-of-some-length"
AUTH = Auth(AuthKind.BEARER, SECRET, header="Authorization", prefix="Bearer ")
HEADERS = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}


def _taken(_received: Received) -> Verdict:
    return Verdict.TAKEN


@contextmanager
def _listening(
    take: Callable[[Received], Verdict] = _taken, *, connections: int = 8, whole_s: float = 30.0
) -> Iterator[Receiver]:
    limits = ReceiverLimits(1_000, 1_000, connections=connections, whole_s=whole_s)
    desk = Desk([Inlet("cmp", "/consent/cmp", AUTH)], take=take, limits=limits)
    with Receiver(("127.0.0.1", 0), desk) as receiver:
        yield receiver


def _ask(
    receiver: Receiver, method: str = "POST", body: bytes = b"{}", *, path: str = "/consent/cmp"
) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=60)
    connection.request(method, path, body, HEADERS)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def _raw(receiver: Receiver, sent: bytes) -> bytes:
    """Send bytes as they are, and read until the other side ends."""
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=60) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def _insist(receiver: Receiver) -> int:
    """Ask again, as senders do, until those that gave way are gone."""
    while True:
        with contextlib.suppress(ConnectionError, http.client.HTTPException):
            status, _ = _ask(receiver)
            if status != 503:
                return status


def _serving_threads(receiver: Receiver) -> int:
    """Threads that serve a connection, once all that wait to be taken in have been."""
    with contextlib.suppress(ConnectionError):
        _raw(receiver, b"NONE\r\n\r\n")
    return sum("process_request_thread" in each.name for each in threading.enumerate())


def test_an_event_is_answered_and_the_connection_closed() -> None:
    with _listening() as receiver:
        said = _raw(
            receiver,
            b"POST /consent/cmp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 2\r\nAuthorization: Bearer "
            + SECRET.encode()
            + b"\r\n\r\n{}GET / HTTP/1.1\r\n\r\n",
        )

    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close" in head
    assert json.loads(body) == {"status": "taken"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_only_posts_are_answered(method: str) -> None:
    with _listening() as receiver:
        assert _ask(receiver, method)[0] == 405


def test_a_sender_of_too_much_reads_that_it_was_too_much() -> None:
    with _listening() as receiver:
        assert _ask(receiver, body=b"x" * 300_000)[0] == 413


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"canary@example.com\r\n\r\n", b" 400 "),
        (b"POST /" + b"c" * 70_000 + b" HTTP/1.1\r\n\r\n", b" 414 "),
        (b"POST / HTTP/1.1\r\n" + b"X-A: canary\r\n" * 200 + b"\r\n", b" 431 "),
        (b"POST /canary HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b" 404 "),
        (b"POST /consent/cmp HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b" 411 "),
        (b"POST /consent/cmp HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", b" 400 "),
    ],
)
def test_what_is_no_request_is_refused_and_not_repeated(sent: bytes, status: bytes) -> None:
    with _listening() as receiver:
        said = _raw(receiver, sent)

    assert status in said.partition(b"\r\n")[0]
    assert b"canary" not in said


def test_who_sends_too_slowly_is_cut_off() -> None:
    took: list[Received] = []

    def take(received: Received) -> Verdict:
        took.append(received)
        return Verdict.TAKEN

    with _listening(take, whole_s=0.2) as receiver:
        begun = _raw(receiver, b"POST /consent/cmp HTTP/1.1\r\nHost:")
        headed = _raw(
            receiver,
            b"POST /consent/cmp HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
        )

    assert (begun, headed) == (b"", b"")
    assert took == []


def test_who_sends_slowly_gives_way_and_is_told_to_come_again() -> None:
    with (
        _listening(connections=2) as receiver,
        contextlib.ExitStack() as stack,
    ):
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", receiver.port), timeout=60))
            for _ in range(40)
        ]
        threads = _serving_threads(receiver)
        answer = _insist(receiver)
        told = slow[0].recv(65_536)

    assert answer == 200
    assert threads <= 2 * 2
    assert told.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After" in told


def test_one_that_floods_takes_no_place_that_others_need() -> None:
    """Events of one source wait for their turn; those of the other are taken meanwhile."""
    begun, may_end = threading.Event(), threading.Event()

    def take(received: Received) -> Verdict:
        if received.source == "cmp":
            begun.set()
            may_end.wait(60)
        return Verdict.TAKEN

    inlets = [Inlet(name, f"/consent/{name}", AUTH) for name in ("cmp", "shop")]
    desk = Desk(inlets, take=take, limits=ReceiverLimits(1_000, 1_000, connections=3))
    with Receiver(("127.0.0.1", 0), desk) as receiver:
        asking = threading.Thread(target=_ask, args=[receiver])
        asking.start()
        assert begun.wait(60)
        flooded = [_ask(receiver)[0] for _ in range(5)]
        other = _ask(receiver, path="/consent/shop")[0]
        may_end.set()
        asking.join()
        later = _ask(receiver)[0]

    assert flooded == [429] * 5
    assert (other, later) == (200, 200)


def test_where_every_place_has_a_whole_request_a_sender_is_told_to_come_again() -> None:
    begun, may_end = threading.Event(), threading.Event()

    def take(_received: Received) -> Verdict:
        begun.set()
        may_end.wait(60)
        return Verdict.TAKEN

    with _listening(take, connections=1) as receiver:
        asking = threading.Thread(target=_ask, args=[receiver])
        asking.start()
        assert begun.wait(60)
        second = _raw(receiver, b"")
        may_end.set()
        asking.join()

    assert second.startswith(b"HTTP/1.1 503 ")


def test_an_event_under_way_is_answered_before_the_receiver_closes() -> None:
    begun, may_end = threading.Event(), threading.Event()
    answers: list[tuple[int, str]] = []

    def take(_received: Received) -> Verdict:
        begun.set()
        may_end.wait(60)
        return Verdict.TAKEN

    with _listening(take) as receiver:
        asking = threading.Thread(target=lambda: answers.append(_ask(receiver)))
        asking.start()
        assert begun.wait(60)
        closing = threading.Timer(0.2, may_end.set)
        closing.start()
    asking.join()

    assert answers == [(200, '{"status": "taken"}')]


def test_what_breaks_is_told_by_its_kind_alone_and_never_acknowledged() -> None:
    def take(_received: Received) -> Verdict:
        raise RuntimeError("canary@example.com")

    with (
        structlog.testing.capture_logs() as events,
        _listening(take) as receiver,
        pytest.raises((http.client.RemoteDisconnected, ConnectionError)),
    ):
        _ask(receiver)

    assert events == [
        {"event": "request_broke", "log_level": "critical", "server": "receiver", "error": "RuntimeError"}
    ]


def test_a_port_that_is_taken_is_told_by_the_setting() -> None:
    with (
        _listening() as receiver,
        pytest.raises(AddressError, match=r"receiver\.listen: cannot listen on"),
    ):
        Receiver(("127.0.0.1", receiver.port), receiver.desk)
