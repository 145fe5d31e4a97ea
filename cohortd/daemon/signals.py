"""What the process is asked by signals."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

#: How often the main thread looks whether it was asked to stop; seconds.
LOOK_S: Final = 0.1


@dataclass(slots=True)
class Signals:
    """What the process was asked by signals.

    A handler only counts: it may interrupt anything, so taking a lock in it, as an event does,
    could wait for the very code it interrupted.
    """

    stop: threading.Event
    received: list[int] = field(default_factory=list)
    #: Called whenever it is looked whether there was one.
    looked: Callable[[], None] = lambda: None
    #: How often SIGHUP came, and how often of these it was heard.
    _hung_up: int = 0
    _heard: int = 0

    def listen(self) -> None:
        """Take SIGTERM and SIGINT, of which a second one leaves at once; and SIGHUP."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)
        signal.signal(signal.SIGHUP, self._hang_up)

    def take_reload(self) -> bool:
        """Tell whether it was asked, since the last time, to read the settings again."""
        hung_up = self._hung_up
        is_new, self._heard = hung_up != self._heard, hung_up
        return is_new

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until asked to stop, or for *seconds*; tell whether asked."""
        until = None if seconds is None else time.monotonic() + seconds
        self.looked()
        while not self.received and (until is None or time.monotonic() < until):
            time.sleep(LOOK_S)
            self.looked()
        if self.received:
            self.stop.set()
        return bool(self.received)

    def _hang_up(self, _number: int, _frame: FrameType | None) -> None:
        self._hung_up += 1

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.received.append(number)
        if len(self.received) > 1:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
            # The first process of a container is not ended by a signal that it leaves alone.
            os._exit(128 + number)
