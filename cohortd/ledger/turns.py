"""A long write in turns, between which others write."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Final, Self

from sqlalchemy import Connection

#: Rows compared at once: they fit in memory many times over, and their heads in a processor's cache.
ROWS_AT_ONCE: Final = 250_000
#: Rows after which a write lets others in: less than a second's work.
ROWS_A_TURN: Final = 100_000
#: How long it lets them, at most as long as the turn took: whoever waits for SQLite looks every 0.1 s.
_LETS_IN_S: Final = 0.12


class Turns:
    """Transactions one after another; what a turn has written is durable before the next begins.

    A turn ends by ``rest`` alone, and only after enough was written; the next begins when the
    connection is asked for, so that whatever is prepared meanwhile holds up nobody.
    """

    def __init__(
        self, begin: Callable[[], AbstractContextManager[Connection]], *, rows: int = ROWS_A_TURN
    ) -> None:
        """Begin every turn by *begin*, and let others in after so many rows."""
        self._begin = begin
        self._rows = rows
        self._written = 0
        self._since = 0.0
        self._turn = ExitStack()
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        """Nothing is begun yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the turn under way: for good, or, after an error, as if it had not been."""
        self._connection = None
        self._turn.__exit__(kind, error, trace)

    def connection(self) -> Connection:
        """Return the connection of the turn under way; begin one where there is none."""
        if self._connection is None:
            self._connection = self._turn.enter_context(self._begin())
            self._since = time.monotonic()
        return self._connection

    def took(self, rows: int) -> None:
        """Say how many rows were written."""
        self._written += rows

    def rest(self) -> None:
        """Let others in where this turn was long."""
        if self._written >= self._rows and self._connection is not None:
            self._connection = None
            self._written = 0
            self._turn.close()
            time.sleep(min(_LETS_IN_S, time.monotonic() - self._since))
