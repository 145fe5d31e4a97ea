"""What is written for people after a run."""

from datetime import timedelta

from pydantic import Field

from config.base import Duration, Strict


class Reports(Strict):
    """What is written for people after a run."""

    plots: bool = Field(
        default=True,
        description="Draw plots into the report of every new model version and of every run that moved"
        " people, and write each as PNG beside it; a few seconds of processor time.",
    )
    keep: Duration | None = Field(
        default=timedelta(days=365),
        description="How long pages of runs and of model versions are kept, the newest of each in any case;"
        " null: for good.",
    )
