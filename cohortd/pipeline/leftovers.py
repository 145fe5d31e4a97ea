"""Remote audiences that a cohortd made whose ledger is not ours: nobody here knows who is in them.

They are what a lost ledger leaves behind, or one that was put back from an older copy. A revocation
reaches only whom the ledger knows, so they are never taken over, and told until they are gone.
"""

import re
from typing import Final

import structlog

from cohortd.core.delivery import Marked
from cohortd.core.errors import SyncError
from cohortd.ledger import Remote
from cohortd.pipeline.wiring import Destination, Pipeline

log = structlog.get_logger()

#: Named in a sentence; of more only the number is told.
_MOST_NAMED: Final = 5
LEFTOVERS_CURE: Final = "See docs/recovery.md, `Without any copy`."
_DESTINATION: Final = re.compile(r"[^:]+:[0-9a-f]+:([^:]+):[0-9a-f]+:[^:]+")


def owner_of(pipeline: Pipeline, remote: Remote) -> str:
    """Say whose a remote audience is: this ledger's, at this destination, intended at this moment."""
    moment = int(remote.intended_at.timestamp() * 1000)
    return f"{pipeline.ledger.code}:{remote.target.destination}:{moment:x}"


def look_for_leftovers(pipeline: Pipeline, destination: Destination) -> str:
    """Ask the platform for leftovers; return what to say of them, and keep it for ``status``."""
    try:
        found = leftovers(pipeline, destination)
    except SyncError as error:
        log.info("audiences_not_listed", destination=destination.name, reason=str(error))
        return pipeline.ledger.remotes.leftovers().get(destination.name, "")
    sentence = _sentence(destination, found) if found else ""
    if sentence != pipeline.ledger.remotes.leftovers().get(destination.name, ""):
        pipeline.ledger.remotes.note_leftovers(destination.name, sentence)
    return sentence


def leftovers(pipeline: Pipeline, destination: Destination) -> list[Marked]:
    """List audiences that were made for a destination of this name, and that the ledger does not know.

    Another installation that shares the account has other names for its destinations, or is told of.
    """
    known = pipeline.ledger.remotes.ids_in(destination.account)
    # The answer to a creation may have been lost: then the next sync finds it by its marker.
    meant = {
        f"{owner_of(pipeline, remote)}:{remote.target.audience}"
        for remote in pipeline.ledger.remotes.all()
        if remote.remote_id is None
    }
    return [
        each
        for each in destination.connector.marked()
        if each.remote_id not in known
        and each.marker.partition(":")[2] not in meant
        and _is_for(each.marker, destination.name)
    ]


def _is_for(marker: str, destination: str) -> bool:
    found = _DESTINATION.fullmatch(marker)
    return found is None or found[1] == destination


def _sentence(destination: Destination, found: list[Marked]) -> str:
    named = ", ".join(f"{each.name!r} ({each.remote_id})" for each in found[:_MOST_NAMED])
    more = f" and {len(found) - _MOST_NAMED:,} more" if len(found) > _MOST_NAMED else ""
    return (
        f"{destination.name}: audiences that another ledger made, {named}{more}: nobody here knows who"
        " is in them, and whoever revokes stays in them. Put that ledger back, or move campaigns off"
        " them and delete them on the platform"
    )
