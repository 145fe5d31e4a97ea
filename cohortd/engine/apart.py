"""The engine in a process of its own, which ends with it and gives all of its memory back.

A daemon that has computed features or fitted a model would hold DuckDB, Ibis and scikit-learn for good,
and whatever they did not give back. Calls go through a pipe, one after the other: what is called, pickled,
and what came of it. Neither end is anybody else's.
"""

from __future__ import annotations

import functools
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final, Self

from cohortd.core.errors import CohortdError, FaultApartError
from cohortd.engine.engine import Engine
from cohortd.engine.vocabulary import STANDARD, Vocabulary

#: Nothing of the folder that it is started in is imported, and no library's words reach anybody: they
#: might hold data.
_PROGRAM: Final = (sys.executable, "-P", "-W", "ignore", "-m", "cohortd.engine.working_apart")
_OUT_OF_MEMORY: Final = "it may have run out of memory: lower engine.memory_limit, or allow for more"
#: What stays in this process: it needs no more than Arrow.
HERE: Final = frozenset({"stage", "beside", "close", "duckdb"})


class Worker:
    """A process that computes what it is asked, until it is closed or this one ends."""

    def __init__(self) -> None:
        """Start it."""
        self._process = subprocess.Popen(  # noqa: S603 - our own
            _PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._turn = threading.Lock()

    def ask(self, what: object) -> object:
        """Send a call, wait for what comes of it.

        Raises:
            CohortdError: What the call raised; or the process ended.
            FaultApartError: A fault of ours or of a library's, by kind and place.
        """
        with self._turn:
            try:
                pickle.dump(what, self._to)
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
    def _to(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _from(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def _ended(self) -> str:
        code = self._process.wait()
        how = f"by signal {-code}; {_OUT_OF_MEMORY}" if code < 0 else f"with code {code}"
        return f"the process that computes features and models ended {how}"


class EngineApart(Engine):
    """Looks like the engine; all that needs more than a file is done by the one in the other process."""

    def __init__(self, workdir: Path, worker: Worker, at: int = 0) -> None:
        """Take all; use :meth:`duckdb`. *at* is its number among those of the process."""
        self._workdir = workdir
        self._worker = worker
        self._at = at

    @classmethod
    def duckdb(
        cls,
        workdir: Path,
        memory_limit: str | None = None,
        threads: int | None = None,
        *,
        vocabulary: Vocabulary = STANDARD,
    ) -> Self:
        """Start the process, and have it open DuckDB over *workdir*."""
        workdir.mkdir(parents=True, exist_ok=True, mode=0o700)
        worker = Worker()
        try:
            worker.ask(("open", workdir, memory_limit, threads, vocabulary))
        except BaseException:
            worker.close()
            raise
        return cls(workdir, worker)

    def beside(self, name: str) -> Self:
        """The same engine, which stages its tables in a folder of its own within this one's."""
        at = self._worker.ask(("beside", self._at, name))
        assert isinstance(at, int)
        return type(self)(self._workdir / name, self._worker, at)

    def close(self) -> None:
        """End the process; staged tables stay."""
        self._worker.close()
        self._remove_spilled()

    def ask(self, name: str, given: tuple[object, ...], options: dict[str, object]) -> object:
        """Call a method of the engine in the other process."""
        return self._worker.ask(("call", self._at, name, given, options))


def _forwarded(name: str) -> Callable[..., Any]:
    @functools.wraps(getattr(Engine, name))
    def ask(self: EngineApart, *given: object, **options: object) -> object:
        return self.ask(name, given, options)

    return ask


for _name in vars(Engine):
    if not _name.startswith("_") and _name not in HERE:
        setattr(EngineApart, _name, _forwarded(_name))
