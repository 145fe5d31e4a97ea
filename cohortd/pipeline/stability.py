"""How far this run's data has moved from the model in force, told before it moves people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import clustering
from cohortd.core.delivery import AccessCheck
from cohortd.core.modelling import FeatureSpec, ModelVersion
from cohortd.core.times import format_time, parse_time
from cohortd.ledger import RunRow
from cohortd.pipeline import fitting
from cohortd.pipeline.wiring import Pipeline

if TYPE_CHECKING:
    from cohortd.engine import Engine, StagedTable

#: By then the schedule should have refitted a model that drifted.
_OVERDUE: Final = timedelta(days=9)


@dataclass(frozen=True, slots=True)
class Stability:
    """What a run saw."""

    #: By the model that was in force when it began; None at the first.
    reading: clustering.Reading | None = None
    #: What of it is beyond its limits, in words.
    drifts: tuple[str, ...] = ()
    #: Since when the same model has drifted; empty where it has not.
    since: str = ""
    #: Whether a new model was made, so that the drift is over.
    refitted: bool = False
    moved_share: float | None = None
    #: What the moved share may be before it is told.
    churn: float | None = None

    @property
    def alerts(self) -> tuple[str, ...]:
        """Sentences for people: what is beyond its limits and still stands."""
        alerts = []
        if self.drifts and not self.refitted:
            alerts.append(f"the data has drifted from the model: {'; '.join(self.drifts)}")
        if self.moved_share is not None and self.churn is not None and self.moved_share > self.churn:
            alerts.append(
                f"{self.moved_share:.1%} of the customers changed segment in this run"
                f" (segmentation.drift.churn is {self.churn:.0%})"
            )
        return tuple(alerts)

    def as_json(self) -> dict[str, object]:
        """As a run's report keeps it: to be drawn over time."""
        reading = self.reading or clustering.Reading()
        return {
            "drift": {name: round(found, 4) for name, found in reading.psi.items()},
            "inertia_ratio": None if self.reading is None else round(reading.inertia_ratio, 4),
            "silhouette": None if reading.silhouette is None else round(reading.silhouette, 4),
            "moved_share": self.moved_share,
            "drifted": list(self.drifts),
            "drifted_since": self.since if self.drifts and not self.refitted else None,
            "refitted": self.refitted,
            "alerts": list(self.alerts),
        }


def read_stability(
    pipeline: Pipeline,
    engine: Engine,
    features: StagedTable,
    specs: Sequence[FeatureSpec],
    current: ModelVersion | None,
    *,
    as_of: datetime,
) -> Stability:
    """Look at a sample with the eyes of the model in force."""
    policy = pipeline.segmentation
    if current is None:
        return Stability(churn=policy.drift.churn)
    reading = engine.near(
        fitting.read_drift, features, tuple(specs), current, sample_size=policy.sample_size
    )
    drifts = reading.drifts(policy.drift)
    since = _since(pipeline, current, as_of=as_of) if drifts else ""
    return Stability(reading, drifts, since, churn=policy.drift.churn)


def _since(pipeline: Pipeline, current: ModelVersion, *, as_of: datetime) -> str:
    """Since when the model in force has been out of its limits, as the last sync's report has it."""
    before = _last_seen(pipeline)
    if before is not None and before.summary.get("model_version") == current.id:
        return str(_seen_by(before).get("drifted_since") or format_time(as_of))
    return format_time(as_of)


def _last_seen(pipeline: Pipeline) -> RunRow | None:
    return pipeline.ledger.runs.last(kind="sync", status=("done", "partial", "stopped"))


def _seen_by(run: RunRow) -> dict[str, object]:
    seen = run.summary.get("stability")
    return seen if isinstance(seen, dict) else {}


def stability_line(pipeline: Pipeline) -> list[AccessCheck]:
    """Tell ``status`` of a drift; somebody should look where no refit has ended it in time."""
    last, current = _last_seen(pipeline), pipeline.ledger.models.current()
    if last is None or current is None or last.summary.get("model_version") != current.id:
        return []
    seen = _seen_by(last)
    since, drifted = seen.get("drifted_since"), seen.get("drifted")
    if not isinstance(since, str) or not isinstance(drifted, list):
        return []
    ok = last.as_of - parse_time(since) <= _OVERDUE
    cure = "" if ok else "cohortd recluster makes a new model version; is there a schedule.recluster?"
    detail = f"the data has drifted from the model since {since[:10]}: {'; '.join(map(str, drifted))}"
    return [AccessCheck("segments", ok=ok, detail=detail, cure=cure)]
