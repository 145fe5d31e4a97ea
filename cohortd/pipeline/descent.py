"""The net of several model versions: which segments came, from whom, and where those that went did go."""

from collections.abc import Mapping, Sequence

from cohortd.core.fates import SegmentFate
from cohortd.core.modelling import LineageEvent, ModelVersion

#: So many customers were in one segment, empty for none, and are in one now.
Flow = tuple[str, str, int]

#: A gone segment merged into another when so much of it goes there.
_MOST = 0.5
#: Fewer customers than these are not counted out: they may point at somebody.
_TOLD_FROM = 10
_MOST_NAMED = 3


def descent(
    before: ModelVersion | None, after: Sequence[ModelVersion], flows: Sequence[Flow]
) -> list[SegmentFate]:
    """Compare the last of *after* with *before*; what came and went in between is left out.

    Args:
        before: The version to compare with; None where there was none.
        after: What came into force since, oldest first.
        flows: Where customers were and are; none where that is not known.
    """
    now = after[-1]
    were = [segment.id for segment in before.segments] if before is not None else []
    are = [segment.id for segment in now.segments]
    names = {s.id: s.name for version in (before, *after) if version is not None for s in version.segments}
    events = {event.segment_id: event for version in after for event in version.lineage if _is_turn(event)}
    came = [_came(each, events.get(each), names, flows) for each in are if each not in were]
    went = [_went(each, events, set(are), names, flows) for each in were if each not in are]
    return sorted([*came, *went], key=lambda fate: (len(fate.segment), fate.segment))


def _is_turn(event: LineageEvent) -> bool:
    return event.kind != "held"


def _came(
    segment: str, event: LineageEvent | None, names: Mapping[str, str], flows: Sequence[Flow]
) -> SegmentFate:
    kind = event.kind if event is not None and event.kind in {"split", "returned"} else "born"
    parent = event.other_id if event is not None and kind == "split" else ""
    sources = {was: count for was, now, count in flows if now == segment}
    newcomers = sources.pop("", 0)
    detail = _shares(sources, names, whole=sum(sources.values()) + newcomers)
    words = {
        "split": f"New segment {_called(segment, names)}, split off from {_called(parent, names)}",
        "returned": f"{_called(segment, names)} is back",
        "born": f"New segment {_called(segment, names)}",
    }[kind]
    told = f"{words}; its customers come from {detail}" if detail else words
    return SegmentFate(
        kind, segment, names.get(segment, ""), parent, names.get(parent, ""), detail, f"{told}."
    )


def _went(
    segment: str,
    events: Mapping[str, LineageEvent],
    living: set[str],
    names: Mapping[str, str],
    flows: Sequence[Flow],
) -> SegmentFate:
    goes = {now: count for was, now, count in flows if was == segment}
    heir = _heir(goes) if goes else _by_lineage(segment, events, living)
    detail = _shares(goes, names, whole=sum(goes.values()))
    name = names.get(segment, "")
    if heir:
        told = f"{_called(segment, names)} is merged into {_called(heir, names)}"
        rest = f"; its customers go to {detail}" if detail else ""
        return SegmentFate("merged", segment, name, heir, names.get(heir, ""), detail, f"{told}{rest}.")
    told = f"{_called(segment, names)} is gone"
    rest = f"; its customers go to {detail}" if detail else ""
    return SegmentFate("died", segment, name, detail=detail, told=f"{told}{rest}.")


def _heir(goes: Mapping[str, int]) -> str:
    """To whom most go, or nobody."""
    heir = max(sorted(goes), key=lambda each: goes[each])
    return heir if goes[heir] >= _MOST * sum(goes.values()) else ""


def _by_lineage(segment: str, events: Mapping[str, LineageEvent], living: set[str]) -> str:
    """Follow merges until one that lives."""
    seen = set()
    while segment not in living and segment not in seen:
        seen.add(segment)
        event = events.get(segment)
        if event is None or event.kind != "merged":
            return ""
        segment = event.other_id
    return segment if segment in living else ""


def _shares(counts: Mapping[str, int], names: Mapping[str, str], *, whole: int) -> str:
    """Name where most are, with their share; empty where nothing can be told."""
    large = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_NAMED]
    return ", ".join(
        f"{_called(each, names)} ({count / whole:.0%})" for each, count in large if count >= _TOLD_FROM
    )


def _called(segment: str, names: Mapping[str, str]) -> str:
    name = names.get(segment)
    return f"{segment} ({name})" if name else segment
