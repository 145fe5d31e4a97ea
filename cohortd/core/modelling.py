"""The clustering model as the engine can compute it, and the features it reads."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Impute(StrEnum):
    """What an absent feature value means."""

    ZERO = "zero"
    MEDIAN = "median"


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One feature: how people read it and how it is prepared; the engine knows its expression."""

    name: str
    #: A sentence for the docs and reports.
    title: str
    #: Event or customer columns without which it cannot be computed.
    needs: tuple[str, ...]
    #: Whether logs are taken; None where the sample must say it, as of customers' attributes.
    heavy_tail: bool | None
    impute: Impute
    #: What to call a segment that is high or low in it; empty where neither would help.
    high_word: str = ""
    low_word: str = ""
    #: Whose columns ``needs`` are: events, customers (an attribute), or context as well as events
    #: (then written ``context.temperature``).
    table: str = "events"


@dataclass(frozen=True, slots=True)
class PreparedFeature:
    """The fitted preparation of one feature: ``(log1p?(fill(x)) - center) / scale``.

    With ``log``, negative values count as 0. ``scale`` is never 0.
    """

    name: str
    fill: float
    log: bool
    center: float
    scale: float


@dataclass(frozen=True, slots=True)
class Part:
    """One place of a segment, and how the distance to it is measured.

    The squared distance of prepared values ``x`` is the sum of ``(axis . (x - center)) ** 2`` over
    the axes, plus ``offset``; without axes each feature is an axis. Without a center it is
    ``offset`` for everybody: who is farther than that from all else belongs here.
    """

    #: Row of the segment.
    segment: int
    center: tuple[float, ...]
    axes: tuple[tuple[float, ...], ...] = ()
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class CentroidModel:
    """Everything the engine needs to assign anybody to a segment.

    ``centroids`` has one row a segment (prepared units, the order of ``features``), the middle of
    its customers; ``segment_ids`` names the rows. The distance to a segment is that to its nearest
    part, and to its centroid (Euclidean) where the model has no ``parts``. A customer with a previous
    segment stays unless another segment's distance is below ``(1 - margin)`` times the distance to
    the previous one (not squared). Ties go to the earlier row.
    """

    features: tuple[PreparedFeature, ...]
    centroids: tuple[tuple[float, ...], ...]
    segment_ids: tuple[str, ...]
    margin: float
    #: Where centroids alone do not tell segments apart; then every segment has at least one.
    parts: tuple[Part, ...] = ()
    #: Squared distances are -2 log densities but for a constant: a segment has a probability.
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A lasting group of customers: the id and the name survive every re-clustering."""

    id: str
    name: str
    description: str
    #: Why it is not to be sent, or empty.
    held: str = ""
    #: segment; micro: a small tight group far from all others; leftovers: who is in no group.
    kind: str = "segment"
    #: What to say to them and what not, one sentence; kept as long as the description is.
    hint: str = ""
    #: awareness, consideration, purchase, retention, advocacy, or empty where the data does not tell.
    stage: str = ""


@dataclass(frozen=True, slots=True)
class LineageEvent:
    """What became of a segment: born, split, merged, died or held at a refit, returned by going back."""

    kind: str
    segment_id: str
    #: The parent of a split, or the survivor of a merge.
    other_id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One fit: how segments are computed from now on, and how good it is."""

    id: int
    created_at: datetime
    as_of: datetime
    #: first, due, drifted or forced; rolled_back where it is an earlier version once more.
    reason: str
    algorithm: str
    centroid_model: CentroidModel
    segments: tuple[Segment, ...]
    lineage: tuple[LineageEvent, ...] = ()
    #: customers, sample, inertia, silhouette, moved_share, k_scores ... JSON-ready.
    quality: dict[str, object] = field(default_factory=dict)
    #: The version that this one puts in force once more, or after people had looked at it; 0 for none.
    restores: int = 0
