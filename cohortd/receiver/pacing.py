"""How many events a minute are taken."""

import threading
import time
from collections.abc import Callable


class Pace:
    """A bucket that fills evenly: so many a minute, and no more than a minute's at once."""

    def __init__(self, most_a_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin full."""
        self._most = float(most_a_minute)
        self._clock = clock
        self._left = self._most
        self._at = clock()
        self._lock = threading.Lock()

    def wait_s(self) -> float:
        """Take one: 0.0 where there was one, else the seconds until there is."""
        with self._lock:
            now = self._clock()
            self._left = min(self._most, self._left + (now - self._at) * self._most / 60)
            self._at = now
            if self._left >= 1:
                self._left -= 1
                return 0.0
            return (1 - self._left) * 60 / self._most
