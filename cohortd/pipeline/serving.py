"""Every segment there is now, people's own too, and which of them the settings let be sent."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from cohortd.core.modelling import ModelVersion, Segment
from cohortd.pipeline.models import MAIN, audience_id
from cohortd.pipeline.wiring import AudiencePolicy, Pipeline

_NAME_MARK: Final = " (exclude only)"
_DESCRIPTION_MARK: Final = "For exclusion only. "


def living_segments(pipeline: Pipeline, versions: Mapping[str, ModelVersion]) -> tuple[Segment, ...]:
    """List the segments that have, or may have, an audience: the models', then people's own.

    Args:
        versions: The version in force of each model, by its name.
    """
    policy = pipeline.audiences
    found = (
        _of_model(pipeline, model, segment)
        for model, version in versions.items()
        for segment in version.segments
    )
    segments = [*found, *(rule.segment for rule in policy.rules)]
    sizes: dict[str, int] = {}
    for model, version in versions.items():
        sizes |= {audience_id(model, segment): size for segment, size in _sizes(version).items()}
    return _within_most([marked(pipeline, each) for each in segments], policy, sizes)


def _of_model(pipeline: Pipeline, model: str, segment: Segment) -> Segment:
    """Name a segment of a model beside the main one so that nobody takes it for another model's."""
    if model == MAIN:
        return segment
    given = pipeline.models[model].clustering.names.get(segment.id)
    return replace(segment, id=audience_id(model, segment.id), name=given or f"{segment.name} ({model})")


def unknown_segments(pipeline: Pipeline, segments: Sequence[Segment]) -> list[str]:
    """Say which segments the settings name that there are not; a pinned one must be the model's."""
    policy = pipeline.audiences
    known = {segment.id for segment in segments}
    own = {rule.segment.id for rule in policy.rules}
    excluded = {each for each in policy.exclude_only if "+" not in each}  # intersections come and go
    asked = {"exclude_only": (excluded, known), "pinned": (policy.pinned, known - own)}
    return [
        f"audiences.{setting}: there is no segment {', '.join(unknown)} that could be;"
        f" there are {', '.join(sorted(may_be))}"
        for setting, (named, may_be) in asked.items()
        if (unknown := sorted(set(named) - may_be))
    ]


def marked(pipeline: Pipeline, segment: Segment) -> Segment:
    """Say in its name what is for exclusion only."""
    if segment.id not in pipeline.audiences.exclude_only:
        return segment
    return replace(
        segment,
        name=f"{segment.name}{_NAME_MARK}",
        description=f"{_DESCRIPTION_MARK}{segment.description}".rstrip(),
    )


def unmarked(segment: Segment) -> Segment:
    """The same as it is called but for that."""
    return replace(
        segment,
        name=segment.name.removesuffix(_NAME_MARK),
        description=segment.description.removeprefix(_DESCRIPTION_MARK),
    )


def _within_most(
    segments: Sequence[Segment], policy: AudiencePolicy, sizes: Mapping[str, int]
) -> tuple[Segment, ...]:
    """Hold all but the first so many: pinned ones, then rules, then the largest of the last fit.

    By the sizes of the fit, since an audience that came and went with every sync would be none.
    """
    free = [segment for segment in segments if not segment.held]
    if policy.most is None or len(free) <= policy.most:
        return tuple(segments)
    kept = {each.id for each in sorted(free, key=lambda s: _turn(s, policy.pinned, sizes))[: policy.most]}
    why = f"audiences.most is {policy.most:,}, and others come first"
    return tuple(
        segment if segment.held or segment.id in kept else replace(segment, held=why)
        for segment in segments
    )


def _turn(segment: Segment, pinned: Collection[str], sizes: Mapping[str, int]) -> tuple[bool, bool, int]:
    """What comes first; equals keep the order they have."""
    return segment.id not in pinned, segment.kind != "rule", -sizes.get(segment.id, 0)


def _sizes(version: ModelVersion) -> dict[str, int]:
    found = version.quality.get("sizes")
    return {str(each): int(size) for each, size in found.items()} if isinstance(found, dict) else {}
