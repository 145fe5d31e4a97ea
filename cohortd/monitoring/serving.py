"""Health and metrics by HTTP: three paths, by GET, and nothing else."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST

from cohortd.monitoring.health import Told
from cohortd.receiver import NarrowHandler, NarrowServer, Reply, Terms

TERMS: Final = Terms("monitoring", "monitoring.listen", connections=16, whole_s=10.0)
Page = Callable[[], Reply]


@dataclass(frozen=True, slots=True)
class Pages:
    """What is answered at which path."""

    health: Callable[[], Told]
    readiness: Callable[[], Told]
    metrics: Callable[[], bytes]

    def by_path(self) -> Mapping[str, Page]:
        """Path -> what makes its answer."""
        return {
            "/healthz": lambda: _json(self.health()),
            "/readyz": lambda: _json(self.readiness()),
            "/metrics": lambda: Reply(HTTPStatus.OK, self.metrics(), CONTENT_TYPE_LATEST),
        }


class MonitoringServer(NarrowServer):
    """Answers for the length of a block."""

    def __init__(self, address: tuple[str, int], pages: Pages) -> None:
        """Bind, but answer nobody yet.

        Raises:
            AddressError: The address cannot be had now.
        """
        self.pages = pages.by_path()
        super().__init__(address, _Handler, TERMS)


class _Handler(NarrowHandler):
    server: MonitoringServer

    def do_GET(self) -> None:  # noqa: N802 - the base names it
        """Answer; what comes behind a question mark is passed over."""
        page = self.server.pages.get(self.path.partition("?")[0])
        self.server.places.keep(self.connection)
        self.reply(self.refusal(HTTPStatus.NOT_FOUND) if page is None else page())

    def refusal(self, status: HTTPStatus) -> Reply:
        """Say what there is."""
        return Reply(status, b'{"status": "there are /healthz, /readyz and /metrics, by GET"}\n')


def _json(told: Told) -> Reply:
    status = HTTPStatus.OK if told.ok else HTTPStatus.SERVICE_UNAVAILABLE
    return Reply(status, json.dumps(told.body).encode() + b"\n")
