"""The engine in a process of its own; see ``core.apart``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from cohortd.core.apart import Worker
from cohortd.engine.engine import Engine
from cohortd.engine.vocabulary import STANDARD, Vocabulary

#: What stays in this process: it needs no more than Arrow.
HERE: Final = frozenset({"stage", "beside", "close", "duckdb"})


class EngineApart(Engine):
    """Looks like the engine; all that needs more than a file is done by the one in the other process."""

    def __init__(self, workdir: Path, worker: Worker, at: int = 0) -> None:
        """Take all; use :meth:`duckdb`. *at* is its number in the process."""
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
            given = (workdir, memory_limit, threads)
            return cls(
                workdir, worker, worker.ask("make", Engine.duckdb, given, {"vocabulary": vocabulary})
            )
        except BaseException:
            worker.close()
            raise

    def beside(self, name: str) -> Self:
        """The same engine, which stages its tables in a folder of its own within this one's."""
        at = self._worker.ask("keep", (self._at, "beside"), (name,), {})
        return type(self)(self._workdir / name, self._worker, at)

    def close(self) -> None:
        """End the process; staged tables stay."""
        self._worker.close()
        self._remove_spilled()

    def ask(self, name: str, given: tuple[object, ...], options: dict[str, object]) -> object:
        """Call a method of the engine in the other process."""
        return self._worker.ask("call", (self._at, name), given, options)


def _asked(name: str) -> Callable[..., Any]:
    @functools.wraps(getattr(Engine, name))
    def ask(self: EngineApart, *given: object, **options: object) -> object:
        return self.ask(name, given, options)

    return ask


for _name in vars(Engine):
    if not _name.startswith("_") and _name not in HERE:
        setattr(EngineApart, _name, _asked(_name))
