"""How many requests were made of a platform's quota, by the hour, so that its day outlives a process."""

from collections.abc import Mapping

from cohortd.ledger.database import Database


class RequestCounts:
    """Requests of the last day; every process that asks a platform writes them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, quota: str, *, hour: int, requests: int, since: int) -> Mapping[int, int]:
        """Add requests to an hour of a quota; a negative number takes them back.

        Args:
            quota: Whose.
            hour: Hours since 1970.
            requests: How many.
            since: What was noted of earlier hours is forgotten.

        Returns:
            Hour -> requests.
        """
        if requests:
            self._add(quota, hour, requests, since)
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT hour, requests FROM request_count WHERE quota = ? AND hour >= ?", (quota, since)
            ).all()
        return {row.hour: row.requests for row in rows}

    def _add(self, quota: str, hour: int, requests: int, since: int) -> None:
        with self._database.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO request_count (quota, hour, requests) VALUES (?, ?, ?)"
                " ON CONFLICT (quota, hour) DO UPDATE SET"
                " requests = request_count.requests + excluded.requests",
                (quota, hour, requests),
            )
            connection.exec_driver_sql(
                "DELETE FROM request_count WHERE quota = ? AND hour < ?", (quota, since)
            )
