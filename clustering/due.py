"""When a model is refitted."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cohortd.core.modelling import ModelVersion


def due(
    previous: ModelVersion | None,
    *,
    as_of: datetime,
    refit_every: timedelta,
    force: bool,
    drifts: Sequence[str] = (),
) -> str | None:
    """Say why a refit is wanted: first, forced, due or drifted; None when the model may stay.

    Args:
        previous: The current model.
        as_of: The time the features look back from.
        refit_every: Age, by data, at which a model is due.
        force: Whether a person asked for it.
        drifts: What is beyond its limits, in words, as `Reading.drifts` says it.
    """
    if previous is None:
        return "first"
    if force:
        return "forced"
    if as_of - previous.as_of >= refit_every:
        return "due"
    return f"drifted: {drifts[0]}" if drifts else None
