"""Who leads, where the ledger is in PostgreSQL: an advisory lock on a connection of its own.

The lock goes with the connection: when the process ends, when the server falls, and when the process was
stopped for so long that it no longer said it is there. Whoever was stopped learns it from its epoch.
"""

import threading
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from sqlalchemy import PoolProxiedConnection

from cohortd.core.errors import NotLeaderError

if TYPE_CHECKING:
    import psycopg

#: How often the leader says that it is there, and after which silence the server ends its connection.
SIGN_OF_LIFE_S: Final = 10.0
SILENT_AT_MOST_S: Final = 60
_HELD: Final = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid = %s AND objid::bigint = %s
"""


class Lead:
    """The lock, for as long as the block lasts or the connection lives."""

    def __init__(self, connection: PoolProxiedConnection, *, key: tuple[int, int]) -> None:
        """Take it.

        Raises:
            NotLeaderError: Another process holds it.
        """
        #: Set once the lock is no longer ours, though we did not give it back.
        self.lost = threading.Event()
        self._connection = connection
        self._over = threading.Event()
        self._key = key
        try:
            self._take()
        except BaseException:
            connection.close()
            raise
        self._thread = threading.Thread(target=self._stay, name="cohortd-lead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        # Broken or not, it is closed, and the lock is free.
        self._connection.invalidate()

    def _take(self) -> None:
        driver = self._driver
        driver.autocommit = True
        driver.execute("SELECT set_config('idle_session_timeout', %s, false)", (f"{SILENT_AT_MOST_S}s",))
        row = driver.execute("SELECT pg_try_advisory_lock(%s, %s)", self._key).fetchone()
        if row is None or not row[0]:
            raise NotLeaderError(
                "another cohortd process holds the lock in the ledger's database; only one may send"
                " at a time"
            )

    def _stay(self) -> None:
        """Say now and then that we are there, and see whether the lock is."""
        while not self._over.wait(SIGN_OF_LIFE_S):
            if not self._is_held():
                self.lost.set()
                return

    def _is_held(self) -> bool:
        import psycopg  # noqa: PLC0415 - an extra; who uses SQLite does without

        with suppress(psycopg.Error):
            row = self._driver.execute(_HELD, (self._key[0], self._key[1] % (1 << 32))).fetchone()
            return row is not None and row[0] > 0
        return False

    @property
    def _driver(self) -> "psycopg.Connection[Any]":
        driver: psycopg.Connection[Any] | None = self._connection.driver_connection
        assert driver is not None
        return driver
