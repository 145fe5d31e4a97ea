"""How far the data has moved from a model, as it was read; known also where nothing is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from clustering.policy import DriftLimits

#: The ratio where none can be had; large, finite and fit for JSON.
BEYOND_COMPARE: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Reading:
    """How a sample of today looks to a model."""

    #: Feature -> population stability index since the fit, largest first.
    psi: Mapping[str, float] = field(default_factory=dict)
    #: Feature -> what the index may reach by chance alone with that many customers.
    noise: Mapping[str, float] = field(default_factory=dict)
    inertia_ratio: float = 1.0
    #: Whether the model reads what the settings now ask for.
    comparable: bool = True
    #: Of today, and of the fit; None where it was not measured.
    silhouette: float | None = None
    silhouette_at_fit: float | None = None

    def drifts(self, limits: DriftLimits) -> tuple[str, ...]:
        """Say in words what is beyond the limits, the worst feature first."""
        return (*self._features(limits), *self._distances(limits))

    def _features(self, limits: DriftLimits) -> Iterator[str]:
        for name, found in self.psi.items():
            if limits.psi is not None and found > limits.psi + self.noise.get(name, 0.0):
                yield f"{name} PSI {found:.2f} (limit {limits.psi:g})"

    def _distances(self, limits: DriftLimits) -> Iterator[str]:
        if not self.comparable:
            yield "the settings ask for other features than the model reads"
        elif self.inertia_ratio > limits.inertia:
            yield f"inertia {self.inertia_ratio:.2f} times as at the fit (limit {limits.inertia:g})"
        if self.silhouette is None or self.silhouette_at_fit is None or limits.silhouette_drop is None:
            return
        if self.silhouette_at_fit - self.silhouette > limits.silhouette_drop:
            yield (
                f"silhouette {self.silhouette:.2f} instead of {self.silhouette_at_fit:.2f}"
                f" (limit {limits.silhouette_drop:g} less)"
            )
