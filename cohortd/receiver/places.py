"""How many senders are served at once, and who gives way where there is no room."""

import contextlib
import socket
import threading
from typing import Final

#: What somebody is told for whom there is no place.
FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nServer: cohortd\r\nRetry-After: 5\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


class Places:
    """Connections that are served; where all places are taken, whoever has been sending longest gives way.

    So nobody keeps others out by sending slowly or not at all: behind a proxy all senders have one address,
    and somebody who means harm has many, so addresses tell nothing. A request that is whole keeps its
    place until it is answered. Threads of those that gave way end by themselves; of them, too, there are
    never more than places.
    """

    def __init__(self, most: int) -> None:
        """Begin with all places free."""
        self._most = most
        self._lock = threading.Lock()
        #: All that have a thread.
        self._served: set[socket.socket] = set()
        #: Those whose request is not whole yet, the oldest first.
        self._sending: dict[socket.socket, None] = {}
        self._gave_way: set[socket.socket] = set()

    def enter(self, connection: socket.socket) -> bool:
        """Take a place, if there is one or somebody gives way."""
        with self._lock:
            if len(self._served) - len(self._gave_way) >= self._most:
                oldest = next(iter(self._sending), None)
                if oldest is None or len(self._gave_way) >= self._most:
                    return False
                del self._sending[oldest]
                self._gave_way.add(oldest)
                _turn_away(oldest)
            self._served.add(connection)
            self._sending[connection] = None
            return True

    def keep(self, connection: socket.socket) -> None:
        """Note that a request is whole: it is answered whatever comes."""
        with self._lock:
            self._sending.pop(connection, None)

    def offer(self, connection: socket.socket) -> None:
        """Note that a request was answered, and only the sender holds the connection up."""
        with self._lock:
            if connection in self._served and connection not in self._gave_way:
                self._sending[connection] = None

    def leave(self, connection: socket.socket) -> None:
        """Give the place back."""
        with self._lock:
            self._served.discard(connection)
            self._gave_way.discard(connection)
            self._sending.pop(connection, None)


def _turn_away(connection: socket.socket) -> None:
    """Tell a sender to come again, without waiting for it, and end what its thread reads."""
    with contextlib.suppress(OSError):
        connection.send(FULL, socket.MSG_DONTWAIT)
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
