"""Whether the process lives, and whether it can do its work now."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cohortd.core.errors import CohortdError
from cohortd.monitoring.counting import Pulse
from cohortd.monitoring.gauges import SENT
from cohortd.pipeline.wiring import Pipeline
from cohortd.probing import Probe

#: After so long a loop that should go round has stopped; seconds. The ledger's database may keep the
#: main loop waiting for half a minute.
SILENT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Told:
    """What is answered, and whether all is well."""

    ok: bool
    body: dict[str, object]


def health(pulse: Pulse) -> Told:
    """Say whether the daemon's loops go round; what it depends on is no reason to start it again."""
    ages = pulse.ages()
    stuck = sorted(loop for loop, age in ages.items() if age > SILENT_S)
    rounded = {loop: round(age, 1) for loop, age in ages.items()}
    return Told(not stuck, {"status": "stuck" if stuck else "ok", "seconds_since": rounded, "stuck": stuck})


@dataclass(frozen=True, slots=True)
class Readiness:
    """Looks whether the daemon can do its work."""

    pipeline: Pipeline
    pulse: Pulse
    #: Looks at the ledger.
    probe: Callable[[], Probe]
    #: How old the last sync may be; None for any age, or where none is scheduled.
    fresh_for: timedelta | None

    def look(self) -> Told:
        """Look, without waiting for anybody who writes."""
        probe = self.probe()
        last, since = self._last_sync() if probe.reachable and probe.migrated else (None, None)
        now = self.pipeline.clock()
        fresh = since is not None and (self.fresh_for is None or now - since <= self.fresh_for)
        ok = probe.ok and fresh and health(self.pulse).ok
        return Told(
            ok,
            {
                "status": "ready" if ok else "not ready",
                "role": "leader" if self.pulse.leads else "standby",
                "ledger": {
                    "reachable": probe.reachable,
                    "migrated": probe.migrated,
                    "writable": probe.writable,
                    "fault": probe.fault,
                },
                "last_sync_age_s": None if last is None else round((now - last).total_seconds(), 1),
                "fresh": fresh,
                "loops": health(self.pulse).body["status"],
            },
        )

    def _last_sync(self) -> tuple[datetime | None, datetime | None]:
        """When a sync last sent, and since when one is waited for: from the ledger's beginning at first."""
        overview = self.pipeline.ledger.overview
        try:
            newest = [each for each in overview.newest_syncs(100) if each.status in SENT]
            last = newest[0].finished_at if newest else overview.last_end(SENT)
            return last, last or overview.created_at()
        except CohortdError:
            return None, None
