"""How far another clock is ahead is read from any answer."""

import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from connectors.clocks import ahead_s


@pytest.fixture
def late_by_an_hour() -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(404)
            self.send_header("Date", formatdate(time.time() - 3600, usegmt=True))
            self.end_headers()

        def log_request(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    thread.join()
    server.server_close()


def test_a_clock_that_is_behind_is_read_from_a_refusal(late_by_an_hour: str) -> None:
    found = ahead_s(late_by_an_hour)

    assert found is not None
    assert found == pytest.approx(-3600, abs=30)


def test_who_does_not_answer_tells_no_time() -> None:
    assert ahead_s("http://127.0.0.1:1") is None
