"""Names that people gave: what a platform may flag, what names nothing, and when they count."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from clustering import sensitive_words
from cohortd.core.modelling import ModelVersion, Segment
from cohortd.pipeline.wiring import Pipeline


def name_faults(pipeline: Pipeline, segments: Sequence[Segment]) -> list[str]:
    """Say what is amiss with ``audiences.names``.

    Args:
        segments: Those there are now; none before the first model.
    """
    given = pipeline.segmentation.clustering.names
    known = {segment.id for segment in segments}
    faults = [
        f"audiences.names: {segment} is named {name!r}: {', '.join(found)} may pass for a personal"
        " attribute, and a platform may then flag the audience; one that is there keeps its name"
        for segment, name in given.items()
        if (found := sensitive_words(name))
    ]
    faults += [f"audiences.rules: {fault}" for fault in _rule_words(pipeline)]
    faults += _shared_words(pipeline)
    twins = _twins(_names(pipeline, segments))
    if twins:
        faults.append(f"audiences.names: {', '.join(twins)} would have the same name: name one otherwise")
    unknown = sorted(set(given) - known) if known else []
    if unknown:
        faults.append(
            f"audiences.names: there is no segment {', '.join(unknown)};"
            f" there are {', '.join(sorted(known))}"
        )
    return faults


def _rule_words(pipeline: Pipeline) -> list[str]:
    return [
        f"{rule.segment.id} says {text!r}: {', '.join(found)} may pass for a personal attribute, and a"
        " platform may then flag the audience"
        for rule in pipeline.audiences.rules
        for text in (rule.segment.name, rule.segment.description)
        if (found := sensitive_words(text))
    ]


def _shared_words(pipeline: Pipeline) -> list[str]:
    """Say it of the prefix of all names, and of destinations' names, which stand in the descriptions."""
    texts = {"audiences.name_prefix": pipeline.audiences.name_prefix}
    texts |= {f"the destination's name {name!r}": name for name in pipeline.destinations}
    return [
        f"{what}: {', '.join(found)} may pass for a personal attribute, and a platform may then flag every"
        " audience"
        for what, text in texts.items()
        if (found := sensitive_words(text))
    ]


def take_names(pipeline: Pipeline, version: ModelVersion) -> ModelVersion:
    """Give segments of the model in force the names of the settings, for good: no fit need be due for it.

    A name that another segment has is not taken, and told as a fault: the data are synced all the same.
    """
    names = _names(pipeline, version.segments)
    twins = _twins(names)
    segments = tuple(
        each if each.id in twins else replace(each, name=names[each.id]) for each in version.segments
    )
    for before, now in zip(version.segments, segments, strict=True):
        if now.name != before.name:
            pipeline.ledger.models.rename(now.id, now.name, now.description)
    return replace(version, segments=segments)


def _names(pipeline: Pipeline, segments: Sequence[Segment]) -> dict[str, str]:
    """What segments are called once the settings' names count."""
    given = pipeline.segmentation.clustering.names
    return {each.id: given.get(each.id) or each.name for each in segments}


def _twins(names: Mapping[str, str]) -> list[str]:
    """The segments whose name another one has, whatever its capitals."""
    counts = Counter(name.casefold() for name in names.values())
    return [each for each, name in names.items() if counts[name.casefold()] > 1]
