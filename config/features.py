"""Features that people write themselves."""

import re
from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from config.base import Strict

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class OwnExpression(Strict):
    """One feature in SQL. What may stand in it is in docs/features.md; anything else is refused."""

    sql: str = Field(
        min_length=1,
        max_length=2000,
        description="An aggregate over a customer's events, such as"
        " `avg(CASE WHEN value > 100 THEN 1.0 ELSE 0 END)`.",
    )
    title: str = Field(min_length=1, description="What it is, in reports: `Share of big baskets`.")
    high: str = Field(default="", description="What to call a segment that is high in it; may be left out.")
    low: str = Field(default="", description="What to call a segment that is low in it; may be left out.")
    heavy_tail: bool | None = Field(
        default=None,
        description="Whether logs are taken, since a few customers have far more of it, as with sums and"
        " counts; left out, the customers say it.",
    )
    absent: Literal["zero", "median"] = Field(
        default="median", description="What stands for it where a customer has none."
    )


def check_own_names(names: Iterable[str]) -> None:
    """Refuse names that could not be told from others.

    Raises:
        ValueError: One has other signs than a-z, 0-9 and _.
    """
    for name in names:
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"{name} cannot name a feature: use a-z, 0-9 and _")
