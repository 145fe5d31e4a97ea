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
    heavy_tail: bool
    impute: Impute
    #: What to call a segment that is high or low in it; empty where neither would help.
    high_word: str = ""
    low_word: str = ""


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
class CentroidModel:
    """Everything the engine needs to assign anybody to a segment.

    ``centroids`` has one row a segment (prepared units, the order of ``features``);
    ``segment_ids`` names the rows. A customer with a previous segment stays unless another
    centroid's distance is below ``(1 - margin)`` times the distance to the previous one's
    (Euclidean, not squared). Ties go to the earlier row.
    """

    features: tuple[PreparedFeature, ...]
    centroids: tuple[tuple[float, ...], ...]
    segment_ids: tuple[str, ...]
    margin: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A lasting group of customers: the id and the name survive every re-clustering."""

    id: str
    name: str
    description: str
    #: Why it is not to be sent, or empty.
    held: str = ""


@dataclass(frozen=True, slots=True)
class LineageEvent:
    """What became of a segment at a refit: born, split, merged, died or held."""

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
    #: first, due, drifted or forced.
    reason: str
    algorithm: str
    centroid_model: CentroidModel
    segments: tuple[Segment, ...]
    lineage: tuple[LineageEvent, ...] = ()
    #: customers, sample, inertia, silhouette, moved_share, k_scores ... JSON-ready.
    quality: dict[str, object] = field(default_factory=dict)
