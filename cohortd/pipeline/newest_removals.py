"""The end of the removal log, as ``log show`` tells it."""

from collections.abc import Mapping, Sequence

from cohortd.core.removals import RemovalEntry
from cohortd.pipeline.due import due_words
from cohortd.pipeline.wiring import Pipeline


def newest_removals(pipeline: Pipeline, most: int) -> tuple[Sequence[RemovalEntry], Mapping[int, str]]:
    """Return the newest entries, the newest last, and by number how they stand to their time.

    Of whom they tell all is read, of nobody else.
    """
    log = pipeline.ledger.removals
    entries = log.newest(most)
    about = [one for subject in {entry.subject for entry in entries} for one in log.told(subject)]
    return entries, due_words(about, log.deadlines, pipeline.clock())
