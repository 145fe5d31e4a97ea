"""What a container's health check asks, quickly: no room of the pipeline is loaded for it."""

import http.client
from contextlib import closing
from http import HTTPStatus
from typing import Final

from cohortd.core.delivery import AccessCheck
from cohortd.core.health import Health
from cohortd.probing import Probe, probe
from config.settings import Settings

#: How long the daemon may take to answer; seconds.
_WITHIN_S: Final = 3.0
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not bound to, but asked
_RESTART: Final = "See its log; starting it again is safe."


def health_of(settings: Settings) -> Health:
    """Say whether the ledger can be used, and, where monitoring listens, whether the daemon lives.

    Whether this daemon leads or stands by makes no difference, nor does how its last run ended: to start
    it again would change neither.
    """
    lines = [_ledger_line(probe(settings.database_url))]
    place = settings.monitoring.place
    return Health((*lines, _daemon_line(place)) if place is not None else tuple(lines))


def _ledger_line(found: Probe) -> AccessCheck:
    cure = "cohortd doctor says more. At the first start, wait until the daemon has made its tables."
    if found.ok:
        return AccessCheck("ledger", ok=True, detail="reached, migrated and writable")
    return AccessCheck("ledger", ok=False, detail=found.fault, cure=cure)


def _daemon_line(place: tuple[str, int]) -> AccessCheck:
    host, port = place
    connection = http.client.HTTPConnection(_ANYWHERE.get(host, host), port, timeout=_WITHIN_S)
    with closing(connection):
        try:
            connection.request("GET", "/healthz")
            status = connection.getresponse().status
        except (OSError, UnicodeError, http.client.HTTPException):
            return AccessCheck("daemon", ok=False, detail=f"does not answer at port {port}", cure=_RESTART)
    if status == HTTPStatus.OK:
        return AccessCheck("daemon", ok=True, detail="its loops go round")
    return AccessCheck("daemon", ok=False, detail="a loop of it stands still", cure=_RESTART)
