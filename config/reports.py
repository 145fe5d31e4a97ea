"""What is written for people after a run."""

from pydantic import Field

from config.base import Strict


class Reports(Strict):
    """What is written for people after a run."""

    plots: bool = Field(
        default=True,
        description="Draw plots into the report of every new model version and of every run that moved"
        " people, and write each as PNG beside it; a few seconds of processor time.",
    )
