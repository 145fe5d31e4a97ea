"""Names that people gave: what a platform may flag, and what names nothing."""

from collections.abc import Sequence

from clustering import sensitive_words
from cohortd.core.modelling import Segment
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
        " attribute, and a platform may then flag the audience"
        for segment, name in given.items()
        if (found := sensitive_words(name))
    ]
    unknown = sorted(set(given) - known) if known else []
    if unknown:
        faults.append(
            f"audiences.names: there is no segment {', '.join(unknown)};"
            f" there are {', '.join(sorted(known))}"
        )
    return faults
