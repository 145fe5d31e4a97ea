"""What people decide about segments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from clustering.known import AUTO, check_algorithm
from cohortd.core.errors import SettingsError

BelowMinimum = Literal["merge", "hold", "exclude"]
Noise = Literal["nearest", "leftovers"]
Scaling = Literal["standard", "robust"]

#: A model whose customers lie this much farther from their centroids than at its fit is stale.
DRIFT_LIMIT: Final = 1.1


@dataclass(frozen=True, slots=True)
class DriftLimits:
    """From where on a model is stale; None for never."""

    #: Population stability of a feature: 0.25 is called a major shift since the 1990s' score cards.
    psi: float | None = 0.25
    #: Mean squared distance to the centroids, over what it was at the fit.
    inertia: float = DRIFT_LIMIT
    #: What the silhouette may have lost.
    silhouette_drop: float | None = 0.1
    #: Share of the customers that may change segment from one run to the next before it is told.
    churn: float | None = 0.2


@dataclass(frozen=True, slots=True)
class Preparing:
    """How features are made comparable."""

    scaling: Scaling = "standard"
    #: From this correlation on, whatever its sign, two features say the same; 1 for never.
    correlation_limit: float = 0.995


@dataclass(frozen=True, slots=True)
class ClusteringPolicy:
    """How to cluster, how many segments, and how small one may be.

    Raises:
        SettingsError: A value no fit could honour.
    """

    algorithm: str = "kmeans"
    #: None: chosen within ``k_min`` and ``k_max``.
    k: int | None = None
    k_min: int = 4
    k_max: int = 12
    #: How much nearer another centroid must be before a customer moves, as a share of the distance.
    margin: float = 0.15
    #: The floor is the larger of the two, counted over all customers.
    minimum_size: int = 1000
    minimum_share: float = 0.01
    below_minimum: BelowMinimum = "merge"
    seed: int = 0
    #: Share of inertia a cold fit must save, twice running, before it replaces the warm one.
    challenger_gain: float = 0.03
    #: Share of the customers that a better fit may move when nobody asked for another one.
    churn_budget: float = 1.0
    #: What becomes of those in no group of a density: they join the nearest, or are a segment.
    noise: Noise = "nearest"
    #: Whether small tight groups far from all segments are kept apart.
    micro_audiences: bool = False
    #: Fewest customers of one: what the least demanding platform serves.
    micro_size: int = 1
    #: How features are made comparable.
    preparing: Preparing = field(default_factory=Preparing)
    #: Segments whose place among the features stays as it is.
    pinned: frozenset[str] = frozenset()
    #: Segment id -> the name people gave it.
    names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse at the start what would fail in the night."""
        if self.algorithm != AUTO:
            check_algorithm(self.algorithm)
        _demand(self.k is None or self.k >= 1, f"k is {self.k}; it must be at least 1, or auto")
        _demand(1 <= self.k_min <= self.k_max, f"k_min {self.k_min} and k_max {self.k_max} leave no k")
        _demand(0 <= self.margin < 1, f"margin is {self.margin}; it must be at least 0 and below 1")
        _demand(self.minimum_size >= 1, f"minimum_size is {self.minimum_size}; it must be at least 1")
        _demand(0 <= self.minimum_share < 1, f"minimum_share is {self.minimum_share}; it must be in 0..1")
        _demand(0 <= self.challenger_gain < 1, f"challenger_gain is {self.challenger_gain}; not in 0..1")
        _demand(
            0 < self.preparing.correlation_limit <= 1,
            f"correlation_limit is {self.preparing.correlation_limit}; it must be above 0 and at most 1",
        )
        _demand(0 <= self.churn_budget <= 1, f"churn_budget is {self.churn_budget}; it must be in 0..1")
        _demand(self.micro_size >= 1, f"micro_size is {self.micro_size}; it must be at least 1")
        _demand(
            self.noise in {"nearest", "leftovers"},
            f"noise is {self.noise!r}; it must be nearest or leftovers",
        )
        _demand(
            self.below_minimum in {"merge", "hold", "exclude"},
            f"below_minimum is {self.below_minimum!r}; it must be merge, hold or exclude",
        )


def _demand(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not holds:
        raise SettingsError(f"segmentation: {otherwise}")
