"""What status tells of erasures that are not finished."""

from datetime import timedelta
from typing import Final

from cohortd.core.delivery import AccessCheck
from cohortd.pipeline.wiring import Pipeline

#: A month is what the GDPR gives to answer (article 12); somebody should look before.
LOOK_AFTER: Final = timedelta(days=25)


def erasure_lines(pipeline: Pipeline) -> list[AccessCheck]:
    """For ``status``: erasures that are open, which should not take a month."""
    unfinished = pipeline.ledger.erasures.unfinished()
    if not unfinished:
        return []
    is_old = pipeline.clock() - unfinished[0].asked_at > LOOK_AFTER
    detail = f"{len(unfinished):,} open, the oldest asked for {unfinished[0].asked_at:%Y-%m-%d}"
    cure = "cohortd erase --status says what each waits for." if is_old else ""
    return [AccessCheck("erasures", ok=not is_old, detail=detail, cure=cure)]
