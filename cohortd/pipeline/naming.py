"""Names that people gave: what a platform may flag, what names nothing, and when they count."""

from collections.abc import Sequence
from dataclasses import replace

from clustering import refuse_twins, sensitive_words
from cohortd.core.modelling import ModelVersion, Segment
from cohortd.pipeline.wiring import Pipeline


def name_faults(pipeline: Pipeline, segments: Sequence[Segment]) -> list[str]:
    """Say what is amiss with ``audiences.names``.

    Args:
        segments: Those of the model in force; none before the first one.
    """
    given = pipeline.segmentation.clustering.names
    known = {segment.id for segment in segments}
    faults = [
        f"audiences.names: {segment} is named {name!r}: {', '.join(found)} may pass for a personal"
        " attribute, and a platform may then flag the audience; one that is there keeps its name"
        for segment, name in given.items()
        if (found := sensitive_words(name))
    ]
    faults += _shared_words(pipeline)
    unknown = sorted(set(given) - known) if known else []
    if unknown:
        faults.append(
            f"audiences.names: there is no segment {', '.join(unknown)};"
            f" there are {', '.join(sorted(known))}"
        )
    return faults


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

    Raises:
        SettingsError: Two segments would have the same name.
    """
    given = pipeline.segmentation.clustering.names
    names = {each.id: given.get(each.id) or each.name for each in version.segments}
    changed = [each for each in version.segments if names[each.id] != each.name]
    if not changed:
        return version
    refuse_twins(names)
    for each in changed:
        pipeline.ledger.models.rename(each.id, names[each.id], each.description)
    return replace(version, segments=tuple(replace(each, name=names[each.id]) for each in version.segments))
