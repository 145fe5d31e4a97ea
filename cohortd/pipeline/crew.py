"""Batches under way: in threads where destinations take several at once, else in the caller's own."""

import contextvars
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Final, Self

from cohortd.core.delivery import Receipt
from cohortd.ledger import Claimed
from cohortd.pipeline.wiring import Destination

#: What became of a batch; raises what its connector raised.
Answer = Callable[[], Receipt]
#: How often somebody who waits for answers looks whether there is something new to send.
LOOK_S: Final = 1.0


class Crew:
    """Who sends; only asks connectors. What they answer is for the one thread that uses this.

    Where every destination takes one batch at a time, one is under way over all of them, and its
    answer is asked for in the caller's thread: the order of everything is the ledger's then.
    """

    def __init__(self, destinations: Mapping[str, Destination], *, stop: threading.Event) -> None:
        """Start no thread yet.

        Args:
            destinations: How much each takes at once.
            stop: Set where the caller is broken off, so that nobody in a thread insists any longer.
        """
        self._stop = stop
        self._most = {name: each.concurrency for name, each in destinations.items()}
        is_one = all(most == 1 for most in self._most.values())
        self._pool = None if is_one else ThreadPoolExecutor(sum(self._most.values()), "cohortd-sending")
        self._busy: Counter[str] = Counter()
        self._under_way: dict[Future[Receipt], Claimed] = {}
        #: A batch whose answer nobody has asked for yet.
        self._single: tuple[Claimed, Answer] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return self._single is None and not self._under_way

    @property
    def remotes(self) -> list[int]:
        """The remote audiences to which something is being sent."""
        return [claimed.remote.id for claimed in self._under_way.values()]

    def has_room(self, name: str) -> bool:
        """Whether one more batch may be sent to a destination now."""
        return self._single is None if self._pool is None else self._busy[name] < self._most[name]

    def begin(self, claimed: Claimed, call: Answer) -> None:
        """Send a batch."""
        if self._pool is None:
            self._single = claimed, call
            return
        self._busy[claimed.remote.target.destination] += 1
        self._under_way[self._pool.submit(contextvars.copy_context().run, call)] = claimed

    def answered(self, *, within_s: float) -> tuple[Claimed, Answer] | None:
        """Return a batch that was answered, of several the one begun first; None where none was in time."""
        if self._single is not None:
            single, self._single = self._single, None
            return single
        wait(self._under_way, timeout=within_s, return_when=FIRST_COMPLETED)
        future = next((each for each in self._under_way if each.done()), None)
        return None if future is None else (self._ended(future), future.result)

    def rest(self) -> Iterator[tuple[Claimed, Answer]]:
        """Wait for each batch that is still under way."""
        for future in list(self._under_way):
            wait([future])
            yield self._ended(future), future.result

    def _ended(self, future: Future[Receipt]) -> Claimed:
        claimed = self._under_way.pop(future)
        self._busy[claimed.remote.target.destination] -= 1
        return claimed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is None:
            return
        if error is not None and not isinstance(error, Exception):
            self._stop.set()
        self._pool.shutdown(wait=error is None, cancel_futures=True)
