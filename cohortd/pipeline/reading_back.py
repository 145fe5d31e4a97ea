"""What the platforms say of our audiences: asked after every sync and once a day, kept over time."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from cohortd.core.delivery import GONE, UNREADABLE, Flag, RemoteStatus
from cohortd.core.errors import GoneError, SyncError
from cohortd.core.planning import Target
from cohortd.ledger import Reading, Remote
from cohortd.pipeline.wiring import Destination, Pipeline

#: After so long without a reading the daemon asks, where no sync does.
EVERY: Final = timedelta(days=1)
#: Of these the platform is asked; whoever is retired is of no use to anybody.
_READ: Final = ("ready", "paused")
_THERE: Final = ("present", "removing")

log = structlog.get_logger()

Counts = Mapping[Target, Mapping[str, int]]


def read_back(pipeline: Pipeline, counts: Counts | None = None) -> None:
    """Ask each platform how it sees our audiences; what it does not answer stays as it was.

    Args:
        counts: Members by target and state, where the caller has counted them already.
    """
    counts = pipeline.ledger.members.counts() if counts is None else counts
    silent: set[str] = set()
    terms: dict[str, bool | None] = {}
    for remote in pipeline.ledger.remotes.all():
        if pipeline.stop.is_set():
            break
        destination = pipeline.destinations.get(remote.target.destination)
        is_asked = remote.remote_id is not None and remote.state in _READ
        if destination is None or not is_asked or destination.name in silent:
            continue
        status = _ask(destination, remote, silent)
        if status is None:
            continue
        if destination.name not in terms:
            terms[destination.name] = _terms(destination)
        whole = replace(status, terms=terms[destination.name], upload_match_rate=remote.match_rate or None)
        _keep(pipeline, remote, whole, counts)
    pipeline.ledger.readings.forget(pipeline.clock())


def is_due(pipeline: Pipeline) -> bool:
    """Tell whether a remote audience in use was not read for a day."""
    now = pipeline.clock()
    return any(
        remote.checked_at is None or now - remote.checked_at >= EVERY
        for remote in pipeline.ledger.remotes.all()
        if remote.remote_id is not None
        and remote.state in _READ
        and remote.target.destination in pipeline.destinations
    )


def _ask(destination: Destination, remote: Remote, silent: set[str]) -> RemoteStatus | None:
    """Read one audience; None where the platform did not say, which is noted in *silent* if it is down."""
    assert remote.remote_id is not None
    try:
        status = destination.connector.read(remote.remote_id)
    except GoneError as error:
        return RemoteStatus(state=GONE, usable=False, flags=(Flag.GONE,), cure=error.cure)
    except SyncError as error:
        log.info("size_not_read", destination=destination.name, reason=str(error))
        if getattr(error, "scope", "audience") == "destination":
            silent.add(destination.name)
        return None
    return None if status.state == UNREADABLE else status


def _terms(destination: Destination) -> bool | None:
    try:
        return destination.connector.account().terms
    except SyncError as error:
        log.info("account_not_read", destination=destination.name, reason=str(error))
        return None


def _keep(pipeline: Pipeline, remote: Remote, status: RemoteStatus, counts: Counts) -> None:
    now = pipeline.clock()
    states = counts.get(remote.target, {})
    confirmed = sum(states.get(state, 0) for state in _THERE)
    reading = Reading(now, status, confirmed=confirmed, held=confirmed + states.get("adding", 0))
    pipeline.ledger.readings.keep(remote.id, reading)
