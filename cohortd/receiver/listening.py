"""Has a receiver listen as soon as its address can be had, and for as long as it is wanted."""

import threading
from typing import Final, Self

import structlog

from cohortd.core.errors import AddressError
from cohortd.receiver.desk import Desk
from cohortd.receiver.serving import Receiver

#: How often an address is tried again that could not be had; seconds.
AGAIN_S: Final = 10.0
log = structlog.get_logger()


class Listening:
    """Listens for the length of a block.

    An address that is taken, be it by a second daemon on this machine, is told and tried again: all else
    that its owner does, revocations before all, goes on without it.
    """

    def __init__(self, address: tuple[str, int], desk: Desk, *, again_s: float = AGAIN_S) -> None:
        """Bind nothing yet."""
        self._address, self._desk, self._again_s = address, desk, again_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="receiver-listening")
        #: Set while it listens.
        self.listens = threading.Event()
        #: Where it listened last.
        self.port = 0

    def _keep(self) -> None:
        told = ""
        while not self._ended.is_set():
            receiver, why = self._opened()
            if receiver is not None:
                self._listen(receiver)
            elif why != told:
                log.error("receiver_not_listening", reason=why, again_s=self._again_s)
            told = why
            self._ended.wait(self._again_s)

    def _opened(self) -> tuple[Receiver | None, str]:
        try:
            return Receiver(self._address, self._desk), ""
        except AddressError as error:
            return None, str(error)

    def _listen(self, receiver: Receiver) -> None:
        with receiver:
            self.port = receiver.port
            self.listens.set()
            log.info("receiver_listens", port=receiver.port)
            while receiver.is_alive and not self._ended.wait(self._again_s):
                pass
            self.listens.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
