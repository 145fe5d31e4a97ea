"""Copies of the state, made by the daemon while it works."""

import structlog

from cohortd.ledger import Backup, back_up
from cohortd.pipeline.wiring import BackupPolicy, Pipeline

log = structlog.get_logger()


def keep_copy(pipeline: Pipeline, policy: BackupPolicy) -> Backup:
    """Make a copy, and delete those that are too many.

    Raises:
        LedgerError: It could not be made; the older ones stay.
    """
    made = back_up(pipeline.ledger, pipeline.data_dir, policy.folder, at=pipeline.clock(), keep=policy.keep)
    log.info("backup_made", folder=str(made.folder), size_bytes=made.size_bytes, dropped=len(made.dropped))
    return made
