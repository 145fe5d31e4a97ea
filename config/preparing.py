"""When a model is stale, and how its features are made comparable."""

from pydantic import Field

from config.base import Share, Strict


class Drift(Strict):
    """What says that the data has moved from the model: plan and sync tell it, and a refit is due early."""

    psi: float | None = Field(
        default=0.25,
        gt=0,
        description="Population stability index of a feature since the fit; what chance alone may give a"
        " small shop is added. null: never.",
    )
    silhouette_drop: float | None = Field(
        default=0.1, gt=0, lt=2, description="What the silhouette may have lost since the fit. null: never."
    )
    churn: Share | None = Field(
        default=0.2,
        ge=0,
        le=1,
        description="Share of customers that may change segment in a run before it is told; refits"
        " nothing. null: never.",
    )
