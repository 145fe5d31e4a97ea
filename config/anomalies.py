"""What about a table can only be its source's fault."""

from pydantic import Field

from config.base import Share, Strict


class SourceAnomaly(Strict):
    """From where on a table looks broken, compared with the last finished sync (docs/data-quality.md)."""

    unit_factor: float = Field(
        default=8.0,
        gt=1,
        description="A column's median this many times as large or as small is another unit.",
    )
    duplicates: Share = Field(
        default=0.1,
        gt=0,
        le=1,
        description="Share of an events table's rows that may newly repeat others.",
    )
    gap_days: int = Field(
        default=3,
        ge=1,
        description="Days without any event, or by which the newest event went back.",
    )
    future: Share = Field(
        default=0.01, gt=0, le=1, description="Share of rows whose time may newly be yet to come."
    )
