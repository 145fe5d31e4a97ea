"""Which segments become audiences."""

from typing import Literal

from pydantic import Field, field_validator

from config.base import Share, Strict
from config.destinations import GOOGLE_DAYS
from config.rules import Rules


class Audiences(Strict):
    """Which segments become audiences, and what they are called."""

    minimum_size: int = Field(
        default=1000,
        ge=1,
        description="Fewest people in an audience; never less than a platform serves (100 at both).",
    )
    minimum_share: Share = Field(
        default=0.01, ge=0, le=1, description="Smallest share of all customers in a segment."
    )
    below_minimum: Literal["merge", "hold", "exclude"] = Field(
        default="merge",
        description="What becomes of a smaller segment: merged, held back, or for exclusion only.",
    )
    when_gone: Literal["empty", "close", "leave"] = Field(
        default="empty",
        description="What becomes of an audience in the ad manager whose segment is gone: emptied;"
        " emptied and closed (at Meta renamed); or left as it is, where only revocations still reach it.",
    )
    name_prefix: str = Field(
        default="cohortd · ", max_length=40, description="What every name in the ad manager begins with."
    )
    names: dict[str, str] = Field(
        default_factory=dict,
        description="Names you give, by segment: `{s1: Loyal regulars}`. The next sync renames them.",
    )
    rules: Rules = Field(
        default_factory=dict,
        description="Segments of your own, by key: `{lapsed_vips: {name: ..., condition: ...}}`; their"
        " ids are `rule-` and the key, for ever.",
    )
    exclude_only: tuple[str, ...] = Field(
        default=(),
        description="Segments that are only to be excluded in campaigns, `[s5, rule-x]`: they are sent"
        " like others, and their names in the ad manager say so.",
    )
    pinned: tuple[str, ...] = Field(
        default=(),
        description="Segments of the model whose place no refit moves, `[s3]`: they neither merge nor"
        " split, and come first under `most`.",
    )
    most: int | None = Field(
        default=None,
        ge=1,
        description="Most segments that are sent: pinned ones first, then rules, then the largest; the"
        " others are held. Null for any number.",
    )
    intersections: tuple[tuple[str, str], ...] = Field(
        default=(),
        description="Whoever is in both: `[[s1, rule-x]]` for two segments, `[[main, rule-x]]` for each of"
        " the model's with the other, as far as they are large enough.",
    )
    most_intersections: int = Field(
        default=20, ge=1, description="Most intersections that are sent: those there are, then the largest."
    )
    membership_days: int = Field(
        default=GOOGLE_DAYS,
        gt=0,
        le=GOOGLE_DAYS,
        description="Days a platform keeps a member; all are sent again in time.",
    )

    @field_validator("intersections")
    @classmethod
    def _check_intersections(cls, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        for left, right in pairs:
            if left == right:
                raise ValueError(f"{left} with itself is no intersection")
        return pairs

    @field_validator("names")
    @classmethod
    def _check_names(cls, names: dict[str, str]) -> dict[str, str]:
        rules = [segment for segment in names if segment.startswith("rule-")]
        if rules:
            raise ValueError(f"{', '.join(rules)}: a rule has its name under audiences.rules")
        return names
