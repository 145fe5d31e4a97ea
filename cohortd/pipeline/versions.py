"""The history of model versions, and what people do with it: accept one that waits, or go back."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime

from cohortd.core.errors import SettingsError
from cohortd.core.modelling import LineageEvent, ModelVersion
from cohortd.core.times import format_time
from cohortd.ledger import KeptVersion
from cohortd.pipeline.refitting import ROLLED_BACK
from cohortd.pipeline.wiring import Pipeline

#: The newest versions that a history shows.
SHOWN = 100
#: No ledger counts further; a longer number no database would take.
_MOST_DIGITS = 9


def accept(pipeline: Pipeline) -> ModelVersion:
    """Put the version that is held back in force, as people have seen it.

    Raises:
        SettingsError: None waits.
        LedgerError: Meanwhile another version came into force.
    """
    models = pipeline.ledger.models
    current, waiting = models.current(), models.waiting()
    if waiting is None:
        raise SettingsError(
            "no re-clustering waits to be accepted; cohortd recluster --history lists the model versions"
        )
    return _in_force_again(pipeline, current, waiting.version)


def roll_back(pipeline: Pipeline, wanted: str, *, as_of: datetime | None) -> ModelVersion:
    """Put an earlier version in force again, as a new one: nothing is taken out of the history.

    Args:
        pipeline: Of the ledger that keeps them.
        wanted: Its number, or ``previous``.
        as_of: Now, if it is not the clock's.

    Raises:
        SettingsError: There is no such version, or it never was in force.
        LedgerError: Meanwhile another version came into force.
    """
    current = pipeline.ledger.models.current()
    if current is None:
        raise SettingsError("there is no model version yet; cohortd recluster makes the first")
    earlier = _wanted(pipeline, current, wanted)
    back = replace(
        earlier,
        reason=ROLLED_BACK,
        as_of=pipeline.at(as_of),  # so that the next refit is due as long after it as after any version
        lineage=_lineage(current, earlier),
        quality={**earlier.quality, "moved_share": None, "challenger_wins": 0},
    )
    return _in_force_again(pipeline, current, back)


def history(pipeline: Pipeline) -> list[dict[str, object]]:
    """Every version, newest first: why it was made, how good it is, and what became of it."""
    models = pipeline.ledger.models
    current, applied, all_kept = models.current(), models.applied(), models.history(limit=SHOWN)
    again: defaultdict[int, list[int]] = defaultdict(list)
    for kept in all_kept:
        again[kept.version.restores].append(kept.version.id)
    return [
        {
            **_row(kept),
            "in_force": current is not None and kept.version.id == current.id,
            "synced": applied is not None and kept.version.id == applied.model_version,
            "held_back": kept.held_back or None,
            "restored_as": sorted(again[kept.version.id]),
        }
        for kept in all_kept
    ]


def events_json(version: ModelVersion) -> list[dict[str, object]]:
    """The lineage of one version, as every ``--json`` gives it."""
    return [
        {"event": e.kind, "segment": e.segment_id, "other": e.other_id, "detail": e.detail}
        for e in version.lineage
    ]


def _row(kept: KeptVersion) -> dict[str, object]:
    version, quality = kept.version, kept.version.quality
    return {
        "model_version": version.id,
        "made_at": format_time(version.created_at),
        "as_of": format_time(version.as_of),
        "reason": version.reason,
        "restores": version.restores or None,
        "algorithm": version.algorithm,
        "segments": len(version.segments),
        "moved_share": quality.get("moved_share"),
        "silhouette": quality.get("silhouette"),
        "inertia": quality.get("inertia"),
        "inertia_ratio": quality.get("inertia_ratio"),
        "way": quality.get("way"),
        "lineage": events_json(version),
    }


def _wanted(pipeline: Pipeline, current: ModelVersion, wanted: str) -> ModelVersion:
    models = pipeline.ledger.models
    if wanted == "previous":
        earlier = models.before(current.id)
        if earlier is None:
            raise SettingsError("there is no earlier model version to go back to")
        return earlier
    kept = models.kept(int(wanted)) if wanted.isdecimal() and len(wanted) <= _MOST_DIGITS else None
    if kept is None:
        known = ", ".join(str(each.version.id) for each in models.history(limit=SHOWN))
        raise SettingsError(f"there is no model version {wanted}; there are {known}")
    if kept.version.id == current.id:
        raise SettingsError(f"model version {wanted} is in force already")
    if kept.held_back:
        raise SettingsError(
            f"model version {wanted} never was in force: {kept.held_back}. While it is the newest, cohortd"
            " recluster --accept puts it in force"
        )
    return kept.version


def _lineage(current: ModelVersion, earlier: ModelVersion) -> tuple[LineageEvent, ...]:
    """Who comes back and who goes; where people move shows only once everybody is assigned."""
    were, will = ([segment.id for segment in version.segments] for version in (current, earlier))
    told = f"model version {earlier.id} is in force again"
    back = [LineageEvent("returned", each, detail=told) for each in will if each not in were]
    gone = [
        LineageEvent("died", each, detail=f"{told}, which does not know it")
        for each in were
        if each not in will
    ]
    return (*back, *gone)


def _in_force_again(
    pipeline: Pipeline, current: ModelVersion | None, version: ModelVersion
) -> ModelVersion:
    models, at = pipeline.ledger.models, pipeline.clock()
    return models.save(
        replace(version, created_at=at, restores=version.id),
        next_segment_number=models.next_segment_number(),
        at=at,
        follows=current.id if current is not None else 0,
    )
