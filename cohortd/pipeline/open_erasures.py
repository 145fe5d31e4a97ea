"""What status tells of erasures that are not finished."""

from datetime import timedelta
from typing import Final

from cohortd.core.delivery import AccessCheck
from cohortd.pipeline.wiring import Pipeline

#: A month is what the GDPR gives to answer (article 12); somebody should look before.
LOOK_AFTER: Final = timedelta(days=25)
#: After so long what is kept here should be gone, once every platform confirmed.
HALTED_AFTER: Final = timedelta(days=1)


def erasure_lines(pipeline: Pipeline) -> list[AccessCheck]:
    """For ``status``: erasures that are open, which should not take a month."""
    unfinished = pipeline.ledger.erasures.unfinished()
    if not unfinished:
        return []
    age = pipeline.clock() - unfinished[0].asked_at
    if age > HALTED_AFTER and not pipeline.ledger.erasures.waiting(unfinished[0]):
        halted = f"{unfinished[0].id} waits for a file in decisions or assignments that cannot be read"
        cure = "The log's line erasure_not_finished says why; put the file back from a copy, or delete it."
        return [AccessCheck("erasures", ok=False, detail=halted, cure=cure)]
    is_old = age > LOOK_AFTER
    detail = f"{len(unfinished):,} open, the oldest asked for {unfinished[0].asked_at:%Y-%m-%d}"
    cure = "cohortd erase --status says what each waits for." if is_old else ""
    return [AccessCheck("erasures", ok=not is_old, detail=detail, cure=cure)]
