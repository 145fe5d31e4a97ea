"""An address that is taken keeps nothing from running, and is had as soon as it is free."""

import contextlib
import socket
import threading
from functools import partial

import pytest
import structlog

from cohortd.receiver import (
    Auth,
    AuthKind,
    Desk,
    Inlet,
    Listener,
    Listening,
    Receiver,
    ReceiverLimits,
    Verdict,
    key_bytes,
    who_listens,
)

AUTH = Auth(AuthKind.BEARER, "a-secret-of-some-length", header="Authorization", prefix="Bearer ")
PATH = "/consent/cmp"


@pytest.fixture
def desk() -> Desk:
    limits = ReceiverLimits(1_000, 1_000)
    return Desk([Inlet("cmp", PATH, AUTH)], take=lambda _received: Verdict.TAKEN, limits=limits)


def test_a_taken_port_is_told_once_and_had_when_it_is_free(desk: Desk) -> None:
    with structlog.testing.capture_logs() as events, contextlib.ExitStack() as first:
        port = first.enter_context(Receiver(("127.0.0.1", 0), desk)).port
        with Listening(partial(Receiver, ("127.0.0.1", port), desk), again_s=0.01) as second:
            was_there = second.listens.wait(0.2)
            first.close()
            is_there = second.listens.wait(60)
        after = who_listens(("127.0.0.1", port), [PATH])

    assert (was_there, is_there, second.port) == (False, True, port)
    assert after is Listener.NOBODY
    assert [event["event"] for event in events] == ["server_not_opened", "server_opened"]
    assert (events[0]["log_level"], f"127.0.0.1:{port}" in events[0]["reason"]) == ("error", True)


def test_whoever_waits_for_an_address_can_leave_at_once(desk: Desk) -> None:
    with Receiver(("127.0.0.1", 0), desk) as first:
        waiting = Listening(partial(Receiver, ("127.0.0.1", first.port), desk), again_s=3600)
        with waiting:
            pass

    assert not waiting.listens.is_set()


def test_our_own_receiver_is_known_by_its_sources_without_a_word_in_the_log(desk: Desk) -> None:
    with structlog.testing.capture_logs() as events, Receiver(("127.0.0.1", 0), desk) as receiver:
        address = ("127.0.0.1", receiver.port)
        found = [who_listens(address, paths) for paths in ([PATH], [PATH, "/consent/other"])]

    assert found == [Listener.OURS, Listener.ANOTHER_OURS]
    assert events == []


def test_a_stranger_at_the_address_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        answering = threading.Thread(target=_answer_rudely, args=[stranger])
        answering.start()
        found = who_listens(stranger.getsockname()[:2], [PATH])
        answering.join()

    assert found is Listener.STRANGER


def _answer_rudely(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def test_an_address_that_cannot_be_had_although_nobody_answers_is_told() -> None:
    with socket.socket() as holding:
        holding.bind(("127.0.0.1", 0))
        found = who_listens(holding.getsockname(), [PATH])

    assert found is Listener.NEVER


@pytest.mark.parametrize(
    ("kind", "secret", "worth"),
    [
        (AuthKind.HMAC, "0123456789abcdef", 8),
        (AuthKind.HMAC, "a-secret-of-some-length", 23),
        (AuthKind.BEARER, "0123456789abcdef" * 2, 16),
        (AuthKind.STANDARD_WEBHOOKS, "whsec_" + "QUFB" * 4, 12),
    ],
)
def test_a_secret_is_worth_the_bytes_it_stands_for(kind: AuthKind, secret: str, worth: int) -> None:
    assert key_bytes(Auth(kind, secret)) == worth
