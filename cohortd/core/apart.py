"""Work in a process of its own, which ends with it and gives all of its memory back.

A daemon that has fitted a model or drawn a plot would hold the libraries for good, and whatever they did
not give back. Calls go through a pipe, one after the other: what is called, pickled, and what came of it.
Neither end is anybody else's.
"""

import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from typing import IO, Any, Final, ParamSpec, TypeVar

from cohortd.core.errors import CohortdError, FaultApartError

#: Nothing of the folder that it is started in is imported, and no library's words reach anybody: they
#: might hold data.
_PROGRAM: Final = (sys.executable, "-P", "-W", "ignore", "-m", "cohortd.core.working_apart")
_OUT_OF_MEMORY: Final = "it may have run out of memory: lower engine.memory_limit, or allow for more"
P = ParamSpec("P")
T = TypeVar("T")


def run_apart(compute: Callable[P, T], /, *given: P.args, **options: P.kwargs) -> T:
    """Call a module's function in a process of its own.

    Raises:
        CohortdError: What the function raised; or the process ended.
        FaultApartError: A fault of ours or of a library's, by kind and place.
    """
    with closing(Worker()) as worker:
        found: T = worker.ask("run", compute, given, options)
        return found


def run_here(compute: Callable[P, T], /, *given: P.args, **options: P.kwargs) -> T:
    """Call it as anybody does: what takes the place of ``run_apart`` in a process that ends soon."""
    return compute(*given, **options)


class Worker:
    """A process that does what it is asked, until it is closed or this one ends."""

    def __init__(self) -> None:
        """Start it."""
        self._process = subprocess.Popen(  # noqa: S603 - our own
            _PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._turn = threading.Lock()

    def ask(self, *call: object) -> Any:
        """Send a call as ``working_apart`` knows it, and wait for what comes of it; raises as above."""
        with self._turn:
            try:
                pickle.dump(call, self._to)
                self._to.flush()
                outcome, found = pickle.load(self._from)  # noqa: S301 - of our own process
            except (EOFError, BrokenPipeError, pickle.UnpicklingError):
                raise CohortdError(self._ended()) from None
        if outcome == "done":
            return found
        if outcome == "refused":
            raise found
        raise FaultApartError(found)

    def close(self) -> None:
        """End it, whatever it is at: nothing of it outlives a run."""
        self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        """Its number in the system."""
        return self._process.pid

    @property
    def _to(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _from(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def _ended(self) -> str:
        code = self._process.wait()
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        how += f"; {_OUT_OF_MEMORY}" if code == -signal.SIGKILL else ""
        return f"the process that computes features and models ended {how}"
