"""What a pipeline is made of; bootstrap fills it from the settings."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from clustering import ClusteringPolicy, DriftLimits
from cohortd.core.apart import run_here
from cohortd.core.errands import Errands
from cohortd.core.identifiers import Family
from cohortd.core.modelling import FeatureSpec, Segment
from cohortd.core.observing import UNOBSERVED, Observer
from cohortd.core.times import Clock
from cohortd.core.turns import Turn
from cohortd.engine import Vocabulary
from cohortd.ledger import Ledger
from cohortd.pipeline.alert_policy import AlertPolicy
from cohortd.pipeline.anomalies import AnomalyLimits
from cohortd.pipeline.known_rows import KnownRows
from cohortd.sources import TableSource
from connectors.backing_off import Chance
from connectors.protocol import Connector
from consent import ConsentRules

if TYPE_CHECKING:
    from cohortd.engine import Condition, Engine


P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """When to ask what became of an accepted batch; all in seconds."""

    first_s: float
    factor: float
    max_s: float
    give_up_s: float

    def next_s(self, polls: int) -> float:
        """Wait before the poll that follows *polls* earlier ones."""
        return min(self.first_s * self.factor**polls, self.max_s)


class Resyncing(StrEnum):
    """What ``sync --replace`` does at a destination."""

    #: All are added anew; then whoever was last added before is forgotten.
    SWEEP = "sweep"
    #: The difference is sent; then all members are replaced, part by part.
    SESSION = "session"
    #: All are added anew; strangers stay.
    ADDS = "adds"


class RemovalRefused(StrEnum):
    """What follows where a platform takes nobody out of an audience because it is small."""

    #: All members are replaced by those who stay; where that is refused too, as below.
    REPLACE = "replace"
    #: The audience is deleted from the platform; the next sync makes another.
    RECREATE = "recreate"
    #: The removal is tried again until the audience has grown.
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Destination:
    """One configured destination with its connector."""

    name: str
    platform: str
    account: str
    connector: Connector
    poll: PollPolicy
    membership_days: int | None
    #: The most members an audience gets; None for any number.
    member_limit: int | None = None
    #: Whether confirmed means no more than that files were written for somebody to upload.
    by_hand: bool = False
    #: For revocations; whoever leaves for another reason waits.
    removal_refused: RemovalRefused = RemovalRefused.WAIT
    resyncing: Resyncing = Resyncing.ADDS
    #: The most batches that are sent at once, each to another audience.
    concurrency: int = 1
    #: Whether members are replaced where that takes fewer requests than the difference.
    replaces_when_cheaper: bool = False

    @property
    def family(self) -> Family:
        """Whose normalization rules apply."""
        return self.connector.limits.family


@dataclass(frozen=True, slots=True)
class Sources:
    """The first-party tables; all but the customers may be absent."""

    customers: TableSource
    events: TableSource | None
    consent: TableSource | None
    context: TableSource | None = None
    #: A folder of files of consent records, each of which is taken in once.
    consent_drop: TableSource | None = None
    #: The consent platform's whole export.
    consent_export: TableSource | None = None


@dataclass(frozen=True, slots=True)
class SegmentationPolicy:
    """How features are computed and when the model is refitted."""

    specs: tuple[FeatureSpec, ...]
    #: Customer attributes that features may name.
    attributes: tuple[str, ...]
    window: timedelta | None
    refit_every: timedelta
    sample_size: int
    drift: DriftLimits
    #: Share of customers that a refit may move to another segment; 1.0 for any.
    churn_budget: float
    clustering: ClusteringPolicy
    #: What the settings say of features beside the catalog.
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    #: Features and attributes that may be used although their names are sensitive.
    allow_sensitive: frozenset[str] = frozenset()


class WhenGone(StrEnum):
    """What becomes of a remote audience whose segment is gone."""

    EMPTY = "empty"
    CLOSE = "close"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Rule:
    """A segment that people define by a condition, beside those that are found."""

    segment: Segment
    condition: Condition


@dataclass(frozen=True, slots=True)
class AudiencePolicy:
    """When an audience may be fed and what it is called on the platforms."""

    minimum_size: int
    name_prefix: str
    when_gone: WhenGone = WhenGone.EMPTY
    rules: tuple[Rule, ...] = ()
    #: Segments for exclusion in campaigns; their names say so.
    exclude_only: frozenset[str] = frozenset()
    #: Segments that come first where only the *most* are sent.
    pinned: tuple[str, ...] = ()
    most: int | None = None
    #: Pairs of segments, or of all segments of a model, whose customers in common are an audience.
    intersections: tuple[tuple[str, str], ...] = ()
    most_intersections: int = 20


@dataclass(frozen=True, slots=True)
class IdentityPolicy:
    """How contact fields are read."""

    default_region: str | None
    hashed: frozenset[str]


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """Above which a plan stops: shares, of which 1.0 never stops, and a number of members."""

    removed_share: float
    moved_share: float
    source_drop: float
    bad_rows: float
    null_share: float
    audience_drop: float | None = None
    first_size: int | None = None
    #: What about a table can only be its source's fault; None: not looked for.
    source_anomaly: AnomalyLimits | None = field(default_factory=AnomalyLimits)


@dataclass(frozen=True, slots=True)
class HeadsPolicy:
    """Which folders get the removal log's newest signed head, and how often."""

    folders: Sequence[Path] = ()
    every: timedelta = timedelta(hours=1)
    #: Where heads that are kept get a time stamp; empty for none.
    timestamp_url: str = ""
    #: By which certificates time stamps are checked.
    timestamp_certificate: Path | None = None
    #: A folder may be on a share that hangs: nothing else may wait for it.
    errands: Errands = field(default_factory=Errands, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BackupPolicy:
    """Where copies of the state go, and how many stay there."""

    folder: Path
    keep: int


Progress = Callable[[str], None]


class Draw(Protocol):
    """Calls a module's function, here or in another process."""

    def __call__(self, compute: Callable[P, T], /, *given: P.args, **options: P.kwargs) -> T:
        """Call it."""
        ...


def silent(_step: str) -> None:
    """Show no progress."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Everything a run needs, wired."""

    data_dir: Path
    ledger: Ledger
    engine: Callable[[Path], Engine]
    sources: Sources
    destinations: Mapping[str, Destination]
    segmentation: SegmentationPolicy
    audiences: AudiencePolicy
    identity: IdentityPolicy
    consent: ConsentRules
    guards: GuardLimits
    #: The public key by which anyone can check the removal log's signature.
    log_key: str
    clock: Clock
    #: Set when the process should finish what is in flight and stop.
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Progress = silent
    #: What of the consent table this process knows to be in the ledger.
    known_rows: KnownRows = field(default_factory=KnownRows)
    #: Whether reports have plots.
    plots: bool = True
    #: Models beside the main one, by name.
    models: Mapping[str, SegmentationPolicy] = field(default_factory=dict)
    #: Where the removal log's signed heads are kept besides.
    heads: HeadsPolicy = field(default_factory=HeadsPolicy)
    #: Whom to tell what.
    alerts: AlertPolicy = field(default_factory=AlertPolicy)
    #: How often a new export of the consent platform is expected.
    reconcile_every: timedelta = timedelta(days=1)
    #: The timetable of every job that is not switched off, by name.
    turns: Mapping[str, Turn] = field(default_factory=dict)
    #: How long pages are kept; None for good.
    pages_kept_for: timedelta | None = None
    #: Copies of the state that the daemon makes; None for none.
    backups: BackupPolicy | None = None
    #: Spreads waits for which no platform named a time.
    chance: Chance = random.random
    #: Hears what is done.
    observer: Observer = UNOBSERVED
    #: Calls what writes pages with plots: a daemon has it done by a process that ends.
    draw: Draw = run_here

    @property
    def families(self) -> tuple[Family, ...]:
        """The families of the configured destinations, in a fixed order."""
        return tuple(f for f in Family if any(d.family is f for d in self.destinations.values()))

    def at(self, as_of: datetime | None) -> datetime:
        """The time of a run: *as_of*, else now."""
        return as_of or self.clock()
