"""What the daemon's jobs do, under one leadership."""

import threading
from dataclasses import dataclass, field

from cohortd.core.delivery import Lane
from cohortd.pipeline.alarms import DueWatch
from cohortd.pipeline.alerting import Teller
from cohortd.pipeline.approving import first_waiting, taking
from cohortd.pipeline.delivery import Delivery
from cohortd.pipeline.dropping import take_all_in
from cohortd.pipeline.erasing import finish_erasures
from cohortd.pipeline.housekeeping import keep_house
from cohortd.pipeline.keeping_copies import keep_copy
from cohortd.pipeline.keeping_heads import keep_heads
from cohortd.pipeline.reading_back import is_due, read_back
from cohortd.pipeline.receiving import forget_received
from cohortd.pipeline.reclustering import recluster
from cohortd.pipeline.reconciling import reconcile
from cohortd.pipeline.refreshing import needs_sync
from cohortd.pipeline.syncing import SyncCall, sync
from cohortd.pipeline.wiring import Pipeline

DONE = "done"


@dataclass(slots=True)
class Work:
    """Each says how it ended."""

    pipeline: Pipeline
    epoch: int
    #: Held by whatever fits, plans or sends more than revocations: no two of them run beside each other.
    alone: threading.Lock = field(default_factory=threading.Lock)
    #: Held while revocations are sent outside of syncs.
    _light: threading.Lock = field(default_factory=threading.Lock)
    _due: DueWatch = field(default_factory=DueWatch)
    _teller: Teller = field(default_factory=Teller)

    def revocations(self) -> str:
        """Read consent and send removals, also beside a sync under way.

        Reading a large table takes a while, in which ``watch`` must be free to send what
        ``cohortd revoke`` recorded: only the sending is locked.
        """
        try:
            take_all_in(self.pipeline, as_of=self.pipeline.clock())
        finally:
            self._send_revocations()
        return DONE

    def reconciliation(self) -> str:
        """Compare the consent platform's export with the ledger, and send the removals that follow."""
        export = self.pipeline.sources.consent_export
        if export is None:
            return DONE
        try:
            return reconcile(self.pipeline, export).status
        finally:
            self._send_revocations()

    def pulse(self) -> str:
        """Tell whoever watches that jobs are begun still."""
        self.pipeline.observer.turned("scheduler")
        return DONE

    def watch(self) -> str:
        """Send removals that another process queued, such as ``cohortd revoke``."""
        if self._light.acquire(blocking=False):
            try:
                Delivery(self.pipeline, self.epoch).drain(lane=Lane.REVOCATION)
            finally:
                self._light.release()
        return DONE

    def due(self) -> str:
        """Tell which removals are due soon or late, and were not told of before."""
        self._due.look(self.pipeline)
        return DONE

    def alerts(self) -> str:
        """Tell people what needs them; slow channels hold nothing else up."""
        self._teller.tell(self.pipeline)
        return DONE

    def forget(self) -> str:
        """Forget what was kept long enough."""
        forget_received(self.pipeline)
        return DONE

    def recluster(self) -> str:
        """Make a new model version if one is due; needs ``alone``."""
        return "stopped" if recluster(self.pipeline, as_of=None, force=False).is_stopped else DONE

    def sync(self) -> str:
        """Bring the platforms up to date; needs ``alone``."""
        return sync(self.pipeline, SyncCall(), epoch=self.epoch).status

    def approvals(self) -> str:
        """Apply a plan that somebody approved from another process."""
        plan_id = first_waiting(self.pipeline)
        if plan_id is None or not self.alone.acquire(blocking=False):
            return DONE
        try:
            with taking(self.pipeline, plan_id) as is_wanted:
                if is_wanted:
                    sync(self.pipeline, SyncCall(approve=plan_id), epoch=self.epoch)
        finally:
            self.alone.release()
        return DONE

    def polling(self) -> str:
        """Ask what became of accepted batches, send what had to wait for them.

        Revocations are sent beside it, since neither asking nor sending may take their lock: whoever falls
        silent is skipped for the rest of what is sent here. A sync under way sends the rest itself.
        """
        delivery = Delivery(self.pipeline, self.epoch)
        delivery.poll()
        if self.alone.acquire(blocking=False):
            try:
                delivery.drain()
            finally:
                self.alone.release()
        finish_erasures(self.pipeline)
        return DONE

    def expiry(self) -> str:
        """Sync, where members would be forgotten for want of syncs; needs ``alone``."""
        return self.sync() if needs_sync(self.pipeline) else DONE

    def sizes(self) -> str:
        """Read sizes where none were read for a day; holds no revocation up."""
        if is_due(self.pipeline):
            read_back(self.pipeline)
        return DONE

    def heads(self) -> str:
        """Keep the removal log's newest head elsewhere."""
        keep_heads(self.pipeline)
        return DONE

    def housekeeping(self) -> str:
        """Delete what is old."""
        keep_house(self.pipeline)
        return DONE

    def backup(self) -> str:
        """Copy the state to another folder."""
        if self.pipeline.backups is not None:
            keep_copy(self.pipeline, self.pipeline.backups)
        return DONE

    def _send_revocations(self) -> None:
        with self._light:
            delivery = Delivery(self.pipeline, self.epoch)
            if any(batch.lane is Lane.REVOCATION for batch in self.pipeline.ledger.outbox.open_batches()):
                # A pause must not hold a revocation up for longer than until the next look.
                delivery.resume()
            delivery.drain(lane=Lane.REVOCATION)
