"""Revocations that a platform does not take out by name, because their audience is small.

Consent goes first: the settings say whether all members are replaced by those who stay, or the audience
is deleted, or the removal waits. Whatever is done is told to people, since it is more than a removal.
"""

import structlog

from cohortd.core.delivery import Lane
from cohortd.core.errors import FatalError, GoneError, NotYetError, RejectedError, TooSmallError
from cohortd.ledger import BY_DELETING, BY_REPLACING, DELETING, Claimed
from cohortd.pipeline.wiring import Destination, Pipeline, RemovalRefused
from connectors.protocol import replacing

#: Seconds until a removal is tried again that another batch of its audience stands in the way of.
IN_THE_WAY_S = 10.0
#: The same where the platform does not even delete the audience.
UNDELETABLE_S = 3600.0

log = structlog.get_logger()


def insist(pipeline: Pipeline, claimed: Claimed, refusal: TooSmallError, *, epoch: int) -> str:
    """Take people out whom the platform did not take out by name; the batch is settled then.

    Returns:
        A sentence for people about what was done.

    Raises:
        SyncError: It is not done; the refusal itself where the removal has to wait.
    """
    destination = pipeline.destinations[claimed.remote.target.destination]
    how = destination.removal_refused if claimed.lane is Lane.REVOCATION else RemovalRefused.WAIT
    if how is RemovalRefused.WAIT:
        if claimed.remote.note == DELETING:  # the settings said otherwise before
            pipeline.ledger.remotes.keep(claimed.remote.id)
        raise refusal
    alone = pipeline.ledger.outbox.alone(claimed.remote.id, now=pipeline.clock(), but=claimed.batch.id)
    with alone as is_alone:
        if not is_alone:
            raise _in_the_way()
        told = _replace(pipeline, claimed, refusal, epoch=epoch) if how is RemovalRefused.REPLACE else ""
        return told or _recreate(pipeline, claimed, destination, epoch=epoch)


def is_deleted(claimed: Claimed) -> bool:
    """Whether we had the audience deleted of which the platform says that it is gone."""
    return claimed.remote.note == DELETING


def give_up_deleted(pipeline: Pipeline, claimed: Claimed, *, epoch: int) -> str:
    """Take off the ledger who was in an audience that is deleted, and confirm its revocations.

    Returns:
        A sentence for people about what was done.
    """
    members = pipeline.ledger.outbox.finish_deletion(claimed.batch.id, now=pipeline.clock(), epoch=epoch)
    if members is None:
        raise _in_the_way()
    target = claimed.remote.target
    log.warning(
        "remote_audience_deleted",
        audience=target.audience,
        destination=target.destination,
        remote_id=claimed.remote.remote_id,
        members=members,
    )
    return (
        f"{target.destination}: revocations from {target.audience} were carried out {BY_DELETING} (it was"
        f" {claimed.remote.remote_id}, and takes nobody out of an audience this small). Ads that used it"
        " stop; the next sync makes another for those who may be sent, if they are enough"
    )


def _replace(pipeline: Pipeline, claimed: Claimed, refusal: TooSmallError, *, epoch: int) -> str:
    """Replace the members by those who stay; blank where nobody stays or the platform refuses that too."""
    destination = pipeline.destinations[claimed.remote.target.destination]
    connector = replacing(destination.connector)
    outbox = pipeline.ledger.outbox
    replacement = outbox.begin_replacement(
        claimed.batch.id,
        kinds=connector.replaceable,
        refusal=str(refusal),
        now=pipeline.clock(),
        epoch=epoch,
    )
    if replacement is None:
        raise _in_the_way()
    target, stay = claimed.remote.target, len(replacement.content.members)
    if not stay:
        return ""
    try:
        receipt = connector.replace(replacement.content)
    except (TooSmallError, RejectedError) as error:
        log.warning(
            "replacement_refused",
            audience=target.audience,
            destination=target.destination,
            reason=str(error),
        )
        return ""
    done = outbox.finish_replacement(replacement, receipt, now=pipeline.clock(), epoch=epoch)
    if claimed.remote.note == DELETING:
        pipeline.ledger.remotes.keep(claimed.remote.id)
    log.warning(
        "remote_audience_replaced",
        audience=target.audience,
        destination=target.destination,
        members=stay,
        batches=done,
    )
    return (
        f"{target.destination}: revocations from {target.audience} were carried out {BY_REPLACING}"
        f" ({stay:,} members): the platform takes nobody out of an audience this small"
    )


def _recreate(pipeline: Pipeline, claimed: Claimed, destination: Destination, *, epoch: int) -> str:
    """Delete the audience, and give it up in the ledger."""
    outbox, remotes = pipeline.ledger.outbox, pipeline.ledger.remotes
    why = f"nobody is taken out by name; the audience is to go as a whole ({destination.name})"
    if not outbox.begin_deletion(claimed.batch.id, refusal=why, now=pipeline.clock(), epoch=epoch):
        raise _in_the_way()
    try:
        replacing(destination.connector).delete(claimed.batch.remote_id)
    except GoneError:
        # It answered a moment ago: an attempt whose answer was lost has deleted it.
        log.info("remote_audience_found_gone", remote_id=claimed.batch.remote_id)
    except RejectedError as error:
        remotes.keep(claimed.remote.id)
        raise NotYetError(f"the audience is not deleted either: {error}", after_s=UNDELETABLE_S) from None
    except FatalError:
        remotes.keep(claimed.remote.id)
        raise
    return give_up_deleted(pipeline, claimed, epoch=epoch)


def _in_the_way() -> NotYetError:
    return NotYetError("another batch of this audience is being sent", after_s=IN_THE_WAY_S)
