"""Durable truth: what was sent, acknowledged, refused and taken back. Other rooms use ``Ledger`` alone."""

from typing import TYPE_CHECKING

from cohortd.core.on_demand import on_demand
from cohortd.ledger.alerts import Alerts, FailingChannel, Told
from cohortd.ledger.backups import Backup, back_up
from cohortd.ledger.batches import BatchRow, Claimed, PollDue
from cohortd.ledger.clocks import Clocks, RunningRemovals
from cohortd.ledger.consent_store import ConsentStore, Recorded
from cohortd.ledger.dialects.filesystem import is_network, kind_of_file_system
from cohortd.ledger.erasures import Erasure, Erasures, Person, Recipient
from cohortd.ledger.examining import Examined
from cohortd.ledger.heads import KeptHead, append_head, read_all_kept, read_heads, read_kept
from cohortd.ledger.history import History, PastBatch, RejectedRow
from cohortd.ledger.jobs import INTERRUPTED, RUNNING, JobRow, Jobs
from cohortd.ledger.ledger import Ledger
from cohortd.ledger.memberships import Members, MembershipRow, PastMembership
from cohortd.ledger.models import Applied, KeptVersion, Models
from cohortd.ledger.outbox import Outbox
from cohortd.ledger.overview import (
    Confirmation,
    OpenBatches,
    OpenRemovals,
    Overview,
    SyncEnd,
)
from cohortd.ledger.readings import Reading, Readings
from cohortd.ledger.received_events import Outcome, ParkedEvent, ReceivedEvent, ReceivedEvents
from cohortd.ledger.remotes import Remote, Remotes
from cohortd.ledger.removal_log import HEADS_FILE, RemovalLog
from cohortd.ledger.replacing import (
    BY_DELETING,
    BY_REPLACING,
    BY_SESSION,
    BY_SWEEPING,
    DELETING,
    Replacement,
)
from cohortd.ledger.restoring import Restored, file_of, restore
from cohortd.ledger.resyncing import Resync, Resyncs
from cohortd.ledger.runs import ABANDONED, RunRow, Runs
from cohortd.ledger.suppressions import SuppressedSet, SuppressionCause
from cohortd.ledger.timings import RemovalTiming, timings_of
from cohortd.ledger.withdrawing import Extra, Withdrawal, Withdrawn

if TYPE_CHECKING:
    from cohortd.ledger.comparing import Comparison
    from cohortd.ledger.consent_columns import CUSTOMER_STATEMENTS
    from cohortd.ledger.rows import STAGED

__all__ = [
    "ABANDONED",
    "BY_DELETING",
    "BY_REPLACING",
    "BY_SESSION",
    "BY_SWEEPING",
    "CUSTOMER_STATEMENTS",
    "DELETING",
    "HEADS_FILE",
    "INTERRUPTED",
    "RUNNING",
    "STAGED",
    "Alerts",
    "Applied",
    "Backup",
    "BatchRow",
    "Claimed",
    "Clocks",
    "Comparison",
    "Confirmation",
    "ConsentStore",
    "Erasure",
    "Erasures",
    "Examined",
    "Extra",
    "FailingChannel",
    "History",
    "JobRow",
    "Jobs",
    "KeptHead",
    "KeptVersion",
    "Ledger",
    "Members",
    "MembershipRow",
    "Models",
    "OpenBatches",
    "OpenRemovals",
    "Outbox",
    "Outcome",
    "Overview",
    "ParkedEvent",
    "PastBatch",
    "PastMembership",
    "Person",
    "PollDue",
    "Reading",
    "Readings",
    "ReceivedEvent",
    "ReceivedEvents",
    "Recipient",
    "Recorded",
    "RejectedRow",
    "Remote",
    "Remotes",
    "RemovalLog",
    "RemovalTiming",
    "Replacement",
    "Restored",
    "Resync",
    "Resyncs",
    "RunRow",
    "RunningRemovals",
    "Runs",
    "SuppressedSet",
    "SuppressionCause",
    "SyncEnd",
    "Told",
    "Withdrawal",
    "Withdrawn",
    "append_head",
    "back_up",
    "file_of",
    "is_network",
    "kind_of_file_system",
    "read_all_kept",
    "read_heads",
    "read_kept",
    "restore",
    "timings_of",
]

#: What needs numpy and Arrow.
__getattr__ = on_demand(
    __name__,
    {"Comparison": "comparing", "CUSTOMER_STATEMENTS": "consent_columns", "STAGED": "rows"},
)
