"""What becomes of a remote audience whose segment is gone: emptied, closed as well, or left as it is."""

from collections.abc import Collection

import structlog

from cohortd.core.errors import FatalError, SyncError
from cohortd.core.modelling import Segment
from cohortd.core.planning import Target
from cohortd.ledger import Remote
from cohortd.pipeline.wiring import Pipeline, WhenGone

log = structlog.get_logger()


def left_as_they_are(
    pipeline: Pipeline, segments: Collection[Segment], targets: Collection[Target]
) -> frozenset[Target]:
    """Return the targets whose segment is gone and whose members are to stay where they are."""
    if pipeline.audiences.when_gone is not WhenGone.LEAVE:
        return frozenset()
    living = {segment.id for segment in segments}
    return frozenset(target for target in targets if target.audience not in living)


def leave(pipeline: Pipeline, targets: Collection[Target]) -> None:
    """Plan nothing for these any more; whoever takes consent back is still taken off them."""
    for target in sorted(targets, key=lambda target: (target.destination, target.audience)):
        remote = pipeline.ledger.remotes.get(target)
        if remote is not None and remote.state == "ready":
            pipeline.ledger.remotes.retire(remote.id, at=pipeline.clock())
            log.info("remote_audience_left", audience=target.audience, destination=target.destination)


def close_emptied(pipeline: Pipeline, segments: Collection[Segment]) -> list[str]:
    """Close the remote audiences of gone segments, once the last member is confirmed to be off them.

    Returns:
        Sentences about those that could not be closed.
    """
    if pipeline.audiences.when_gone is not WhenGone.CLOSE:
        return []
    gone = _gone(pipeline, segments)
    counts = pipeline.ledger.members.counts() if gone else {}
    return [
        told
        for remote in gone
        if not sum(counts.get(remote.target, {}).values()) and (told := _close(pipeline, remote))
    ]


def _gone(pipeline: Pipeline, segments: Collection[Segment]) -> list[Remote]:
    living = {segment.id for segment in segments}
    return [
        remote
        for remote in pipeline.ledger.remotes.all()
        if remote.state == "ready"
        and remote.remote_id is not None
        and remote.target.audience not in living
        and remote.target.destination in pipeline.destinations
    ]


def _close(pipeline: Pipeline, remote: Remote) -> str:
    assert remote.remote_id is not None
    target = remote.target
    try:
        pipeline.destinations[target.destination].connector.retire(remote.remote_id)
    except SyncError as error:
        cure = f" {error.cure}" if isinstance(error, FatalError) else ""
        return f"{target.destination}: the audience of the gone segment {target.audience}: {error}{cure}"
    pipeline.ledger.remotes.retire(remote.id, at=pipeline.clock())
    log.info("remote_audience_closed", audience=target.audience, destination=target.destination)
    return ""
