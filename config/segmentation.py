"""How customers become segments."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from config.base import Duration, Share, Strict
from config.features import OwnExpression, check_own_names
from config.preparing import Drift


class Segmentation(Strict):
    """How customers become segments."""

    template: str | tuple[str, ...] = Field(
        default="ecommerce", description="A ready set of features, or a list of features."
    )
    features: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="The list of features, instead of `template`."
    )
    expressions: dict[str, OwnExpression] = Field(
        default_factory=dict,
        description="Features of your own by name: SQL aggregates over the events (docs/features.md).",
    )
    conversion_types: tuple[str, ...] = Field(
        default=(*("purchase", "order", "transaction", "checkout", "subscription", "subscribe", "signup"),),
        min_length=1,
        description="Values of the events' `type` that count as conversions.",
    )
    page_view_types: tuple[str, ...] = Field(
        default=(*("page_view", "pageview", "view", "page", "screen_view", "screen", "play", "read"),),
        min_length=1,
        description="Values of the events' `type` that count as page views.",
    )
    algorithm: Literal[
        "kmeans", "bisecting_kmeans", "gaussian_mixture", "ward", "hdbscan", "dbscan", "auto"
    ] = Field(
        default="kmeans",
        description="How groups are found; `kmeans` moves the fewest people between runs, `auto` tries"
        " several and says why it chose (docs/segments.md).",
    )
    noise: Literal["nearest", "leftovers"] = Field(
        default="nearest",
        description="Where customers go whom `hdbscan` or `dbscan` finds in no group: into the nearest,"
        " or into a segment of their own.",
    )
    micro_audiences: bool = Field(
        default=False,
        description="Keep small tight groups far from all segments apart, down to what a platform serves.",
    )
    k: Literal["auto"] | Annotated[int, Field(ge=2, le=100)] = Field(
        default="auto", description="How many segments; `auto` looks for it and then keeps to it."
    )
    k_min: int = Field(default=4, ge=2, le=100, description="Fewest segments that `auto` may choose.")
    k_max: int = Field(default=12, ge=2, le=100, description="Most segments that `auto` may choose.")
    window: Duration | None = Field(
        default=None, description="How far back events count, such as `52w`; null for all of them."
    )
    refit_every: Duration = Field(
        default="4w",
        validate_default=True,
        description="How long a model is kept; in between everybody is only assigned anew.",
    )
    margin: float = Field(
        default=0.15,
        ge=0,
        lt=1,
        description="How much nearer another segment must be before a customer moves there.",
    )
    churn_budget: Share = Field(
        default=0.3,
        ge=0,
        le=1,
        description="Share of customers that a re-clustering may move to another segment; one that would"
        " move more is held back, and the model in force stays (docs/segments.md).",
    )
    sample_size: int = Field(default=100_000, ge=1000, description="Most customers a model is fitted on.")
    seed: int = Field(default=0, ge=0, description="Fixes every random choice.")
    drift_limit: float = Field(
        default=1.1, ge=1, description="Refit early when the fit has become this many times worse."
    )
    drift: Drift = Field(default_factory=Drift, description="What else a refit is due early for.")
    scaling: Literal["standard", "robust"] = Field(
        default="standard",
        description="Features are compared in deviations from the mean, or from the median by the"
        " quartiles: `robust` where many values are absurd.",
    )
    correlation_limit: float = Field(
        default=0.95,
        gt=0,
        le=1,
        description="From this correlation on two features say the same and the one named later is left"
        " out; 1 for never.",
    )
    allow_sensitive: tuple[str, ...] = Field(
        default=(),
        description="Features or attributes that may be used although their names are sensitive, such"
        " as `age` or `category_share:baby`.",
    )

    @property
    def chosen(self) -> str | tuple[str, ...]:
        """The template's name, or the features asked for one by one."""
        return self.features or self.template

    @field_validator("expressions")
    @classmethod
    def _check_expressions(cls, expressions: dict[str, OwnExpression]) -> dict[str, OwnExpression]:
        check_own_names(expressions)
        return expressions

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.features is not None and "template" in self.model_fields_set:
            raise ValueError("give template or features, not both")
        if self.k_min > self.k_max:
            raise ValueError("k_min must not be above k_max")
        return self
