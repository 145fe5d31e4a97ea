"""Since the last sync: which segments came and went, and what a sync does about their audiences."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from cohortd.core.fates import AudienceFate, SegmentFate
from cohortd.core.modelling import ModelVersion
from cohortd.core.planning import Delta, Target
from cohortd.engine import Engine
from cohortd.ledger import Remote
from cohortd.pipeline.clusters import Clustered
from cohortd.pipeline.descent import Flow, descent
from cohortd.pipeline.weighing import Weighed
from cohortd.pipeline.wiring import Pipeline, WhenGone

_COMING = frozenset({"born", "split", "returned"})


def fates_of(
    pipeline: Pipeline, engine: Engine, clustered: Clustered, weighed: Weighed
) -> tuple[SegmentFate, ...]:
    """Tell of every segment that came or went since the version under which all was last synced."""
    models, version = pipeline.ledger.models, clustered.version
    applied = models.applied()
    synced = models.get(applied.model_version) if applied is not None else None
    if synced is not None and _ids(synced) == _ids(version):
        return ()
    since = [] if synced is None else models.after(synced.id)
    flows: Sequence[Flow] = engine.flows(clustered.assignment) if synced is not None else ()
    remotes = {remote.target: remote for remote in pipeline.ledger.remotes.all()}
    told = [
        replace(fate, audiences=_audiences(pipeline, fate, weighed, remotes))
        for fate in descent(synced, [*since, version], flows)
    ]
    # Syncs of one destination after the other leave some done while the version is not synced whole.
    aimed = {target.audience for target in weighed.compared}
    return tuple(fate for fate in told if fate.audiences or fate.segment not in aimed)


def lines_of(fates: Collection[SegmentFate]) -> list[str]:
    """Write them for people; destinations where the same happens share a line."""
    lines = []
    for fate in fates:
        lines.append(fate.told)
        where: dict[str, list[str]] = {}
        for audience in fate.audiences:
            where.setdefault(audience.told, []).append(audience.destination)
        lines += [f"    {', '.join(names)}: {told}" for told, names in where.items()]
    return lines


def _ids(version: ModelVersion) -> set[str]:
    return {segment.id for segment in version.segments}


def _audiences(
    pipeline: Pipeline, fate: SegmentFate, weighed: Weighed, remotes: Mapping[Target, Remote]
) -> list[AudienceFate]:
    found = []
    for name in pipeline.destinations:
        target = Target(fate.segment, name)
        delta = weighed.compared.get(target)
        if delta is None:
            continue
        remote = remotes.get(target)
        told = (
            _coming(delta, remote, weighed.held.get(target))
            if fate.event in _COMING
            else _going(delta, remote, pipeline.audiences.when_gone)
        )
        if told is not None:
            effect, members, words = told
            found.append(AudienceFate(name, effect, members, words, remote.remote_id if remote else None))
    return found


def _coming(delta: Delta, remote: Remote | None, held: str | None) -> tuple[str, int, str] | None:
    """Nothing where its people are already."""
    if delta.present and not delta.adds:
        return None
    is_there = remote is not None and remote.state != "retired" and remote.remote_id is not None
    if held is not None:
        words = f"its audience gets nobody new: {held}" if is_there else f"no audience is made: {held}"
        return "held", 0, words
    if is_there:
        return (
            "filled",
            delta.eligible,
            f"its audience there is filled again, with {_members(delta.eligible)}",
        )
    return "made", delta.eligible, f"a new audience is made, with {_members(delta.eligible)}"


def _going(delta: Delta, remote: Remote | None, when_gone: WhenGone) -> tuple[str, int, str] | None:
    """Nothing where nobody is any more, or nobody is looked after."""
    if remote is None or remote.state == "retired" or not delta.present:
        return None
    members = _members(delta.present)
    match when_gone:
        case WhenGone.LEAVE:
            return "left", delta.present, f"its {members} stay there, and nobody comes any more"
        case WhenGone.CLOSE:
            return "closed", delta.present, f"its {members} leave, then the audience is closed"
        case WhenGone.EMPTY:
            words = f"its {members} leave; the audience stays in the ad manager, empty"
            return "emptied", delta.present, words


def _members(count: int) -> str:
    return f"{count:,} member{'' if count == 1 else 's'}"
