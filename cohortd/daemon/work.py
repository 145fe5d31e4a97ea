"""What the daemon's jobs do, under one leadership."""

import math
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from cohortd.core.delivery import Lane
from cohortd.pipeline.alarms import DueWatch
from cohortd.pipeline.approving import first_waiting, taking
from cohortd.pipeline.delivery import Delivery
from cohortd.pipeline.dropping import take_all_in
from cohortd.pipeline.erasing import finish_erasures
from cohortd.pipeline.keeping_heads import keep_heads
from cohortd.pipeline.reading_back import is_due, read_back
from cohortd.pipeline.receiving import forget_received
from cohortd.pipeline.reclustering import recluster
from cohortd.pipeline.reconciling import reconcile
from cohortd.pipeline.syncing import SyncCall, sync
from cohortd.pipeline.wiring import Pipeline

#: How long a platform that does not tell of its audiences is left alone; seconds.
READ_S: Final = 3600.0


@dataclass(slots=True)
class Work:
    """At most one of a kind, and syncs never beside re-clusterings."""

    pipeline: Pipeline
    epoch: int
    _heavy: threading.Lock = field(default_factory=threading.Lock)
    _light: threading.Lock = field(default_factory=threading.Lock)
    _due: DueWatch = field(default_factory=DueWatch)
    #: When platforms were last asked for sizes outside of a sync.
    _asked_at: float = -math.inf

    def revocations(self) -> None:
        """Read consent and send removals, also beside a sync under way.

        Reading a large table takes a while, in which ``watch`` must be free to send what
        ``cohortd revoke`` recorded: only the sending is locked.
        """
        try:
            take_all_in(self.pipeline, as_of=self.pipeline.clock())
        finally:
            self._send_revocations()

    def reconciliation(self) -> None:
        """Compare the consent platform's export with the ledger, and send the removals that follow."""
        export = self.pipeline.sources.consent_export
        if export is None:
            return
        try:
            reconcile(self.pipeline, export)
        finally:
            self._send_revocations()

    def watch(self) -> None:
        """Send removals that another process queued, such as ``cohortd revoke``."""
        if self._light.acquire(blocking=False):
            try:
                Delivery(self.pipeline, self.epoch).drain(lane=Lane.REVOCATION)
            finally:
                self._light.release()

    def due(self) -> None:
        """Tell which removals are due soon or late, and were not told of before."""
        self._due.look(self.pipeline)

    def forget(self) -> None:
        """Forget what was kept long enough."""
        forget_received(self.pipeline)

    def recluster(self) -> None:
        """Make a new model version if one is due."""
        with self._heavy:
            recluster(self.pipeline, as_of=None, force=False)

    def sync(self) -> None:
        """Bring the platforms up to date."""
        with self._heavy:
            sync(self.pipeline, SyncCall(), epoch=self.epoch)

    def approvals(self) -> None:
        """Apply a plan that somebody approved from another process."""
        plan_id = first_waiting(self.pipeline)
        if plan_id is None or not self._heavy.acquire(blocking=False):
            return
        try:
            with taking(self.pipeline, plan_id) as is_wanted:
                if is_wanted:
                    sync(self.pipeline, SyncCall(approve=plan_id), epoch=self.epoch)
        finally:
            self._heavy.release()

    def polling(self) -> None:
        """Ask what became of accepted batches, send what had to wait for them; once a day read sizes."""
        with self._light:
            delivery = Delivery(self.pipeline, self.epoch)
            delivery.poll()
            delivery.drain()
        # Outside the lock: a revocation must not wait for what is only looked at.
        keep_heads(self.pipeline)
        finish_erasures(self.pipeline)
        now = time.monotonic()
        if now - self._asked_at >= READ_S and is_due(self.pipeline):
            self._asked_at = now
            read_back(self.pipeline)

    def _send_revocations(self) -> None:
        with self._light:
            delivery = Delivery(self.pipeline, self.epoch)
            if any(batch.lane is Lane.REVOCATION for batch in self.pipeline.ledger.outbox.open_batches()):
                # A pause must not hold a revocation up for longer than until the next look.
                delivery.resume()
            delivery.drain(lane=Lane.REVOCATION)
