"""What may hang, done where nobody has to wait for it: a share that is gone, a service that is silent."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from cohortd.core.errors import CohortdError

Result = TypeVar("Result")
#: Said where the errand's thread died of something that nobody expected; the log has where.
BROKE_OFF: Final = "it broke off; the daemon's log says where (thread_died)"


class Errand(Generic[Result]):
    """One call, in a thread that does not keep the process from ending."""

    def __init__(self, name: str, do: Callable[[], Result]) -> None:
        """Begin at once."""
        self._do = do
        self._began = time.monotonic()
        self._found: list[Result] = []
        self._error: CohortdError | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def age_s(self) -> float:
        """How long ago it began; seconds."""
        return time.monotonic() - self._began

    def ends_within(self, seconds: float) -> bool:
        """Wait at most so long; tell whether it has ended, however."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self) -> Result:
        """Return what was found, once it has ended.

        Raises:
            CohortdError: What it raised, or that it broke off.
        """
        if self._error is not None:
            raise self._error
        if not self._found:
            raise CohortdError(BROKE_OFF)
        return self._found[0]

    def _run(self) -> None:
        try:
            self._found.append(self._do())
        except CohortdError as error:
            self._error = error


@dataclass(slots=True)
class Errands:
    """Calls by name, never two of a name at a time: what hangs once is not asked again meanwhile."""

    _newest: dict[str, Errand[Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, name: str, do: Callable[[], Result], *, within_s: float, hangs: CohortdError) -> Result:
        """Return what a call finds; another thread's of the same name is waited for first.

        Raises:
            CohortdError: What it raised; *hangs* where it, or the one before it, takes longer than it may.
        """
        while True:
            with self._lock:
                before = self._newest.get(name)
                if before is None or before.ends_within(0):
                    errand: Errand[Result] = Errand(name, do)
                    self._newest[name] = errand
                    break
            if not before.ends_within(max(0.0, within_s - before.age_s)):
                raise hangs
        if not errand.ends_within(within_s):
            raise hangs
        return errand.result()
