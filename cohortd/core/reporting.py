"""What a run tells people: values that the reports, the commands and the ledger share."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Final, Self

from cohortd.core.fates import SegmentFate
from cohortd.core.planning import GuardStop
from cohortd.core.quality import SourceQuality, quality_of_json


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One table as it was read."""

    table: str
    read: int
    kept: int
    #: Rows after the run's time: no fault, only not seen yet.
    later: int = 0
    #: Reason -> rows left out.
    dropped: dict[str, int] = field(default_factory=dict)
    #: Row number and reason of some rows left out, never their contact fields.
    samples: list[dict[str, object]] = field(default_factory=list)
    #: Rows whose own cells are sound, and our name of a mapped column -> those of them with a value.
    sifted: int = 0
    filled: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AudienceReport:
    """One audience on one destination after a run; members, not identifiers."""

    audience: str
    name: str
    description: str
    destination: str
    platform: str
    remote_id: str | None = None
    eligible: int = 0
    adds: int = 0
    removes: int = 0
    refreshes: int = 0
    added: int = 0
    removed: int = 0
    pending: int = 0
    rejected: int = 0
    #: The platform's reason -> members it did not take.
    rejected_reasons: dict[str, int] = field(default_factory=dict)
    #: Members the ledger holds as on the platform or on their way.
    size: int = 0
    #: What the platform itself says, where it says anything.
    platform_size: str = ""
    platform_state: str = ""
    #: Where the platform's word and the ledger part, in sentences.
    drift: list[str] = field(default_factory=list)
    #: Whether all that is confirmed is files for somebody to upload.
    by_hand: bool = False
    held: str | None = None
    #: Reason -> customers of this segment who are not sent.
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RevocationReport:
    """What became of withdrawn consent on one destination."""

    destination: str
    revoked: int
    confirmed: int
    #: Seconds from the record of the slowest confirmed removal; None while none is confirmed.
    slowest_s: float | None = None


@dataclass(frozen=True, slots=True)
class StabilityReading:
    """What one run, or one fit, measured of stability; only what is known."""

    at: datetime
    #: moved_share, psi_max, inertia_ratio, silhouette.
    measures: Mapping[str, float]
    #: Whether a new model version began with it.
    refitted: bool = False
    #: Feature -> how far its distribution is from that of the fit (population stability index).
    drift: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run, whole."""

    run_id: str
    kind: str
    status: str
    as_of: str
    started_at: str
    finished_at: str
    model_version: int | None = None
    #: Share of customers in both this and the last applied assignment who changed segment.
    moved_share: float | None = None
    plan_id: str | None = None
    sources: list[SourceReport] = field(default_factory=list)
    quality: list[SourceQuality] = field(default_factory=list)
    audiences: list[AudienceReport] = field(default_factory=list)
    guards: list[GuardStop] = field(default_factory=list)
    #: Segments that came and went since the sync before, with what became of their audiences.
    lineage: list[SegmentFate] = field(default_factory=list)
    revocations: list[RevocationReport] = field(default_factory=list)
    #: How far the data has moved from the model: drift by feature, inertia_ratio, silhouette, alerts.
    stability: dict[str, object] = field(default_factory=dict)
    #: Sentences for people: what fell short, which destination is paused and what to do.
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """Plain dicts and lists, ready for JSON."""
        return asdict(self)

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """Make it again of what ``as_json`` gave; further keys are passed over."""
        known = {field.name: kept[field.name] for field in fields(cls) if field.name in kept}
        parts = {name: [part(**one) for one in known.get(name, ())] for name, part in _PARTS.items()}
        return cls(**{**known, **parts})


_PARTS: Final[Mapping[str, Callable[..., object]]] = {
    "sources": SourceReport,
    "quality": quality_of_json,
    "audiences": AudienceReport,
    "guards": GuardStop,
    "lineage": SegmentFate.of_json,
    "revocations": RevocationReport,
}
