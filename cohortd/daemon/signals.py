"""What the process is asked by signals."""

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

import structlog

#: How often the main thread looks whether it was asked to stop; seconds.
LOOK_S: Final = 0.1
#: Until there are settings that say it: see ``schedule.grace``.
GRACE_S: Final = 25.0
#: What writing the last line may take.
_TELLING_S: Final = 1.0
#: How long the main thread may take to end the process at a second signal.
_HEARING_S: Final = 0.5
_ENDING: Final = frozenset({signal.SIGTERM, signal.SIGINT})
log = structlog.get_logger()


@dataclass(slots=True)
class Signals:
    """What the process was asked by signals.

    A handler only counts: it may interrupt anything, so taking a lock in it, as an event does,
    could wait for the very code it interrupted.
    """

    #: Set once asked to stop; whatever is opened anew has an event of its own.
    stop: threading.Event
    #: How long after the first signal the process has ended, whatever hangs in it; seconds.
    grace_s: float = GRACE_S
    received: list[int] = field(default_factory=list)
    #: Called whenever it is looked whether there was one.
    looked: Callable[[], None] = lambda: None
    #: When the first one came, by the clock that only goes forward.
    _asked_at: float = 0.0
    #: How often SIGHUP came, and how often of these it was heard.
    _hung_up: int = 0
    _heard: int = 0

    @property
    def since_s(self) -> float:
        """How long ago it was asked to stop; 0 where it was not."""
        return time.monotonic() - self._asked_at if self.received else 0.0

    def listen(self) -> None:
        """Take SIGTERM and SIGINT, of which a second one leaves at once; and SIGHUP.

        A thread hears them too: the main thread does nothing while it waits for a database or a library.
        """
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        threading.Thread(target=self._stand_by, args=[reader], name="signals", daemon=True).start()
        for number in _ENDING:
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
        if not self.received:
            self._asked_at = time.monotonic()
        self.received.append(number)
        if len(self.received) > 1:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
            # The first process of a container is not ended by a signal that it leaves alone.
            os._exit(128 + number)

    def _stand_by(self, reader: int) -> None:
        """End the process where the main thread does not: it hangs, or something keeps it from closing."""
        while os.read(reader, 1)[0] not in _ENDING:
            pass
        ends = time.monotonic() + self.grace_s
        while (left := ends - time.monotonic()) > 0:
            if select.select([reader], [], [], left)[0] and (number := os.read(reader, 1)[0]) in _ENDING:
                time.sleep(_HEARING_S)
                os._exit(128 + number)
        telling = threading.Thread(target=self._tell, daemon=True)
        telling.start()
        telling.join(_TELLING_S)  # nobody may read what we write
        os._exit(0)

    def _tell(self) -> None:
        log.warning("grace_ended", after_s=round(self.grace_s, 1))
