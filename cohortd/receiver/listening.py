"""Has a server listen as soon as its address can be had, and for as long as it is wanted."""

import threading
from collections.abc import Callable
from typing import Final, Self

import structlog

from cohortd.core.errors import AddressError
from cohortd.receiver.narrow import NarrowServer

#: How often an address is tried again that could not be had; seconds.
AGAIN_S: Final = 10.0
log = structlog.get_logger()


class Listening:
    """Listens for the length of a block.

    An address that is taken, be it by a second daemon on this machine, is told and tried again: all else
    that its owner does, revocations before all, goes on without it.
    """

    def __init__(
        self, bind: Callable[[], NarrowServer], *, name: str = "receiver", again_s: float = AGAIN_S
    ) -> None:
        """Bind nothing yet.

        Args:
            bind: Makes the server; raises AddressError where the address cannot be had now.
            name: What log lines call it.
            again_s: Seconds until it is tried again.
        """
        self._bind, self._name, self._again_s = bind, name, again_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"{name}-listening")
        #: Set while it listens.
        self.listens = threading.Event()
        #: Where it listened last.
        self.port = 0

    def _keep(self) -> None:
        told = ""
        while not self._ended.is_set():
            server, why = self._opened()
            if server is not None:
                self._listen(server)
            elif why != told:
                log.error("server_not_opened", server=self._name, reason=why, again_s=self._again_s)
            told = why
            self._ended.wait(self._again_s)

    def _opened(self) -> tuple[NarrowServer | None, str]:
        try:
            return self._bind(), ""
        except AddressError as error:
            return None, str(error)

    def _listen(self, server: NarrowServer) -> None:
        with server:
            self.port = server.port
            self.listens.set()
            log.info("server_opened", server=self._name, port=server.port)
            while server.is_alive and not self._ended.wait(self._again_s):
                pass
            self.listens.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
