"""Remote audiences follow when people give their segment another name; nothing is made anew for it.

What somebody renamed in the ad manager keeps that name until the name of the settings changes.
"""

from collections.abc import Callable, Collection

import structlog

from clustering import sensitive_words
from cohortd.core.delivery import RemoteSpec
from cohortd.core.errors import FatalError, SyncError
from cohortd.core.modelling import Segment
from cohortd.core.planning import Target
from cohortd.ledger import Remote
from cohortd.pipeline.leftovers import owner_of
from cohortd.pipeline.wiring import Pipeline

log = structlog.get_logger()


def remote_name(pipeline: Pipeline, segment: Segment) -> str:
    """Say what a segment's remote audience is called."""
    return f"{pipeline.audiences.name_prefix}{segment.name}"


def spec_of(pipeline: Pipeline, remote: Remote, segment: Segment) -> RemoteSpec:
    """Say how a segment's remote audience is to be, under its marker."""
    return RemoteSpec(
        audience=remote.target.audience,
        name=remote_name(pipeline, segment),
        description=segment.description,
        membership_days=pipeline.destinations[remote.target.destination].membership_days,
        owner=owner_of(pipeline, remote),
    )


def rename(
    pipeline: Pipeline, segments: Collection[Segment], is_wanted: Callable[[Target], bool]
) -> list[str]:
    """Rename what has another name than its segment by now.

    Args:
        is_wanted: Whether the run is about a target.

    Returns:
        Sentences about those that could not be renamed; the next sync tries again.
    """
    names = {segment.id: remote_name(pipeline, segment) for segment in segments}
    told: dict[str, str] = {}
    for remote in pipeline.ledger.remotes.all():
        name = names.get(remote.target.audience, remote.name)
        destination = remote.target.destination
        if name == remote.name or not is_wanted(remote.target) or not _is_in_use(pipeline, remote):
            continue
        if sensitive_words(name):  # told with the plan; what is in use must not be flagged for it
            continue
        if pipeline.stop.is_set():
            break
        if destination not in told:  # where one did not work, the others are left for the next sync
            failed = _rename(pipeline, remote, name)
            told |= {destination: failed} if failed else {}
    return list(told.values())


def _is_in_use(pipeline: Pipeline, remote: Remote) -> bool:
    is_there = remote.remote_id is not None and remote.state == "ready"
    return is_there and remote.target.destination in pipeline.destinations


def _rename(pipeline: Pipeline, remote: Remote, name: str) -> str:
    assert remote.remote_id is not None
    target = remote.target
    try:
        pipeline.destinations[target.destination].connector.rename(remote.remote_id, name)
    except SyncError as error:
        cure = f" {error.cure}" if isinstance(error, FatalError) else ""
        return f"{target.destination}: audience {target.audience} keeps its old name for now: {error}{cure}"
    pipeline.ledger.remotes.rename(remote.id, name)
    log.info("remote_audience_renamed", audience=target.audience, destination=target.destination)
    return ""
