"""What a fit looks like: enough to draw it, nothing of anybody by name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dot:
    """One customer of a sample on a two-dimensional map; nobody knows which."""

    x: float
    y: float
    #: Row of the segment.
    segment: int


@dataclass(frozen=True, slots=True)
class Junction:
    """Two branches of a dendrogram that join: four corners of a bracket."""

    across: tuple[float, float, float, float]
    height: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Dendrogram:
    """How groups grow together."""

    junctions: tuple[Junction, ...]
    #: Where on the axis each leaf stands, and the row of its segment.
    leaves: tuple[tuple[float, int], ...]
    #: Whether a leaf is a handful of customers (Ward's own tree) rather than a whole segment.
    of_customers: bool = False


@dataclass(frozen=True, slots=True)
class Portrait:
    """A new model version as plots need it; too large and too dull to be kept."""

    #: Rows of everything below.
    segment_ids: tuple[str, ...]
    #: Titles of the features, the columns of ``effects``.
    features: tuple[str, ...]
    #: How many pooled deviations a segment's mean lies off that of all others (Cohen's d).
    effects: tuple[tuple[float, ...], ...]
    #: At most 2,000 customers of the sample, along the two directions of most variance.
    dots: tuple[Dot, ...]
    #: The middle of each segment among them.
    middles: tuple[tuple[float, float], ...]
    #: Which part of all variance each of the two directions shows.
    shown: tuple[float, float]
    #: Mean silhouette of each segment's customers.
    silhouettes: tuple[float, ...]
    #: None where there is but one segment.
    dendrogram: Dendrogram | None = None
