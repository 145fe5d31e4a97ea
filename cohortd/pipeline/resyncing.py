"""``sync --replace``: everybody who may be sent is sent anew, and the platform forgets all others.

Never by emptying an audience first: who stays is there all the while.
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

import structlog

from cohortd.core.delivery import BatchState
from cohortd.core.errors import FatalError, RejectedError, SyncError
from cohortd.core.planning import Target
from cohortd.ledger import BY_SWEEPING, Resync
from cohortd.pipeline.sessions import PART_AGAIN_AFTER_S, replace_members
from cohortd.pipeline.wiring import Destination, Pipeline, Resyncing
from connectors.protocol import sweeping

#: Two clocks may differ by so much: whoever the platform was sent in the meantime is left alone.
CLOCKS_DIFFER_BY = timedelta(minutes=5)
#: After so long a platform that refused is told again to forget, and one that never ended is told anew.
TOLD_AGAIN_AFTER = timedelta(hours=1)
MOST_POLLS = 40
#: Attempts without an answer after which whoever leaves is taken off by name.
MOST_TELLS = 5

log = structlog.get_logger()


def is_sent_anew(pipeline: Pipeline, target: Target) -> bool:
    """Whether everybody of the target must go through the outbox once more."""
    destination = pipeline.destinations.get(target.destination)
    return destination is not None and destination.resyncing is not Resyncing.SESSION


def is_carried(pipeline: Pipeline, target: Target) -> bool:
    """Whether new members come with everybody who is sent anew, instead of before."""
    return pipeline.destinations[target.destination].resyncing is Resyncing.SESSION


def keeps_since(pipeline: Pipeline, target: Target) -> datetime:
    """From when on somebody must have been sent, so that what is begun now lets them stay."""
    now = pipeline.clock()
    is_sweep = pipeline.destinations[target.destination].resyncing is Resyncing.SWEEP
    return now - CLOCKS_DIFFER_BY if is_sweep else now + CLOCKS_DIFFER_BY


def begin(pipeline: Pipeline, targets: Collection[Target], *, epoch: int) -> list[str]:
    """Write down which remote audiences are to forget everybody whom they are not sent from now on.

    Returns:
        Sentences for people.
    """
    now = pipeline.clock()
    told = []
    for name, destination in pipeline.destinations.items():
        found = [pipeline.ledger.remotes.get(target) for target in targets if target.destination == name]
        remotes = [remote.id for remote in found if remote is not None and remote.remote_id is not None]
        if not remotes:
            continue
        if destination.resyncing is not Resyncing.ADDS:
            is_sweep = destination.resyncing is Resyncing.SWEEP
            since = now - CLOCKS_DIFFER_BY if is_sweep else None
            pipeline.ledger.resyncs.begin(remotes, since=since, now=now, epoch=epoch)
        told.append(_beginning(destination, len(remotes)))
        log.info("resync_began", destination=name, audiences=len(remotes))
    return told


def advance_due(
    pipeline: Pipeline, destinations: Collection[str], *, epoch: int
) -> Iterator[tuple[Target, str | SyncError]]:
    """Advance whatever is due at these destinations; yields what became of each."""
    for resync in pipeline.ledger.resyncs.due(now=pipeline.clock(), destinations=destinations):
        if pipeline.stop.is_set():
            return
        try:
            yield resync.remote.target, advance(pipeline, resync, epoch=epoch)
        except SyncError as error:
            yield resync.remote.target, error


def advance(pipeline: Pipeline, resync: Resync, *, epoch: int) -> str:
    """Have the platform forget who was not sent, now that everybody was; or ask what became of it.

    Where it also takes off who leaves, it was our own choice: what the platform has against it stops
    nothing, and they are taken off by name.

    Returns:
        A sentence for people where it is at its end; blank before.

    Raises:
        SyncError: The platform did not do it; it is told or asked again later.
    """
    resyncs = pipeline.ledger.resyncs
    why = "no answer came"
    if resync.request or resync.polls < MOST_TELLS or not resyncs.carries(resync):
        try:
            return _advance(pipeline, resync, epoch=epoch)
        except (FatalError, RejectedError) as error:
            if not resyncs.carries(resync):
                raise
            why = str(error)
    resyncs.end(resync, now=pipeline.clock(), epoch=epoch)
    raise RejectedError(f"{_named(resync)} was not replaced: {why}. Whoever leaves is taken off by name")


def _advance(pipeline: Pipeline, resync: Resync, *, epoch: int) -> str:
    destination = pipeline.destinations[resync.remote.target.destination]
    assert resync.remote.remote_id is not None
    resyncs, now = pipeline.ledger.resyncs, pipeline.clock()
    resyncs.ask_again(resync, at=_next(resync, destination, now), epoch=epoch)  # whatever happens next
    if destination.resyncing is Resyncing.SESSION:
        return replace_members(pipeline, resync, destination, epoch=epoch)
    if not resync.request:
        if not resyncs.has_anybody(resync):
            resyncs.end(resync, now=now, epoch=epoch)
            return f"{_named(resync)}: nobody is there by the ledger, so nobody else was taken off"
        receipt = sweeping(destination.connector).remove_older(resync.remote.remote_id, than=resync.since)
        at = now + timedelta(seconds=destination.poll.first_s)
        resyncs.requested(resync, receipt.request, at=at, epoch=epoch)
        return ""
    return _ask(pipeline, resync, destination, epoch=epoch)


def _ask(pipeline: Pipeline, resync: Resync, destination: Destination, *, epoch: int) -> str:
    resyncs, now = pipeline.ledger.resyncs, pipeline.clock()
    try:
        receipt = destination.connector.poll(resync.request)
    except RejectedError:
        resyncs.requested(resync, "", at=now + TOLD_AGAIN_AFTER, epoch=epoch)
        raise
    if receipt.state is BatchState.CONFIRMED:
        left = resyncs.done(resync, how=BY_SWEEPING, now=now, epoch=epoch)
        log.info(
            "resync_ended",
            left=left,
            audience=resync.remote.target.audience,
            destination=resync.remote.target.destination,
        )
        return f"{_named(resync)}: everybody was sent anew, and whoever was not is taken off"
    if receipt.state is BatchState.REJECTED:
        resyncs.requested(resync, "", at=now + TOLD_AGAIN_AFTER, epoch=epoch)
        raise RejectedError(f"whoever was not sent is not taken off {resync.remote.target.audience} yet")
    if resync.polls > MOST_POLLS:
        resyncs.requested(resync, "", at=now, epoch=epoch)
        resyncs.by_name(resync, epoch=epoch)
    return ""


def _next(resync: Resync, destination: Destination, now: datetime) -> datetime:
    if destination.resyncing is Resyncing.SESSION:
        return now + timedelta(seconds=PART_AGAIN_AFTER_S)
    if not resync.request:
        return now + TOLD_AGAIN_AFTER
    return now + timedelta(seconds=destination.poll.next_s(resync.polls + 1))


def _named(resync: Resync) -> str:
    return f"{resync.remote.target.audience} on {resync.remote.target.destination}"


def _beginning(destination: Destination, audiences: int) -> str:
    many = f"{destination.name}: everybody in {audiences:,} audiences is sent anew"
    match destination.resyncing:
        case Resyncing.SWEEP:
            return f"{many}; whoever is not is taken off once that is confirmed"
        case Resyncing.ADDS:
            return (
                f"{many}; strangers stay there: {destination.platform} cannot take them off without"
                " emptying the audience first"
            )
        case Resyncing.SESSION:
            return f"{destination.name}: all members of {audiences:,} audiences are replaced"
