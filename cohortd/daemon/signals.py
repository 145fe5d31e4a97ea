"""What the process is asked by signals."""

import os
import signal
import threading
import time
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

    def listen(self) -> None:
        """Take SIGTERM and SIGINT; a second one leaves at once."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until asked to stop, or for *seconds*; tell whether asked."""
        until = None if seconds is None else time.monotonic() + seconds
        while not self.received and (until is None or time.monotonic() < until):
            time.sleep(LOOK_S)
        if self.received:
            self.stop.set()
        return bool(self.received)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.received.append(number)
        if len(self.received) > 1:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
            # The first process of a container is not ended by a signal that it leaves alone.
            os._exit(128 + number)
