"""The instants at which a crash leaves something else behind, and what happens at the chosen one."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, event

#: Before and after every statement, and before every commit.
EVENTS = ("before_cursor_execute", "after_cursor_execute", "commit")
#: Statements that leave a database as it is.
READING = ("SELECT", "WITH", "BEGIN", "PRAGMA")


class Killed(BaseException):
    """Stands for the end of the process where it is only played."""


def nothing(*_: object) -> None:
    """Listen to nothing."""


class Points:
    """Counts the instants, and strikes once at the chosen one."""

    def __init__(self, strike: Callable[[], None]) -> None:
        """Strike so, when it is armed."""
        self.strike = strike
        self.deadly: int | None = None
        self.count = 0

    def arm(self, deadly: int | None) -> None:
        """Strike at so many points from now; never for None."""
        self.deadly, self.count = deadly, 0

    def __call__(self, *_: object) -> None:
        """Pass one."""
        self.count += 1
        if self.count == self.deadly:
            self.deadly = None
            self.strike()


def play_killed() -> None:
    """End everything up to whoever plays the operating system.

    Raises:
        Killed: Always.
    """
    raise Killed


def kill() -> None:
    """End this process as the operating system does."""
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def listening(points: Points) -> Iterator[Points]:
    """Pass a point at every step of every database."""
    for name in EVENTS:
        event.listen(Engine, name, points)
    try:
        yield points
    finally:
        for name in EVENTS:
            event.remove(Engine, name, points)


class Boundaries:
    """Passes a point before and after every commit that writes, and before every other step outside."""

    def __init__(self, points: Points) -> None:
        """Listen to every database from now on and for ever."""
        self._points = points
        self._wrote = self._committed = False
        event.listen(Engine, "before_cursor_execute", self._on_statement)
        event.listen(Engine, "commit", self._on_commit)

    def __call__(self, *_: object) -> None:
        """Pass what lies before something that is not the database's."""
        self._leave_commit()
        self._points()

    def listen_to_files(self, folder: Path) -> None:
        """Pass a point before any file in *folder* is opened, linked, renamed or deleted."""

        def heard(name: str, arguments: tuple[object, ...]) -> None:
            if name in ("open", "os.rename", "os.link", "os.remove") and str(folder) in str(arguments[0]):
                self()

        sys.addaudithook(heard)

    def _on_statement(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self._leave_commit()
        self._wrote = self._wrote or not statement.lstrip().upper().startswith(READING)

    def _on_commit(self, _connection: object) -> None:
        if self._wrote:
            self._points()
            self._wrote, self._committed = False, True

    def _leave_commit(self) -> None:
        if self._committed:
            self._committed = False
            self._points()
